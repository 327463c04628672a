package hypervsim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// qemu runs a program of qemu, or skips the test where there is none.
func qemu(t *testing.T, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// newFile makes a real disk: live data in some blocks, zeros in others.
func newFile(t *testing.T, dir, name string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	format, options := "vhdx", "subformat=dynamic,block_size=1M"
	if strings.HasSuffix(name, ".vhd") {
		format, options = "vpc", "subformat=dynamic,force_size=on"
	}
	qemu(t, "qemu-img", "create", "-q", "-f", format, "-o", options, file, "64M")
	qemu(t, "qemu-io", "-f", format, "-c", "write -q -P 0xa5 0 3M", "-c", "write -q -P 0x5a 40M 1M", "-c", "write -q -P 0 8M 16M", file)
	return file
}

func newRealBench(t *testing.T, names ...string) (*bench, string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		newFile(t, dir, name)
	}
	b := newBench(t)
	if err := b.MapFolder(`D:\VMs`, dir); err != nil {
		t.Skipf("%v", err)
	}
	return b, dir
}

// await waits for the end of a job on a real file.
func (b *bench) await(id string) {
	b.t.Helper()
	b.world.mu.Lock()
	var done <-chan struct{}
	for _, j := range b.world.jobs {
		if j.id == id && j.real != nil {
			done = j.real.done
		}
	}
	b.world.mu.Unlock()
	if done == nil {
		return
	}
	select {
	case <-done:
	case <-time.After(time.Minute):
		b.t.Fatal("the job does not end")
	}
}

// contentOf hashes what a guest reads from a disk.
func contentOf(t *testing.T, file string) string {
	t.Helper()
	raw := filepath.Join(t.TempDir(), "raw")
	qemu(t, "qemu-img", "convert", "-f", qemuFormat(formatOf(file)), "-O", "raw", file, raw)
	b, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestRealCompaction: the file shrinks, what it holds and what it is does not
// change.
func TestRealCompaction(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"real.vhdx", "real.vhd"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, dir := newRealBench(t, name)
			file, disk := filepath.Join(dir, name), `d:\vms\`+strings.ToUpper(name)
			if err := os.Chmod(file, 0o640); err != nil {
				t.Fatal(err)
			}
			before, ok := b.VHD(disk)
			if !ok {
				t.Fatal("the disk is not there")
			}
			content := contentOf(t, file)

			code, id := b.compact(disk, modeFull)
			want(t, "return value", code, "4096")
			code, _ = b.compact(disk, modeFull)
			want(t, "second at once", code, "32774")
			b.await(id)
			b.wantJob(id, map[string]string{"JobState": "7", "PercentComplete": "100"})

			after, _ := b.VHD(disk)
			info, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			want(t, "size on the host", after.FileSize, info.Size())
			want(t, "mode of the file", info.Mode().Perm(), 0o640)
			if gain := before.FileSize - after.FileSize; gain < 16*mib {
				t.Errorf("it gained %d bytes", gain)
			}
			want(t, "content", contentOf(t, file), content)
			if !after.Changed.After(before.Changed) {
				t.Errorf("changed at %s, before it at %s", after.Changed, before.Changed)
			}
			before.FileSize, before.Changed = after.FileSize, after.Changed
			if diff := cmp.Diff(before, after, cmp.FilterValues(func(_, _ func(float64) float64) bool { return true }, cmp.Ignore())); diff != "" {
				t.Errorf("the disk (-before +after):\n%s", diff)
			}
			// Nothing is left to gain: the file stays the very same.
			_, id = b.compact(disk, modeFull)
			b.await(id)
			b.wantJob(id, map[string]string{"JobState": "7"})
			again, err := os.Stat(file)
			if err != nil || !os.SameFile(info, again) {
				t.Errorf("the file was replaced without a gain: %v", err)
			}
			if diff := cmp.Diff([]string{name}, filesIn(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRealCancelled: a cancelled compaction leaves the file and no other.
func TestRealCancelled(t *testing.T) {
	t.Parallel()
	tests := map[string]func(b *bench, id string){
		"terminated":        func(b *bench, id string) { b.CancelJob(id) },
		"service restarted": func(b *bench, _ string) { b.RestartService() },
		"host closed":       func(b *bench, _ string) { b.world.close() },
	}
	for name, cancel := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, dir := newRealBench(t, "real.vhdx")
			file := filepath.Join(dir, "real.vhdx")
			before, err := os.Stat(file)
			if err != nil {
				t.Fatal(err)
			}
			_, id := b.compact(`D:\VMs\real.vhdx`, modeFull)
			cancel(b, id)
			b.await(id)
			after, err := os.Stat(file)
			if err != nil || !os.SameFile(before, after) || after.Size() != before.Size() {
				t.Errorf("the file was replaced: %v", err)
			}
			if diff := cmp.Diff([]string{"real.vhdx"}, filesIn(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if name == "terminated" {
				b.wantJob(id, map[string]string{"JobState": "8", "JobCompletionStatusCode": "2147943623"})
			}
		})
	}
}

// TestRealFailures: whatever goes wrong, the file stays as it is.
func TestRealFailures(t *testing.T) {
	t.Parallel()
	damage := func(t *testing.T, file string, at int64, data string) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte(data), at); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name    string
		arrange func(t *testing.T, file string)
		code    string // return value, or ErrorCode of the job
		viaJob  bool
	}{
		// Both headers gone: the metadata can still be read, the disk cannot.
		{"headers", func(t *testing.T, file string) {
			t.Helper()
			damage(t, file, 64<<10, "x")
			damage(t, file, 128<<10, "x")
		}, "32768", true},
		{"region table", func(t *testing.T, file string) {
			t.Helper()
			damage(t, file, regionTable, "x")
		}, "32768", false},
		{"not a disk", func(t *testing.T, file string) {
			t.Helper()
			if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "32768", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b, dir := newRealBench(t, "real.vhdx")
			file := filepath.Join(dir, "real.vhdx")
			test.arrange(t, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code, id := b.compact(`D:\VMs\real.vhdx`, modeFull)
			if test.viaJob {
				want(t, "return value", code, "4096")
				b.await(id)
				b.wantJob(id, map[string]string{"JobState": "10", "ErrorCode": test.code, "JobCompletionStatusCode": "2147943792"})
			} else {
				want(t, "return value", code, test.code)
			}
			after, err := os.ReadFile(file)
			if err != nil || string(before) != string(after) {
				t.Errorf("the file was changed: %v", err)
			}
			if diff := cmp.Diff([]string{"real.vhdx"}, filesIn(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReplaceChangedFile: data that was written meanwhile is not lost.
func TestReplaceChangedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, copied := filepath.Join(dir, "a.vhdx"), filepath.Join(dir, "copy")
	write := func(name, content string) {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "original")
	write(copied, "copy")
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, before.ModTime().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := replace(t.Context(), file, copied, before); !errors.Is(err, errChanged) {
		t.Errorf("got %v, want errChanged", err)
	}
	before, err = os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := replace(cancelled, file, copied, before); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "original" {
		t.Errorf("the file holds %q, %v", content, err)
	}
}

// TestVerifyRejects: a copy that is another disk never replaces a file.
func TestVerifyRejects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	original, other := newFile(t, dir, "a.vhdx"), newFile(t, dir, "b.vhdx")
	v, err := readVHD(original, FormatVHDX)
	if err != nil {
		t.Fatal(err)
	}
	if verify(t.Context(), original, other, v, nil) == nil {
		t.Error("a disk with another ID was accepted")
	}
	if err := keepIdentity(other, original); err != nil {
		t.Fatal(err)
	}
	if err := verify(t.Context(), original, other, v, nil); err != nil {
		t.Errorf("an equal disk was not accepted: %v", err)
	}
	qemu(t, "qemu-io", "-f", "vhdx", "-c", "write -q -P 1 63M 512", other)
	if verify(t.Context(), original, other, v, nil) == nil {
		t.Error("a disk with other data was accepted")
	}
}

// TestRealGrow: the file grows by what can be reclaimed again.
func TestRealGrow(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"real.vhdx", "real.vhd"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, dir := newRealBench(t, name)
			file, disk := filepath.Join(dir, name), `D:\VMs\`+name
			before, content := b.fileSize(disk), contentOf(t, file)
			if err := b.Grow(disk, 10*mib); err != nil {
				t.Fatal(err)
			}
			if gain := b.fileSize(disk) - before; gain < 10*mib || gain > 16*mib {
				t.Errorf("it grew by %d bytes", gain)
			}
			want(t, "content", contentOf(t, file), content)
			if b.Grow(disk, 100*mib) == nil {
				t.Error("it grew beyond its virtual size")
			}
		})
	}
}

// TestRealFixed: a fixed VHDX is compacted without effect, a fixed VHD not.
func TestRealFixed(t *testing.T) {
	t.Parallel()
	b, dir := newRealBench(t)
	qemu(t, "qemu-img", "create", "-q", "-f", "vhdx", "-o", "subformat=fixed", filepath.Join(dir, "f.vhdx"), "8M")
	qemu(t, "qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=fixed,force_size=on", filepath.Join(dir, "f.vhd"), "8M")
	for disk, state := range map[string]string{`D:\VMs\f.vhdx`: "7", `D:\VMs\f.vhd`: "10"} {
		before, _ := b.VHD(disk)
		want(t, "type", before.Type, TypeFixed)
		code, id := b.compact(disk, modeFull)
		want(t, "return value", code, "4096")
		b.pass(time.Minute)
		b.wantJob(id, map[string]string{"JobState": state})
		want(t, "size", b.fileSize(disk), before.FileSize)
	}
}

func TestMapFolder(t *testing.T) {
	t.Parallel()
	b, dir := newRealBench(t, "Ä real.vhdx")
	if err := os.MkdirAll(filepath.Join(dir, "Sub"), 0o750); err != nil {
		t.Fatal(err)
	}
	newFile(t, filepath.Join(dir, "Sub"), "two.vhd")
	outside := t.TempDir()
	newFile(t, outside, "two.vhd")
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		if runtime.GOOS == "windows" {
			t.Skip("only administrators and developers may make symbolic links")
		}
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{`d:\vms\sub\two.vhd`, `d:\vms\ä real.vhdx`}, b.all(cim.NamespaceCIMv2, cim.ClassDataFile, "Name")); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`d:\`, `d:\vms`, `d:\vms\sub`}, b.all(cim.NamespaceCIMv2, cim.ClassDirectory, "Name")); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
	code, _ := b.compact(`D:\VMs\gone.vhdx`, modeFull)
	want(t, "missing", code, "32779")
	for _, path := range []string{`D:\VMs\..\x.vhdx`, `D:\VMs\link\two.vhd`, `D:\VMsSub\two.vhd`, `D:\VMs\Sub`} {
		if _, there := b.VHD(path); there {
			t.Errorf("%s is a disk", path)
		}
	}
	if b.MapFolder(`D:\x`, filepath.Join(dir, "gone")) == nil || b.MapFolder("x", dir) == nil || b.MapFolder(`D:\x`, filepath.Join(dir, "Ä real.vhdx")) == nil {
		t.Error("a wrong mapping was accepted")
	}
}

func TestReadProgress(t *testing.T) {
	t.Parallel()
	var seen []float64
	last := readProgress(iotest.OneByteReader(strings.NewReader("    (0.00/100%)\r    (12.50/100%)\r    (100.00/100%)\r\nImages are identical.\n")), func(p float64) { seen = append(seen, p) })
	want(t, "other line", last, "Images are identical.")
	if diff := cmp.Diff([]float64{0, 0.125, 1}, seen); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
}
