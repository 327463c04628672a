package cim_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

func TestParseDateTime(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2026-10-05T04:23:50Z":            "2026-10-05T04:23:50Z",
		"2025-12-17T09:55:22.702341Z":     "2025-12-17T09:55:22.702341Z",
		"2013-04-15T20:28:20.913Z":        "2013-04-15T20:28:20.913Z",
		"2025-12-17T09:55:22.7023412Z":    "2025-12-17T09:55:22.7023412Z",
		"2025-12-17T18:55:22+09:00":       "2025-12-17T09:55:22Z",
		"2025-12-17T09:55:22.5":           "2025-12-17T09:55:22.5Z",
		"1601-01-01T00:00:00Z":            "1601-01-01T00:00:00Z",
		"20251217095522.702341+000":       "2025-12-17T09:55:22.702341Z",
		"20251217185522.702341+540":       "2025-12-17T09:55:22.702341Z",
		"20251217015522.000000-480":       "2025-12-17T09:55:22Z",
		"2025-12-17T09:55:22.0000000001Z": "2025-12-17T09:55:22Z",
	} {
		got, err := cim.ParseDateTime(in)
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("ParseDateTime(%q) = %v, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "2026", "2026-13-05T04:23:50Z", "2026-10-05 04:23:50", "P0DT0H5M0S", "20251217******.******+***",
		"20251317095522.702341+000", "20251217095522.702341", "20251217095522.702341+0000", "00000000000500.000000:000",
	} {
		if got, err := cim.ParseDateTime(in); err == nil {
			t.Errorf("ParseDateTime(%q) = %v, want an error", in, got)
		}
	}
}

func TestParseInterval(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"P0DT0H5M0S":                5 * time.Minute,
		"P0DT0H0M1.00417S":          time.Second + 4170*time.Microsecond,
		"P0DT0H0M0.014947S":         14947 * time.Microsecond,
		"P1DT2H3M4S":                26*time.Hour + 3*time.Minute + 4*time.Second,
		"PT60S":                     time.Minute,
		"PT0S":                      0,
		"-P1D":                      -24 * time.Hour,
		"-PT0.000000001S":           -1,
		"PT0.0000000019S":           1,
		"PT100H":                    100 * time.Hour,
		"PT1010880000S":             1010880000 * time.Second,
		"P106751D":                  106751 * 24 * time.Hour,
		"00000000000500.000000:000": 5 * time.Minute,
		"00000001020304.000005:000": 26*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Microsecond,
	} {
		if got, err := cim.ParseInterval(in); err != nil || got != want {
			t.Errorf("ParseInterval(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "P", "PT", "P1DT", "-P", "60", "60S", "P1Y", "P1M", "P1Y2M3DT4H", "P1W", "PT1.S", "PT.5S", "PT1.5M", "+PT1S", "pt1s", "PT-1S",
		"P106752D", "P999999999D", "P999999999999D", "PT999999999999999S", "99999999235959.999999:000", "00000000000500.000000+000", "2026-10-05T04:23:50Z",
	} {
		if got, err := cim.ParseInterval(in); err == nil {
			t.Errorf("ParseInterval(%q) = %v, want an error", in, got)
		}
	}
}

func TestFormatInterval(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration]string{
		0:                       "PT0S",
		time.Minute:             "PT60S",
		1500 * time.Millisecond: "PT1.5S",
		-time.Nanosecond:        "-PT0.000000001S",
		math.MaxInt64:           "PT9223372036.854775807S",
		math.MinInt64:           "-PT9223372036.854775808S",
	} {
		if got := cim.FormatInterval(in); got != want {
			t.Errorf("FormatInterval(%d) = %q, want %q", in, got, want)
		}
	}
}

// TestCapturedTimes reads every date-time and interval of recorded answers.
func TestCapturedTimes(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.FromSlash("../../../../shared/captures/*.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no recorded answers beside the repository")
	}
	element := regexp.MustCompile(`<cim:(Datetime|Interval)>([^<]*)<`)
	read := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range element.FindAllSubmatch(text, -1) {
			kind, value := string(m[1]), string(m[2])
			if kind == "Datetime" {
				_, err = cim.ParseDateTime(value)
			} else {
				_, err = cim.ParseInterval(value)
			}
			if err != nil {
				t.Errorf("%s: %s %q: %v", filepath.Base(file), kind, value, err)
			}
			read[kind]++
		}
	}
	if read["Datetime"] == 0 || read["Interval"] == 0 {
		t.Errorf("read %v, want some of both kinds", read)
	}
}

func FuzzInterval(f *testing.F) {
	for _, s := range []string{"P0DT0H0M1.00417S", "PT60S", "-P1D", "00000000000500.000000:000", "P999999999D", "P11700D", "PT"} {
		f.Add(s, int64(1))
	}
	f.Add("", int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, s string, n int64) {
		if d, err := cim.ParseInterval(s); err == nil {
			if got, err := cim.ParseInterval(cim.FormatInterval(d)); err != nil || got != d {
				t.Errorf("ParseInterval(FormatInterval(%d)) = %d, %v", d, got, err)
			}
		}
		const lastSecond = math.MaxInt64 / int64(time.Second) * int64(time.Second) // too long to be read
		if n >= lastSecond || n <= -lastSecond {
			return
		}
		if got, err := cim.ParseInterval(cim.FormatInterval(time.Duration(n))); err != nil || got != time.Duration(n) {
			t.Errorf("ParseInterval(FormatInterval(%d)) = %d, %v", n, got, err)
		}
	})
}

func FuzzDateTime(f *testing.F) {
	for _, s := range []string{"2026-10-05T04:23:50Z", "2025-12-17T18:55:22.702341+09:00", "20251217185522.702341+540", "2025-12-17T09:55:22"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := cim.ParseDateTime(s)
		if err != nil || at.Year() < 0 || at.Year() > 9999 {
			return // an offset may lead out of the years that RFC 3339 can write
		}
		if again, err := cim.ParseDateTime(at.Format(time.RFC3339Nano)); err != nil || !again.Equal(at) {
			t.Errorf("ParseDateTime(%q) = %v, which reads as %v, %v", s, at, again, err)
		}
	})
}
