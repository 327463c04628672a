package wsman

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// Bounds of an answer. An envelope of maxEnvelopeSize bytes has room for
// 128,000 elements; the deepest ones seen have eleven levels.
const (
	maxElements = 1 << 18
	maxDepth    = 100
)

// xmlNode is an element of an answer. Names are resolved to their namespaces.
type xmlNode struct {
	name       xml.Name
	attributes []xml.Attr
	children   []*xmlNode
	chars      []byte // all character data of the element itself
	parent     *xmlNode
}

// parse reads a document into a tree. Document types are refused, so there are
// no entities to expand.
func parse(document []byte) (*xmlNode, error) {
	utf8, err := toUTF8(document)
	if err != nil {
		return nil, &DecodeError{Err: err}
	}
	d := xml.NewDecoder(bytes.NewReader(utf8))
	// The bytes are UTF-8 by now, whatever the declaration says.
	d.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-16", "utf-16le", "utf-16be", "us-ascii":
			return input, nil
		}
		return nil, fmt.Errorf("character set %q", charset)
	}
	root, err := build(d)
	if err != nil {
		return nil, &DecodeError{Err: err}
	}
	return root, nil
}

func build(d *xml.Decoder) (*xmlNode, error) {
	var b treeBuilder
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && b.root != nil && b.current == nil:
			return b.root, nil
		case err == nil:
			err = b.add(token)
		}
		if err != nil {
			return nil, err
		}
	}
}

// treeBuilder puts the tokens of a document together.
type treeBuilder struct {
	root, current   *xmlNode // current is nil outside the root
	depth, elements int
}

func (b *treeBuilder) add(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return b.begin(t)
	case xml.EndElement:
		b.depth--
		b.current = b.current.parent
	case xml.CharData:
		return b.current.write(t)
	case xml.Directive:
		return errors.New("document type declaration")
	}
	return nil
}

func (b *treeBuilder) begin(t xml.StartElement) error {
	if b.depth++; b.depth > maxDepth {
		return fmt.Errorf("elements more than %d deep", maxDepth)
	}
	if b.elements++; b.elements > maxElements {
		return fmt.Errorf("more than %d elements", maxElements)
	}
	e := &xmlNode{name: t.Name, attributes: t.Attr, parent: b.current}
	switch {
	case b.current != nil:
		b.current.children = append(b.current.children, e)
	case b.root == nil:
		b.root = e
	default:
		return errors.New("more than one root element")
	}
	b.current = e
	return nil
}

// write adds character data to n, which is nil outside the root element.
func (n *xmlNode) write(text []byte) error {
	if n == nil {
		if len(bytes.TrimSpace(text)) > 0 {
			return errors.New("text outside the root element")
		}
		return nil
	}
	n.chars = append(n.chars, text...)
	return nil
}

// is reports whether the element has that local name in one of the namespaces.
func (n *xmlNode) is(local string, spaces ...string) bool {
	if n.name.Local != local {
		return false
	}
	return slices.Contains(spaces, n.name.Space)
}

// child returns the first child of that name, nil if there is none. The
// receiver may be nil, so that calls chain.
func (n *xmlNode) child(local string, spaces ...string) *xmlNode {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.is(local, spaces...) {
			return c
		}
	}
	return nil
}

// first returns the first child of any name.
func (n *xmlNode) first() *xmlNode {
	if n == nil || len(n.children) == 0 {
		return nil
	}
	return n.children[0]
}

// text returns the character data as it came.
func (n *xmlNode) text() string { return string(n.chars) }

// value returns the text without the white space around it: recorders and
// specifications put tokens on lines of their own.
func (n *xmlNode) value() string {
	if n == nil {
		return ""
	}
	return string(bytes.TrimSpace(n.chars))
}

// attribute returns the named attribute.
func (n *xmlNode) attribute(space, local string) string {
	for _, a := range n.attributes {
		if a.Name.Local == local && a.Name.Space == space {
			return a.Value
		}
	}
	return ""
}

// null reports whether the element has xsi:nil.
func (n *xmlNode) null() bool {
	switch strings.TrimSpace(n.attribute(nsSchema, "nil")) {
	case "true", "1":
		return true
	}
	return false
}

// qname resolves the text of the element as a qualified name. A prefix means
// what the element's surroundings bind it to.
func (n *xmlNode) qname() QName {
	text := n.value()
	prefix, local, ok := strings.Cut(text, ":")
	if !ok {
		prefix, local = "", text
	}
	for e := n; e != nil; e = e.parent {
		for _, a := range e.attributes {
			if a.Name.Space == "xmlns" && a.Name.Local == prefix || prefix == "" && a.Name.Space == "" && a.Name.Local == "xmlns" {
				return QName{Space: a.Value, Local: local}
			}
		}
	}
	// MS-WSMV 4.10 itself shows a subcode whose prefix is bound nowhere.
	return QName{Space: customary[prefix], Local: local}
}

// customary holds the prefixes that WinRM and the specifications use, for names
// whose prefix a message forgets to bind.
var customary = map[string]string{
	"s": nsSOAP, "a": nsAddressing, "wsa": nsAddressing, "w": nsWSMan, "wsman": nsWSMan,
	"n": nsEnumeration, "wsen": nsEnumeration, "x": nsTransfer, "wxf": nsTransfer, "e": nsEventing, "wse": nsEventing,
}

// toUTF8 converts a document in UTF-16, which MS-WSMV allows, and drops a byte
// order mark.
func toUTF8(document []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(document, []byte{0xEF, 0xBB, 0xBF}):
		return document[3:], nil
	case bytes.HasPrefix(document, []byte{0xFF, 0xFE}):
		return fromUTF16(document[2:], binary.LittleEndian)
	case bytes.HasPrefix(document, []byte{0xFE, 0xFF}):
		return fromUTF16(document[2:], binary.BigEndian)
	case bytes.HasPrefix(document, []byte{'<', 0}):
		return fromUTF16(document, binary.LittleEndian)
	case bytes.HasPrefix(document, []byte{0, '<'}):
		return fromUTF16(document, binary.BigEndian)
	}
	return document, nil
}

func fromUTF16(b []byte, order binary.ByteOrder) ([]byte, error) {
	if len(b)%2 != 0 {
		return nil, errors.New("UTF-16 text of an odd number of bytes")
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	return []byte(string(utf16.Decode(units))), nil
}
