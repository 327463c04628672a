package cim

// Value is the value of a property or parameter: null, one or more texts, or an
// endpoint reference. The zero Value is null. Texts keep the wire form; the
// typed getters of [Instance] read them.
type Value struct {
	texts []string
	ref   *Reference
	array bool
}

// Text returns a scalar value. An empty text is not null.
func Text(s string) Value { return Value{texts: []string{s}} }

// Texts returns an array value. An array without elements is not null.
func Texts(s ...string) Value { return Value{texts: s, array: true} }

// Ref returns a reference value.
func Ref(r Reference) Value { return Value{ref: &r} }

// IsNull reports whether v holds nothing at all.
func (v Value) IsNull() bool { return v.ref == nil && v.texts == nil && !v.array }

// Scalar returns the one text of v. A one-element array looks like a scalar on
// the wire, so it counts as one.
func (v Value) Scalar() (string, bool) {
	if len(v.texts) != 1 {
		return "", false
	}
	return v.texts[0], true
}

// Elements returns the texts of v; a scalar is an array of one.
func (v Value) Elements() []string { return v.texts }

// Reference returns the endpoint reference that v holds.
func (v Value) Reference() (Reference, bool) {
	if v.ref == nil {
		return Reference{}, false
	}
	return *v.ref, true
}
