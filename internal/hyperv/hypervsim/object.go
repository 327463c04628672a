package hypervsim

import (
	"cmp"
	"strings"
)


// object is an instance of a class, or the output of a method, on its way to
// the wire. Properties keep their order.
type object struct {
	namespace, class string
	keys             []string // names of the key properties
	properties       []property
}

// cimType is the CIM type of a property; it decides the wire form.
type cimType string

const (
	typeBoolean   cimType = "boolean"
	typeUint8     cimType = "uint8"
	typeUint16    cimType = "uint16"
	typeUint32    cimType = "uint32"
	typeUint64    cimType = "uint64"
	typeString    cimType = "string"
	typeDateTime  cimType = "datetime" // value: RFC 3339 in UTC
	typeInterval  cimType = "interval" // value: Go duration text
	typeReference cimType = "reference"
)

// property is one property of an object. It is null without values, unless it
// is an array.
type property struct {
	name   string
	typ    cimType
	array  bool
	values []string
	ref    *objectPath // for typeReference
}

// objectPath addresses an instance, as a returned reference does.
type objectPath struct {
	namespace, class string
	keys             []keyValue
}

// keyValue is one selector of a request or one key of a reference.
type keyValue struct{ name, value string }

// filter keeps the objects whose properties have all the given values.
func filter(objects []*object, where []keyValue) []*object {
	if len(where) == 0 {
		return objects
	}
	var kept []*object
	for _, o := range objects {
		if o.matches(where) {
			kept = append(kept, o)
		}
	}
	return kept
}

func (o *object) matches(where []keyValue) bool {
	for _, kv := range where {
		p := o.property(kv.name)
		if p == nil || p.array || len(p.values) != 1 || !strings.EqualFold(p.values[0], kv.value) {
			return false
		}
	}
	return true
}

// property finds a property by its name, whatever its letter case.
func (o *object) property(name string) *property {
	for i := range o.properties {
		if strings.EqualFold(o.properties[i].name, name) {
			return &o.properties[i]
		}
	}
	return nil
}

// text is the value of a scalar property, empty for null.
func (o *object) text(name string) string {
	if p := o.property(name); p != nil && len(p.values) == 1 {
		return p.values[0]
	}
	return ""
}

func containsFold(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func byName(a, b property) int { return cmp.Compare(a.name, b.name) }

// path addresses an object by its keys.
func (o *object) path() *objectPath {
	p := &objectPath{namespace: o.namespace, class: o.class}
	for _, k := range o.keys {
		p.keys = append(p.keys, keyValue{k, o.text(k)})
	}
	return p
}
