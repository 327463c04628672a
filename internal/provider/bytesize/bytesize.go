// Package bytesize reads and writes sizes in bytes as people write them.
package bytesize

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

// Form describes the texts that [Parse] accepts, for messages.
const Form = `a whole or decimal number with an optional unit: B, kB, MB, GB, TB, PB, EB (powers of 1000) or KiB, MiB, GiB, TiB, PiB, EiB (powers of 1024), for example "20GiB" or "1.5 TB"`

// pattern keeps the number short: no real size has more digits.
var pattern = regexp.MustCompile(`^(\d{1,19})(?:\.(\d{1,30}))?\s*([A-Za-z]*)$`)

// units holds the bytes of each unit by its lower-case name: no size is meant
// in bits, so letter case does not matter. "K" is not a unit, because it could
// mean kB or KiB.
var units = map[string]int64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15, "eb": 1e18,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50, "eib": 1 << 60,
}

// Parse reads a size without floating point. A fraction of a byte that a unit
// leaves over is rounded, half up: "14.2 GiB" is 15247133901. A fraction of plain
// bytes, and a size above zero of less than a byte, are mistakes and refused.
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
	if !size.IsInt() && (unit == 1 || size.Cmp(one) < 0) {
		return 0, fmt.Errorf("%q is no whole number of bytes: give %s", s, Form)
	}
	size.Add(size, half)
	whole := new(big.Int).Quo(size.Num(), size.Denom())
	if !whole.IsInt64() {
		return 0, fmt.Errorf("%q is more than %d bytes, the most that a size can be", s, int64(math.MaxInt64))
	}
	return whole.Int64(), nil
}

var one, half = big.NewRat(1, 1), big.NewRat(1, 2)

var names = [...]string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

// Format writes a size in the largest unit of which it holds at least one, with
// one decimal, rounded half up: "14.2 GiB". Bytes are written exactly. The
// decimal mark is a dot in every language.
func Format(n int64) string {
	sign, size := "", uint64(n) //nolint:gosec // the magnitude, also of the lowest number
	if n < 0 {
		sign, size = "-", -size
	}
	if size < 1<<10 {
		return sign + strconv.FormatUint(size, 10) + " B"
	}
	unit, i := uint64(1<<10), 0 // no int64 is as large as 1024 EiB, so the names suffice
	for tenths(size, unit) >= 1024*10 {
		unit, i = unit<<10, i+1
	}
	n10 := tenths(size, unit)
	return fmt.Sprintf("%s%d.%d %s", sign, n10/10, n10%10, names[i])
}

// tenths returns the number of tenths of unit that is nearest to size. It
// cannot overflow: the largest unit is 2^60.
func tenths(size, unit uint64) uint64 { return size/unit*10 + (size%unit*10+unit/2)/unit }
