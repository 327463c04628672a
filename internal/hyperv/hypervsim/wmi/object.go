package wmi

import (
	"cmp"
	"strings"
)

// Object is an instance of a class, or the output of a method, on its way to
// the wire. Properties keep their order.
type Object struct {
	Namespace, Class string
	Keys             []string // names of the key properties
	Properties       []Property
}

// Type is the CIM type of a property; it decides the wire form.
type Type string

// The types that are served.
const (
	TypeBoolean   Type = "boolean"
	TypeSint8     Type = "sint8"
	TypeUint8     Type = "uint8"
	TypeUint16    Type = "uint16"
	TypeUint32    Type = "uint32"
	TypeUint64    Type = "uint64"
	TypeString    Type = "string"
	TypeDateTime  Type = "datetime" // value: RFC 3339 in UTC
	TypeInterval  Type = "interval" // value: Go duration text
	TypeReference Type = "reference"
)

// Property is one property of an object. It is null without values, unless it
// is an array.
type Property struct {
	Name   string
	Type   Type
	Array  bool
	Values []string
	Ref    *ObjectPath // of a TypeReference
}

// ObjectPath addresses an instance, as a returned reference does.
type ObjectPath struct {
	Namespace, Class string
	Keys             []KeyValue
}

// KeyValue is one selector of a request or one key of a reference.
type KeyValue struct{ Name, Value string }

// Key makes a selector or a key.
func Key(name, value string) KeyValue { return KeyValue{Name: name, Value: value} }

// Filter keeps the objects whose properties have all the given values.
func Filter(objects []*Object, where []KeyValue) []*Object {
	if len(where) == 0 {
		return objects
	}
	var kept []*Object
	for _, o := range objects {
		if o.matches(where) {
			kept = append(kept, o)
		}
	}
	return kept
}

func (o *Object) matches(where []KeyValue) bool {
	for _, kv := range where {
		p := o.Property(kv.Name)
		if p == nil || p.Array || len(p.Values) != 1 || !strings.EqualFold(p.Values[0], kv.Value) {
			return false
		}
	}
	return true
}

// Property finds a property by its name, whatever its letter case.
func (o *Object) Property(name string) *Property {
	for i := range o.Properties {
		if strings.EqualFold(o.Properties[i].Name, name) {
			return &o.Properties[i]
		}
	}
	return nil
}

// Text is the value of a scalar property, empty for null.
func (o *Object) Text(name string) string {
	if p := o.Property(name); p != nil && len(p.Values) == 1 {
		return p.Values[0]
	}
	return ""
}

// ContainsFold reports whether name is among names, whatever its letter case.
func ContainsFold(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// ByName orders properties by their names.
func ByName(a, b Property) int { return cmp.Compare(a.Name, b.Name) }

// Path addresses an object by its keys.
func (o *Object) Path() *ObjectPath {
	p := &ObjectPath{Namespace: o.Namespace, Class: o.Class}
	for _, k := range o.Keys {
		p.Keys = append(p.Keys, Key(k, o.Text(k)))
	}
	return p
}
