package bytesize_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/provider/bytesize"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		"0": 0, "1024": 1024, "0001": 1, "1 B": 1, "1.0": 1, "20GiB": 20 << 30, "1.5 TB": 15e11, "512MB": 512e6, "512mib": 512 << 20,
		" 1KiB ": 1024, "0.5KiB": 512, "1.000000000000 kB": 1000, "0.1 kB": 100, "0 TiB": 0, "0.0 GiB": 0,
		"9223372036854775807": math.MaxInt64, "8 PiB": 8 << 50, "7 EiB": 7 << 60, "9 EB": 9e18,
		"14.2 GiB": 15247133901, "0.0015 kB": 2, "0.0014 kB": 1,
	} {
		if got, err := bytesize.Parse(in); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "no size", " ": "no size", "GiB": "no size", "-1": "no size", "+1": "no size", "1e3": "no size", "1,5 GB": "no size",
		"1_000": "no size", "1..5": "no size", "1.": "no size", ".5GiB": "no size", "0x10": "no size", "1 2": "no size", "１GiB": "no size",
		"NaN": "no size", "Inf": "no size", "1 K": "unknown unit", "1 GiBs": "unknown unit", "1 GBit": "unknown unit", "5 %": "no size",
		"9223372036854775808": "more than", "8 EiB": "more than", "9223372036854775.8075 kB": "more than", "99999999999999999999": "no size",
		"1.1 B": "no whole number", "1.1": "no whole number", "0.0001 kB": "no whole number",
	} {
		if got, err := bytesize.Parse(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %d, %v, want an error with %q", in, got, err, want)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for in, want := range map[int64]string{
		0: "0 B", 1: "1 B", 1023: "1023 B", 1024: "1.0 KiB", 1075: "1.0 KiB", 1076: "1.1 KiB", 1536: "1.5 KiB",
		1<<20 - 1: "1.0 MiB", 1023<<10 + 972: "1023.9 KiB", 1023<<10 + 973: "1.0 MiB", 20 << 30: "20.0 GiB", 15247262515: "14.2 GiB",
		1<<60 - 1: "1.0 EiB", 1 << 60: "1.0 EiB", math.MaxInt64: "8.0 EiB", -1: "-1 B", -1536: "-1.5 KiB", math.MinInt64: "-8.0 EiB",
	} {
		if got := bytesize.Format(in); got != want {
			t.Errorf("Format(%d) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse: a size that is read is not negative, and is read again from its
// digits.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.5 TB", "20GiB", "0.0015kB", "9223372036854775807", "8 EiB", "-1", "1e3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := bytesize.Parse(s)
		if err != nil {
			return
		}
		if again, err := bytesize.Parse(big.NewInt(n).String()); n < 0 || err != nil || again != n {
			t.Errorf("Parse(%q) = %d, which reads as %d, %v", s, n, again, err)
		}
	})
}

// FuzzFormat: what is written is read again as a size at most half a tenth of
// the unit away, and is written the same.
func FuzzFormat(f *testing.F) {
	for _, n := range []int64{0, 1, 1023, 1024, 1076, 1<<20 - 1, 15247262515, math.MaxInt64, math.MinInt64} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n int64) {
		text := bytesize.Format(n)
		if n < 0 {
			if n != math.MinInt64 && text != "-"+bytesize.Format(-n) {
				t.Errorf("Format(%d) = %q", n, text)
			}
			return
		}
		back, err := bytesize.Parse(text)
		if err != nil {
			if text != "8.0 EiB" { // rounded to one more than an int64 holds
				t.Errorf("Parse(Format(%d)) = %v", n, err)
			}
			return
		}
		if again := bytesize.Format(back); again != text {
			t.Errorf("Format(%d) = %q, which reads as %d and is written %q", n, text, back, again)
		}
		if off := max(back-n, n-back); n < 1<<10 && off != 0 || off > n/20 {
			t.Errorf("Format(%d) = %q, which reads as %d", n, text, back)
		}
	})
}
