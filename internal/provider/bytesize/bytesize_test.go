package bytesize_test

import (
	"math"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		"0": 0, "1024": 1024, "1 B": 1, "20GiB": 20 << 30, "1.5 TB": 15e11, "512MB": 512e6, "512mib": 512 << 20,
		" 1KiB ": 1024, "0.5KiB": 512, "1.000000000000 kB": 1000, "9223372036854775807": math.MaxInt64, "0.1 kB": 100, "8 PiB": 8 << 50,
	} {
		if got, err := bytesize.Parse(in); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", " ", "GiB", "-1", "+1", "1e3", "1,5 GB", "1 K", "1 GiBs", "1..5", ".5GiB", "0x10", "1 2", "9223372036854775808",
		"9000 PiB", "0.0001 kB", "1.1 B", "１GiB", "NaN", "Inf",
	} {
		if got, err := bytesize.Parse(in); err == nil {
			t.Errorf("Parse(%q) = %d, want an error", in, got)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 20 << 30: "20.0 GiB",
		15247262515: "14.2 GiB", math.MaxInt64: "8.0 EiB", -1536: "-1.5 KiB", math.MinInt64: "-8.0 EiB",
	} {
		if got := bytesize.Format(in); got != want {
			t.Errorf("Format(%d) = %q, want %q", in, got, want)
		}
	}
}

// FuzzFormatParse: whatever is written is read again within one part in 20 of
// its unit, and reading never panics.
func FuzzFormatParse(f *testing.F) {
	for _, n := range []int64{0, 1, 1023, 1024, 1 << 30, math.MaxInt64} {
		f.Add(n, "1.5 TB")
	}
	f.Fuzz(func(t *testing.T, n int64, s string) {
		if v, err := bytesize.Parse(s); err == nil && v < 0 {
			t.Errorf("Parse(%q) = %d", s, v)
		}
		if n < 0 || n >= 1023<<50 {
			return
		}
		back, err := bytesize.Parse(bytesize.Format(n))
		if err != nil && n < 1<<10 {
			t.Fatalf("Parse(Format(%d)): %v", n, err)
		}
		if err == nil && math.Abs(float64(back-n)) > float64(n)*0.05+1 {
			t.Errorf("Format(%d) = %q reads as %d", n, bytesize.Format(n), back)
		}
	})
}
