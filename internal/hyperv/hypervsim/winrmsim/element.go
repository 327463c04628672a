package winrmsim

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// element is one element of a received message, its names resolved.
type element struct {
	space, local string
	attributes   []attribute
	children     []*element
	text         string // all character data directly inside
}

type attribute struct{ space, local, value string }

// is reports whether the element has this name.
func (e *element) is(space, local string) bool { return e.space == space && e.local == local }

// child returns the first child of this name, nil if there is none.
func (e *element) child(space, local string) *element {
	for _, c := range e.children {
		if c.is(space, local) {
			return c
		}
	}
	return nil
}

// attribute returns the value of an attribute.
func (e *element) attribute(space, local string) (string, bool) {
	for _, a := range e.attributes {
		if a.space == space && a.local == local {
			return a.value, true
		}
	}
	return "", false
}

// trimmed is the text without the white space around it.
func (e *element) trimmed() string { return strings.Trim(e.text, " \t\r\n") }

// maxDepth bounds the nesting of a message.
const maxDepth = 64

// scope binds prefixes to namespaces; it ends with the element that made it.
type scope map[string]string

// parseXML reads one document. It knows no document types and no processing
// instructions: SOAP forbids both (SOAP 1.2 part 1, section 5).
func parseXML(data []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	// The text is UTF-8 by now, whatever its declaration says.
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	root := &element{}
	b := builder{open: []level{{element: root, scope: scope{"xml": nsXML, "": ""}}}}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := b.add(token); err != nil {
			return nil, err
		}
	}
	if len(b.open) != 1 || len(root.children) != 1 || root.trimmed() != "" {
		return nil, errors.New("not one whole document")
	}
	return root.children[0], nil
}

// builder is a document that is being read: the elements that are open, from the
// document itself inwards.
type builder struct{ open []level }

type level struct {
	element *element
	raw     xml.Name // as it is written, which the end tag must repeat
	scope   scope
}

func (b *builder) add(token xml.Token) error {
	top := b.open[len(b.open)-1]
	switch t := token.(type) {
	case xml.StartElement:
		return b.start(t, top)
	case xml.EndElement:
		if len(b.open) == 1 || top.raw != t.Name {
			return fmt.Errorf("end tag %s does not match", t.Name.Local)
		}
		b.open = b.open[:len(b.open)-1]
	case xml.CharData:
		top.element.text += string(t)
	case xml.Directive:
		return errors.New("a document type is not allowed")
	case xml.ProcInst:
		if t.Target != "xml" || b.hasRoot() {
			return errors.New("a processing instruction is not allowed")
		}
	}
	return nil
}

func (b *builder) start(t xml.StartElement, top level) error {
	if len(b.open) > maxDepth || (len(b.open) == 1 && b.hasRoot()) {
		return errors.New("nested too deep, or more than one root element")
	}
	e, s, err := resolve(t, top.scope)
	if err != nil {
		return err
	}
	top.element.children = append(top.element.children, e)
	b.open = append(b.open, level{e, t.Name, s})
	return nil
}

func (b *builder) hasRoot() bool { return len(b.open[0].element.children) > 0 }

// resolve replaces the prefixes of a start tag by their namespaces.
func resolve(t xml.StartElement, outer scope) (*element, scope, error) {
	s := outer
	copied := false
	for _, a := range t.Attr {
		prefix, declares := declaredPrefix(a.Name)
		if !declares {
			continue
		}
		if !copied {
			s, copied = make(scope, len(outer)+1), true
			maps.Copy(s, outer)
		}
		s[prefix] = a.Value
	}
	space, ok := s[t.Name.Space]
	if !ok {
		return nil, nil, fmt.Errorf("prefix %s is not declared", t.Name.Space)
	}
	e := &element{space: space, local: t.Name.Local}
	for _, a := range t.Attr {
		if _, declares := declaredPrefix(a.Name); declares {
			continue
		}
		space := ""
		if a.Name.Space != "" {
			if space, ok = s[a.Name.Space]; !ok {
				return nil, nil, fmt.Errorf("prefix %s is not declared", a.Name.Space)
			}
		}
		if _, twice := e.attribute(space, a.Name.Local); twice {
			return nil, nil, fmt.Errorf("attribute %s is given twice", a.Name.Local)
		}
		e.attributes = append(e.attributes, attribute{space, a.Name.Local, a.Value})
	}
	return e, s, nil
}

// declaredPrefix returns the prefix that an attribute declares, if it does.
func declaredPrefix(n xml.Name) (string, bool) {
	switch {
	case n.Space == "xmlns":
		return n.Local, true
	case n.Space == "" && n.Local == "xmlns":
		return "", true
	}
	return "", false
}

// toUTF8 decodes a message body. A host takes UTF-8 and UTF-16 and nothing else.
// It reports whether the body was UTF-16, because the answer then is as well.
func toUTF8(body []byte, charset string) (text []byte, wide bool, err error) {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(body, []byte{0xff, 0xfe}):
		order, body = binary.LittleEndian, body[2:]
	case bytes.HasPrefix(body, []byte{0xfe, 0xff}):
		order, body = binary.BigEndian, body[2:]
	case strings.EqualFold(charset, "utf-16"):
		order = binary.LittleEndian
	}
	if order == nil {
		body = bytes.TrimPrefix(body, []byte{0xef, 0xbb, 0xbf})
		if !utf8.Valid(body) {
			return nil, false, errors.New("not UTF-8")
		}
		return body, false, nil
	}
	if len(body)%2 != 0 {
		return nil, true, errors.New("not UTF-16")
	}
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = order.Uint16(body[2*i:])
	}
	return []byte(string(utf16.Decode(units))), true, nil
}

// fromUTF8 encodes an answer as UTF-16 with a byte order mark.
func fromUTF8(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}
