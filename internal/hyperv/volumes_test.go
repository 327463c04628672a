package hyperv_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

var (
	diskNumber      = regexp.MustCompile(`<p:Number>([^<]*)</p:Number>`)
	partitionNumber = regexp.MustCompile(`<p:DiskNumber>([^<]*)</p:DiskNumber>`)
	driveLetter     = regexp.MustCompile(`<p:DriveLetter>([^<]*)</p:DriveLetter>`)
	onePartition    = regexp.MustCompile(`(?s)<p:MSFT_Partition .*?</p:MSFT_Partition>`)
)

// retold changes what answers say of one property.
func retold(property *regexp.Regexp, as string) hypervsim.Option {
	return hypervsim.WithAnswer(func(_, answer string) string { return property.ReplaceAllString(answer, as) })
}

// elsewhere adds the partition of another disk to the answers: that of the system, retold.
func elsewhere(number, id string) hypervsim.Option {
	return hypervsim.WithAnswer(func(_, answer string) string {
		system := onePartition.FindString(answer)
		added := partitionNumber.ReplaceAllString(system, number+id)
		return strings.Replace(answer, system, system+added, 1)
	})
}

const (
	nullNumber = `<p:DiskNumber xsi:nil="true"/>`
	emptyID    = `<p:DiskId></p:DiskId>`
	anotherID  = `<p:DiskId>\\?\Disk{03b307c6-c8b2-a19f-a9ef-cb0b1d8057ae}</p:DiskId>`
	ownID      = `<p:DiskId> \\?\scsi#disk&amp;ven_msft&amp;prod_virtual_disk#0 </p:DiskId>`
)

// TestNumbersOfDisks: whose a partition is, is known by two numbers. A number that cannot be read
// is no number that differs, so the attachment may have a name.
func TestNumbersOfDisks(t *testing.T) {
	t.Parallel()
	const unknown, named = "cannot be seen", `as E:\`
	for name, tt := range map[string]struct {
		answers hypervsim.Option
		letter  bool
		want    string // of the error; none when the attachment is taken over
	}{
		"number of the disk: null":           {retold(diskNumber, `<p:Number xsi:nil="true"/>`), true, unknown},
		"number of the disk: left out":       {retold(diskNumber, ``), true, unknown},
		"number of the disk: empty":          {retold(diskNumber, `<p:Number></p:Number>`), true, unknown},
		"number of the disk: white space":    {retold(diskNumber, `<p:Number> </p:Number>`), true, unknown},
		"number of the disk: no number":      {retold(diskNumber, `<p:Number>x$1</p:Number>`), true, unknown},
		"number of the disk: negative":       {retold(diskNumber, `<p:Number>-1</p:Number>`), true, unknown},
		"number of the disk: too large":      {retold(diskNumber, `<p:Number>4294967296</p:Number>`), true, unknown},
		"number of the disk: padded":         {retold(diskNumber, "<p:Number> $1\n</p:Number>"), true, named},
		"number of the partition: null":      {retold(partitionNumber, nullNumber), true, unknown},
		"number of the partition: left out":  {retold(partitionNumber, ``), true, unknown},
		"number of the partition: empty":     {retold(partitionNumber, `<p:DiskNumber></p:DiskNumber>`), true, unknown},
		"number of the partition: blank":     {retold(partitionNumber, `<p:DiskNumber> </p:DiskNumber>`), true, unknown},
		"number of the partition: no number": {retold(partitionNumber, `<p:DiskNumber>x$1</p:DiskNumber>`), true, unknown},
		"number of the partition: padded":    {retold(partitionNumber, "<p:DiskNumber>\t$1 </p:DiskNumber>"), true, named},
		"number of another: empty":           {elsewhere(`<p:DiskNumber></p:DiskNumber>`, anotherID), false, unknown},
		"number of another: null, no id":     {elsewhere(nullNumber, ``), false, unknown},
		"number of another: null, empty id":  {elsewhere(nullNumber, emptyID), false, unknown},
		"number null, but our id":            {elsewhere(nullNumber, ownID), false, `as C:\`},

		"no letter, number of the disk padded":          {retold(diskNumber, "<p:Number> $1\n</p:Number>"), false, ""},
		"no letter, number of the partition padded":     {retold(partitionNumber, "<p:DiskNumber>\t$1 </p:DiskNumber>"), false, ""},
		"no letter, padded":                             {retold(driveLetter, "<p:DriveLetter> $1 </p:DriveLetter>"), false, ""},
		"no letter, beside a partition of another node": {elsewhere(nullNumber, anotherID), false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				sim, host := simulate(t, disk(), tt.answers)
				var names []string
				if tt.letter {
					names = []string{`E:\`}
				}
				if err := sim.Console(`HYPERV\backup`).Attach(diskPath, true, names...); err != nil {
					t.Fatal(err)
				}
				got, err := host.Compact(t.Context(), order(func(o *hyperv.Order) { o.LeftAttached = true }))
				if tt.want == "" {
					if err != nil || !warned(got, hyperv.WarnTookOver) {
						t.Errorf("result = %+v, %v, want it taken over", got, err)
					}
					return
				}
				if !errors.Is(err, hyperv.ErrInUse) || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("result = %+v, %v, want it in use: %s", got, err, tt.want)
				}
				if sim.Compactions(diskPath) != 0 || len(sim.Attachments()) != 1 {
					t.Errorf("%d compactions, attachments %+v, want that of the backup left alone", sim.Compactions(diskPath), sim.Attachments())
				}
			})
		})
	}
}
