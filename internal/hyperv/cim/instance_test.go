package cim_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func TestInstanceNames(t *testing.T) {
	t.Parallel()
	i := cim.NewInstance("A")
	i.Set("Second", cim.Text("1"))
	i.Set("First", cim.Text("2"))
	i.Set("SECOND", cim.Text("3"))
	if diff := cmp.Diff([]string{"Second", "First"}, i.Names()); diff != "" {
		t.Errorf("Names (-want +got):\n%s", diff)
	}
	if got, _ := i.String("second"); got != "3" {
		t.Errorf("String(second) = %q, want 3", got)
	}
	if !i.Value("third").IsNull() {
		t.Error("an absent property is not null")
	}
}

// errAny stands for any error in a table.
var errAny = errors.New("any error")

// read holds the results of a typed getter.
type read struct {
	value any
	ok    bool
	err   error
}

func get[T any](value T, ok bool, err error) read { return read{value, ok, err} }

func TestInstanceGetters(t *testing.T) {
	t.Parallel()
	i := cim.NewInstance("A")
	i.Set("N", cim.Text(" 255\n"))
	i.Set("Negative", cim.Text("-1"))
	i.Set("Empty", cim.Text(""))
	i.Set("Array", cim.Texts("1", "2"))
	i.Set("None", cim.Texts())
	i.Set("Null", cim.Value{})
	i.Set("Reference", cim.Ref(cim.Reference{}))
	i.Set("Yes", cim.Text("TRUE"))
	i.Set("At", cim.Text("2026-10-05T04:23:50Z"))
	i.Set("For", cim.Text("P0DT0H5M0S"))
	for name, c := range map[string]struct {
		got  read
		want any // nil stands for null
	}{
		"number":             {get(i.Uint("N", 8)), uint64(255)},
		"number too large":   {get(i.Uint("N", 7)), errAny},
		"negative number":    {get(i.Uint("Negative", 64)), errAny},
		"empty number":       {get(i.Uint("Empty", 64)), errAny},
		"array as number":    {get(i.Uint("Array", 64)), errAny},
		"no elements":        {get(i.Uint("None", 64)), errAny},
		"reference":          {get(i.Uint("Reference", 64)), errAny},
		"null number":        {get(i.Uint("Null", 64)), nil},
		"absent number":      {get(i.Uint("Absent", 64)), nil},
		"boolean":            {get(i.Bool("yes")), true},
		"number as boolean":  {get(i.Bool("N")), errAny},
		"null boolean":       {get(i.Bool("Null")), nil},
		"date-time":          {get(i.Time("At")), time.Date(2026, 10, 5, 4, 23, 50, 0, time.UTC)},
		"interval":           {get(i.Duration("For")), 5 * time.Minute},
		"interval as a time": {get(i.Time("For")), errAny},
	} {
		_, wantErr := c.want.(error)
		var property *cim.PropertyError
		switch {
		case wantErr && (!errors.As(c.got.err, &property) || c.got.ok || property.Class != "A"):
			t.Errorf("%s: %+v, want a *PropertyError", name, c.got)
		case !wantErr && (c.got.err != nil || c.got.ok != (c.want != nil)):
			t.Errorf("%s: %+v, want %v", name, c.got, c.want)
		case !wantErr && c.want != nil && !cmp.Equal(c.got.value, c.want):
			t.Errorf("%s: %v, want %v", name, c.got.value, c.want)
		}
	}
}

func TestPropertyErrorText(t *testing.T) {
	t.Parallel()
	i := cim.NewInstance("Msvm_StorageJob")
	i.Set("JobState", cim.Texts("a", "b"))
	_, _, err := i.Uint("JobState", 16)
	const want = `property JobState of Msvm_StorageJob is "a b", want an unsigned integer of 16 bits`
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	reference := cim.NewReference(cim.NamespaceVirtualizationV2, cim.ClassStorageJob, cim.Selector{Name: "InstanceID", Value: "1"})
	for name, c := range map[string]struct {
		value        cim.Value
		null, scalar bool
		elements     int
		reference    bool
	}{
		"null":        {value: cim.Value{}, null: true},
		"empty text":  {value: cim.Text(""), scalar: true, elements: 1},
		"one element": {value: cim.Texts("a"), scalar: true, elements: 1},
		"no elements": {value: cim.Texts()},
		"two":         {value: cim.Texts("a", "b"), elements: 2},
		"reference":   {value: cim.Ref(reference), reference: true},
	} {
		_, scalar := c.value.Scalar()
		got, isRef := c.value.Reference()
		if c.value.IsNull() != c.null || scalar != c.scalar || len(c.value.Elements()) != c.elements || isRef != c.reference {
			t.Errorf("%s: null %v, scalar %v, elements %v, reference %v", name, c.value.IsNull(), scalar, c.value.Elements(), isRef)
		}
		if isRef && !cmp.Equal(got, reference) {
			t.Errorf("%s: %v, want %v", name, got, reference)
		}
	}
}
