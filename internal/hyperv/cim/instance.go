package cim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Instance is a CIM instance, or the output parameters of a method.
type Instance struct {
	// Class is the name of the class, without its namespace.
	Class string

	names  []string
	values map[string]Value // by lower-case name
}

// NewInstance returns an instance of class without properties.
func NewInstance(class string) *Instance {
	return &Instance{Class: class, values: map[string]Value{}}
}

// Set gives the named property a value. CIM names ignore letter case.
func (i *Instance) Set(name string, v Value) {
	key := strings.ToLower(name)
	if _, ok := i.values[key]; !ok {
		i.names = append(i.names, name)
	}
	i.values[key] = v
}

// Names lists the properties in the order in which they were first set.
func (i *Instance) Names() []string { return i.names }

// Value returns the named property. A property that is absent is null: a host
// may leave out what another sends as xsi:nil.
func (i *Instance) Value(name string) Value { return i.values[strings.ToLower(name)] }

// PropertyError reports a property whose value is not of the expected type.
type PropertyError struct {
	Class, Property, Text, Want string
}

// Error implements error.
func (e *PropertyError) Error() string {
	return fmt.Sprintf("property %s of %s is %q, want %s", e.Property, e.Class, e.Text, e.Want)
}

// String reads a string; ok is false for null.
func (i *Instance) String(name string) (s string, ok bool) {
	return i.Value(name).Scalar()
}

// Strings reads a string array; it is nil for null.
func (i *Instance) Strings(name string) []string { return i.Value(name).Elements() }

// Uint reads an unsigned integer of at most bits bits; ok is false for null.
func (i *Instance) Uint(name string, bits int) (n uint64, ok bool, err error) {
	return scalar(i, name, "an unsigned integer of "+strconv.Itoa(bits)+" bits", func(s string) (uint64, error) {
		return strconv.ParseUint(s, 10, bits)
	})
}

// Bool reads a boolean in any letter case; ok is false for null.
func (i *Instance) Bool(name string) (b, ok bool, err error) {
	return scalar(i, name, "a boolean", func(s string) (bool, error) {
		return strconv.ParseBool(strings.ToLower(s))
	})
}

// Time reads a date-time in either of its text forms; ok is false for null.
func (i *Instance) Time(name string) (t time.Time, ok bool, err error) {
	return scalar(i, name, "a date-time", ParseDateTime)
}

// Duration reads an interval in either of its text forms; ok is false for null.
func (i *Instance) Duration(name string) (d time.Duration, ok bool, err error) {
	return scalar(i, name, "an interval", ParseInterval)
}

// scalar reads one value with parse. White space around it is dropped: hosts
// were seen to send it.
func scalar[T any](i *Instance, name, want string, parse func(string) (T, error)) (v T, ok bool, err error) {
	property := i.Value(name)
	if property.IsNull() {
		return v, false, nil
	}
	text, single := property.Scalar()
	if single {
		if v, err = parse(strings.TrimSpace(text)); err == nil {
			return v, true, nil
		}
	}
	var zero T
	return zero, false, &PropertyError{Class: i.Class, Property: name, Text: strings.Join(property.Elements(), " "), Want: want}
}
