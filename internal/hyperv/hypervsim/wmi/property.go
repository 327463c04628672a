package wmi

import (
	"strconv"
	"time"
)

// NoDate is the date that the provider gives for a date it does not have.
var NoDate = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)

// Null makes a property of that type without a value.
func Null(name string, typ Type) Property { return Property{Name: name, Type: typ} }

// Text makes a string.
func Text(name, value string) Property {
	return Property{Name: name, Type: TypeString, Values: []string{value}}
}

// TextOrNull makes a string that is null when it is empty.
func TextOrNull(name, value string) Property {
	if value == "" {
		return Null(name, TypeString)
	}
	return Text(name, value)
}

// Texts makes an array of strings.
func Texts(name string, values ...string) Property {
	return Property{Name: name, Type: TypeString, Array: true, Values: values}
}

// Bool makes a boolean.
func Bool(name string, value bool) Property {
	return Property{Name: name, Type: TypeBoolean, Values: []string{strconv.FormatBool(value)}}
}

// integer is any Go type that a number can be made from.
type integer interface {
	~int | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Uint8 makes a number of that type.
func Uint8[N integer](name string, value N) Property { return number(name, TypeUint8, value) }

// Uint16 makes a number of that type.
func Uint16[N integer](name string, value N) Property { return number(name, TypeUint16, value) }

// Uint32 makes a number of that type.
func Uint32[N integer](name string, value N) Property { return number(name, TypeUint32, value) }

// Uint64 makes a number of that type.
func Uint64[N integer](name string, value N) Property { return number(name, TypeUint64, value) }

func number[N integer](name string, typ Type, value N) Property {
	return Property{Name: name, Type: typ, Values: []string{strconv.FormatUint(uint64(value), 10)}}
}

// Uint16s makes an array of numbers.
func Uint16s(name string, values ...uint16) Property {
	p := Property{Name: name, Type: TypeUint16, Array: true}
	for _, v := range values {
		p.Values = append(p.Values, strconv.FormatUint(uint64(v), 10))
	}
	return p
}

// DateTime makes a point in time.
func DateTime(name string, value time.Time) Property {
	return Property{Name: name, Type: TypeDateTime, Values: []string{value.UTC().Format(time.RFC3339Nano)}}
}

// Interval makes a span of time.
func Interval(name string, value time.Duration) Property {
	return Property{Name: name, Type: TypeInterval, Values: []string{value.String()}}
}

// Reference makes a reference to an instance; it is null without one.
func Reference(name string, ref *ObjectPath) Property {
	return Property{Name: name, Type: TypeReference, Ref: ref}
}
