package cim

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// nativeTime is the CIM form of a date-time: yyyymmddHHMMSS.mmmmmm and the
// offset from UTC in minutes (DSP0004 5.2.4).
var nativeTime = regexp.MustCompile(`^(\d{14}\.\d{6})([+-])(\d{3})$`)

// ParseDateTime reads a date-time in the form of the wire (RFC 3339) or of CIM.
// A time without an offset counts as UTC, as WinRM sends it.
func ParseDateTime(s string) (time.Time, error) {
	if m := nativeTime.FindStringSubmatch(s); m != nil {
		t, err := time.Parse("20060102150405.000000", m[1])
		if err != nil {
			return time.Time{}, fmt.Errorf("date-time %q: %w", s, err)
		}
		minutes, err := strconv.Atoi(m[2] + m[3])
		if err != nil {
			return time.Time{}, fmt.Errorf("date-time %q: %w", s, err)
		}
		return t.Add(-time.Duration(minutes) * time.Minute), nil
	}
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date-time", s)
}

var (
	// nativeInterval is the CIM form of an interval: ddddddddHHMMSS.mmmmmm:000.
	nativeInterval = regexp.MustCompile(`^(\d{8})(\d{2})(\d{2})(\d{2})\.(\d{6}):000$`)
	// xsDuration is an xs:duration without years and months, whose length varies.
	xsDuration = regexp.MustCompile(`^(-?)P(?:(\d{1,12})D)?(T(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{1,30}))?S)?)?$`)
)

var errInterval = errors.New("no interval")

// ParseInterval reads an interval in the form of the wire (xs:duration) or of
// CIM. Years and months are refused: they have no fixed length.
func ParseInterval(s string) (time.Duration, error) {
	if m := nativeInterval.FindStringSubmatch(s); m != nil {
		return sumInterval(s, "", m[1], m[2], m[3], m[4], m[5])
	}
	m := xsDuration.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return 0, fmt.Errorf("%q: %w", s, errInterval)
	}
	return sumInterval(s, m[1], m[2], m[4], m[5], m[6], m[7])
}

func sumInterval(text, sign, days, hours, minutes, seconds, fraction string) (time.Duration, error) {
	var total int64 // seconds; twelve digits a part keep it far from overflowing
	for _, part := range [...]struct {
		digits string
		length int64
	}{{days, 24 * 60 * 60}, {hours, 60 * 60}, {minutes, 60}, {seconds, 1}} {
		if part.digits == "" {
			continue
		}
		n, err := strconv.ParseInt(part.digits, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%q: %w", text, errInterval)
		}
		total += n * part.length
	}
	if total >= math.MaxInt64/int64(time.Second) {
		return 0, fmt.Errorf("%q is too long", text)
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64) // nine digits, checked by the pattern
	d := time.Duration(total)*time.Second + time.Duration(nanos)
	if sign == "-" {
		d = -d
	}
	return d, nil
}

// FormatInterval writes d as an xs:duration in seconds, as in OperationTimeout.
// [ParseInterval] reads it as d again.
func FormatInterval(d time.Duration) string {
	sign := ""
	nanos := uint64(d) //nolint:gosec // the magnitude, also of the shortest duration
	if d < 0 {
		sign, nanos = "-", -nanos
	}
	const second = uint64(time.Second)
	text := sign + "PT" + strconv.FormatUint(nanos/second, 10)
	if fraction := nanos % second; fraction != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", fraction), "0")
	}
	return text + "S"
}
