package replay

import (
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// stage is a simulated host that is put into the state of the recorded one.
type stage struct {
	host  *hypervsim.Host
	begun time.Time
	now   atomic.Int64 // since begun
	all   []exchange

	settled     map[string]bool            // paths whose first state was taken over
	found       map[string]map[string]bool // disks that were there before, and what was taken over of them
	sized       map[string]bool            // disks whose size was taken over since the last compaction
	firstToldOf map[int]bool               // exchanges whose answer is the first to tell of a machine
	tellsEnd    map[int]bool               // exchanges from which the end of a job is inferred
}

const (
	user     = `REPLAY\replay`
	password = "for a host inside this process" //nolint:gosec // G101: nobody else can reach that host
)

func newStage(rec *conformance.Recordings, all []exchange, log *slog.Logger) (*stage, error) {
	s := &stage{all: all, begun: begin(all), settled: map[string]bool{}, found: map[string]map[string]bool{}, sized: map[string]bool{}, firstToldOf: map[int]bool{}, tellsEnd: map[int]bool{}}
	var err error
	options := []hypervsim.Option{
		hypervsim.WithoutListener(), hypervsim.WithUser(user, password), hypervsim.WithRelease(release(rec.WindowsVersion)),
		hypervsim.WithLocale(locale(all)), hypervsim.WithLogger(log),
		hypervsim.WithClock(func() time.Time { return s.begun.Add(time.Duration(s.now.Load())) }),
	}
	if rec.HTTPS {
		options = append(options, hypervsim.WithTLS())
	}
	s.host, err = hypervsim.New(options...)
	if err != nil {
		return nil, err
	}
	for _, m := range machines(all) {
		s.host.AddVM(m.vm)
		s.firstToldOf[m.told] = true
		for _, c := range append(m.vm.Checkpoints, hypervsim.Checkpoint{Disks: m.vm.Disks}) {
			for _, path := range c.Disks {
				s.host.AddVHD(hypervsim.VHD{Path: path})
			}
		}
	}
	return s, nil
}

// release returns the release that is closest to a version of Windows.
func release(version string) hypervsim.Release {
	parts := strings.Split(version, ".")
	build, err := strconv.Atoi(parts[len(parts)-1])
	switch {
	case err != nil || build >= 20348:
		return hypervsim.Server2022
	case build >= 14393:
		return hypervsim.Server2016
	case build >= 9600:
		return hypervsim.Server2012R2
	case build >= 9200:
		return hypervsim.Server2012
	}
	return hypervsim.Server2008
}

// locale returns the language of the answers.
func locale(all []exchange) string {
	for _, x := range all {
		if x.answer != nil && x.answer.attrs["lang"] != "" {
			return x.answer.attrs["lang"]
		}
	}
	return "en-US"
}

// begin returns when the recording began by the clock of the host, which gives the time along with
// its version.
func begin(all []exchange) time.Time {
	for _, x := range all {
		if t, ok := date(x.answer.find("LocalDateTime").value()); ok && !t.IsZero() {
			return t.Add(-x.At())
		}
	}
	return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
}

// before puts the host into the state that exchange i found, unless earlier requests have already
// brought it there. It returns the properties of the answer that it took.
func (s *stage) before(i int) []string {
	taken := s.arrange(i)
	if s.tellsEnd[s.all[i].Number] {
		taken = append(taken, "JobState")
	}
	return taken
}

func (s *stage) arrange(i int) []string {
	x := s.all[i]
	s.now.Store(int64(x.At()) + int64(i)) // one after the other, however coarse the clock of the recording
	s.host.NextJobLasts(1)                // a job that the recorded host did not need is over at once
	if x.request == nil || x.HTTP != nil {
		return nil
	}
	if x.job() != "" {
		s.job(x, jobTimes(s.all, i))
	}
	switch operation := x.operation(); {
	case operation == "Get" && x.class() == "Win32_Directory":
		s.directory(x)
	case operation == "Get" && x.class() == "CIM_DataFile":
		return s.file(x)
	case strings.HasPrefix(operation, "GetVirtualHardDisk"):
		return s.inspected(x)
	case operation == "Enumerate" || operation == "Pull":
		return s.listed(x)
	case operation == "CompactVirtualHardDisk":
		delete(s.sized, x.path())
	case strings.HasPrefix(operation, "Create"):
		s.settled[x.path()] = true
	}
	return nil
}

// job makes the host's next job last as long as the recorded one.
func (s *stage) job(x exchange, times jobTime) {
	for _, number := range times.from {
		s.tellsEnd[number] = true
	}
	s.host.NextJobLasts(times.lasts)
	_ = s.host.Change(x.path(), func(v *hypervsim.VHD) { v.CancelDelay = times.shutsDown }) // a disk that is not there is not compacted
}

// directory puts a directory on the host if it was there when it was first asked for.
func (s *stage) directory(x exchange) {
	if !s.settled[x.path()] && !x.isFault() {
		s.host.AddDirectory(x.path())
	}
	s.settled[x.path()] = true
}

// file puts a file on the host if it was there when it was first asked for.
func (s *stage) file(x exchange) []string {
	if x.isFault() {
		s.settled[x.path()] = true
		return nil
	}
	if !s.settled[x.path()] {
		s.found[x.path()] = map[string]bool{}
	}
	s.add(x.path())
	return s.size(x)
}

// add puts a disk on the host that no recorded request has created.
func (s *stage) add(path string) {
	if _, have := s.host.VHD(path); !have && !s.settled[path] && path != "" {
		s.host.AddVHD(hypervsim.VHD{Path: path})
	}
	s.settled[path] = true
}

// size takes over the size of a file when an answer first gives it, and after
// each compaction: how much can be reclaimed depends on the content of a disk.
func (s *stage) size(x exchange) []string {
	size, ok := number(x.answer, "FileSize")
	if !ok || s.sized[x.path()] {
		return nil
	}
	s.sized[x.path()] = true
	if s.host.Change(x.path(), func(v *hypervsim.VHD) { v.FileSize = size }) != nil {
		return nil
	}
	return []string{"FileSize"}
}

// inspected takes over what an inspection reports about a disk: all of it when
// the disk was there before, and always what depends on the content.
func (s *stage) inspected(x exchange) []string {
	if x.returned() != 0 || x.isFault() {
		return nil
	}
	if !s.settled[x.path()] {
		s.found[x.path()] = map[string]bool{}
	}
	s.add(x.path())
	taken := s.asFound(x)
	taken = append(taken, s.size(x)...)
	took := func(name string) {
		if n, ok := number(x.answer, name); ok && s.host.Change(x.path(), func(v *hypervsim.VHD) { ofDisk[name](v, n) }) == nil {
			taken = append(taken, name)
		}
	}
	took("MinInternalSize")
	took("FragmentationPercentage")
	return taken
}

// asFound takes over properties of a disk that was there before, from the first inspection that
// reports them.
func (s *stage) asFound(x exchange) []string {
	told, found := s.found[x.path()]
	v, have := s.host.VHD(x.path())
	if !found || !have {
		return nil
	}
	var taken []string
	first := func(name string, ok bool) bool {
		if !ok || told[name] {
			return false
		}
		told[name], taken = true, append(taken, name)
		return true
	}
	for name, into := range ofDisk {
		if n, ok := number(x.answer, name); first(name, ok) {
			into(&v, n)
			s.sized[x.path()] = s.sized[x.path()] || name == "FileSize"
		}
	}
	if parent := x.answer.property("ParentPath").value(); first("ParentPath", parent != "") {
		v.ParentPath = parent
	}
	if changed, ok := date(x.answer.property("Timestamp").value()); first("Timestamp", ok) {
		v.Changed = changed
	}
	if len(taken) > 0 {
		s.host.AddVHD(v)
	}
	return taken
}

// ofDisk sets the numeric properties of a disk.
var ofDisk = map[string]func(*hypervsim.VHD, int64){
	"FileSize":                func(v *hypervsim.VHD, n int64) { v.FileSize = n },
	"MinInternalSize":         func(v *hypervsim.VHD, n int64) { v.MinInternalSize = n },
	"FragmentationPercentage": func(v *hypervsim.VHD, n int64) { percent := uint32(n); v.FragmentationPercent = &percent },
	"MaxInternalSize":         func(v *hypervsim.VHD, n int64) { v.VirtualSize = n },
	"BlockSize":               func(v *hypervsim.VHD, n int64) { v.BlockSize = uint32(n) },
	"LogicalSectorSize":       func(v *hypervsim.VHD, n int64) { v.LogicalSectorSize = uint32(n) },
	"PhysicalSectorSize":      func(v *hypervsim.VHD, n int64) { v.PhysicalSectorSize = uint32(n) },
	"Type":                    func(v *hypervsim.VHD, n int64) { v.Type = hypervsim.DiskType(n) },
	"Format":                  func(v *hypervsim.VHD, n int64) { v.Format = hypervsim.DiskFormat(n) },
}

func number(n *node, name string) (int64, bool) {
	v, err := strconv.ParseInt(n.property(name).value(), 10, 64)
	return v, err == nil
}

// listed takes over the directories that a query lists. If the answer is the
// first to show a machine, it returns the property of the machine that the
// stage took over.
func (s *stage) listed(x exchange) []string {
	if strings.HasPrefix(x.subject(), "WQL about Win32_Directory") {
		x.answer.all(func(n *node) {
			if name := n.property("Name").value(); name != "" && (n.name == "Win32_Directory" || n.name == "XmlFragment") {
				s.host.AddDirectory(name)
			}
		})
	}
	if s.firstToldOf[x.Number] {
		return []string{"EnabledState"}
	}
	return nil
}
