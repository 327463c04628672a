package hypervsim

import (
	"strconv"
	"time"
)

// unset is the date that the provider gives for a date it does not have.
var unset = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)

func null(name string, typ cimType) property { return property{name: name, typ: typ} }

func text(name, value string) property {
	return property{name: name, typ: typeString, values: []string{value}}
}

func texts(name string, values ...string) property {
	return property{name: name, typ: typeString, array: true, values: values}
}

func boolean(name string, value bool) property {
	return property{name: name, typ: typeBoolean, values: []string{strconv.FormatBool(value)}}
}

// number makes a property of an unsigned type.
func number[N ~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64](name string, typ cimType, value N) property {
	return property{name: name, typ: typ, values: []string{strconv.FormatUint(uint64(value), 10)}}
}

func numbers(name string, values ...uint16) property {
	p := property{name: name, typ: typeUint16, array: true}
	for _, v := range values {
		p.values = append(p.values, strconv.FormatUint(uint64(v), 10))
	}
	return p
}

func date(name string, value time.Time) property {
	return property{name: name, typ: typeDateTime, values: []string{value.UTC().Format(time.RFC3339Nano)}}
}

func interval(name string, value time.Duration) property {
	return property{name: name, typ: typeInterval, values: []string{value.String()}}
}

func reference(name string, ref *objectPath) property {
	return property{name: name, typ: typeReference, ref: ref}
}
