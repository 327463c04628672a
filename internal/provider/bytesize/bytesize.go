// Package bytesize reads and writes sizes in bytes as people write them.
package bytesize

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Form is what [Parse] accepts, for messages.
const Form = `a whole or decimal number with an optional unit: B, kB, MB, GB, TB, PB (powers of 1000) or KiB, MiB, GiB, TiB, PiB (powers of 1024), for example "20GiB" or "1.5 TB"`

// pattern keeps the number short: nobody means more digits than these.
var pattern = regexp.MustCompile(`^(\d{1,19})(?:\.(\d{1,30}))?\s*([A-Za-z]*)$`)

// units by lower-case name. "K" is no unit: it would leave open which one.
var units = map[string]int64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50,
}

// ErrFraction: the size is no whole number of bytes.
var ErrFraction = errors.New("is no whole number of bytes")

// Parse reads a size exactly: 0.1 kB is 100 bytes, 0.0001 kB is an error.
func Parse(s string) (int64, error) {
	m := pattern.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, fmt.Errorf("%q is no size: give %s", s, Form)
	}
	unit, ok := units[strings.ToLower(m[3])]
	if !ok {
		return 0, fmt.Errorf("%q has the unknown unit %q: give %s", s, m[3], Form)
	}
	number, ok := new(big.Rat).SetString(m[1] + "." + m[2] + "0")
	if !ok {
		return 0, fmt.Errorf("%q is no size: give %s", s, Form)
	}
	size := number.Mul(number, new(big.Rat).SetInt64(unit))
	switch {
	case !size.IsInt():
		return 0, fmt.Errorf("%q %w", s, ErrFraction)
	case !size.Num().IsInt64():
		return 0, fmt.Errorf("%q is more than %d bytes", s, int64(1<<63-1))
	}
	return size.Num().Int64(), nil
}

var names = [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

// Format writes a size in the largest unit of which there is one, with one
// decimal: "14.2 GiB". Bytes are written exactly.
func Format(n int64) string {
	size, unit := float64(n), 0
	for (size >= 1023.95 || size <= -1023.95) && unit < len(names)-1 {
		size /= 1024
		unit++
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + names[unit]
}
