package conformance

import (
	"encoding/xml"
	"strings"
)

// element is one element of an answer, for claims about the form of answers,
// which the client hides.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

// maxAnswer bounds what is parsed a second time.
const maxAnswer = 4 << 20

// parse reads an answer; nil when it is not XML.
func parse(text string) *element {
	var e element
	if text == "" || len(text) > maxAnswer || xml.Unmarshal([]byte(text), &e) != nil {
		return nil
	}
	return &e
}

// find returns the first element of that local name, in document order.
func (e *element) find(local string) *element {
	if e == nil {
		return nil
	}
	if e.XMLName.Local == local {
		return e
	}
	for i := range e.Children {
		if found := e.Children[i].find(local); found != nil {
			return found
		}
	}
	return nil
}

func (e *element) count(local string) int {
	if e == nil {
		return 0
	}
	n := 0
	if e.XMLName.Local == local {
		n++
	}
	for i := range e.Children {
		n += e.Children[i].count(local)
	}
	return n
}

// hasNil reports whether some element below is null.
func (e *element) hasNil() bool {
	if e == nil {
		return false
	}
	for _, a := range e.Attrs {
		if a.Name.Local == "nil" && a.Value == "true" {
			return true
		}
	}
	for i := range e.Children {
		if e.Children[i].hasNil() {
			return true
		}
	}
	return false
}

func (e *element) value() string {
	if e == nil {
		return ""
	}
	return strings.TrimSpace(e.Text)
}
