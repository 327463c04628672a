package winrmsim

import (
	"strconv"
	"strings"
	"time"
)

// parseDuration reads an xs:duration of days and less.
func parseDuration(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok {
		return 0, false
	}
	days, clock, hasClock := strings.Cut(rest, "T")
	total, ok := durationParts(days, "D", 24*time.Hour)
	if !ok || (hasClock && clock == "") || (days == "" && !hasClock) {
		return 0, false
	}
	units := []struct {
		suffix string
		unit   time.Duration
	}{{"H", time.Hour}, {"M", time.Minute}, {"S", time.Second}}
	for _, u := range units {
		number, after, found := strings.Cut(clock, u.suffix)
		if !found {
			continue
		}
		d, ok := durationParts(number+u.suffix, u.suffix, u.unit)
		if !ok {
			return 0, false
		}
		total, clock = total+d, after
	}
	return total, clock == ""
}

// durationParts reads a number with its unit, or nothing.
func durationParts(s, suffix string, unit time.Duration) (time.Duration, bool) {
	if s == "" {
		return 0, true
	}
	number, ok := strings.CutSuffix(s, suffix)
	if !ok || number == "" || strings.Trim(number, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f*float64(unit) > float64(1<<62) {
		return 0, false
	}
	return time.Duration(f * float64(unit)), true
}
