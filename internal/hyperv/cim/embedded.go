package cim

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of an embedded instance. A real one has some kilobytes and five levels.
const (
	maxEmbeddedBytes = 1 << 20
	maxEmbeddedDepth = 32
)

var errNoInstance = errors.New("embedded instance: no INSTANCE element")

// DecodeEmbedded reads an instance in CIM-XML (DSP0201), the form in which the
// methods of Hyper-V return instances as strings. A property without VALUE is
// null, an empty VALUE is the empty string. Unknown elements are skipped.
func DecodeEmbedded(text string) (*Instance, error) {
	if len(text) > maxEmbeddedBytes {
		return nil, fmt.Errorf("embedded instance: larger than %d bytes", maxEmbeddedBytes)
	}
	d := embeddedDecoder{xml: xml.NewDecoder(strings.NewReader(text))}
	// The text came as a string of an envelope: whatever encoding its
	// declaration names, it has been decoded already.
	d.xml.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		start, err := d.next()
		if errors.Is(err, io.EOF) {
			return nil, errNoInstance
		}
		if err != nil {
			return nil, fmt.Errorf("embedded instance: %w", err)
		}
		if start.Name.Local != "INSTANCE" {
			continue // a wrapper such as CIM/DECLARATION/VALUE.OBJECT
		}
		i, err := d.instance(start)
		if err != nil {
			return nil, fmt.Errorf("embedded instance: %w", err)
		}
		return i, nil
	}
}

// embeddedDecoder walks through the elements and keeps count of the depth.
type embeddedDecoder struct {
	xml   *xml.Decoder
	depth int
}

// token returns the next start or end of an element, or text.
func (d *embeddedDecoder) token() (xml.Token, error) {
	for {
		t, err := d.xml.Token()
		if err != nil {
			return nil, err
		}
		switch t.(type) {
		case xml.StartElement:
			if d.depth++; d.depth > maxEmbeddedDepth {
				return nil, fmt.Errorf("nested deeper than %d", maxEmbeddedDepth)
			}
			return t, nil
		case xml.EndElement:
			d.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		case xml.Directive:
			return nil, errors.New("a document type is not allowed")
		}
	}
}

// next returns the next start of an element, at any level.
func (d *embeddedDecoder) next() (xml.StartElement, error) {
	for {
		t, err := d.token()
		if err != nil {
			return xml.StartElement{}, err
		}
		if start, ok := t.(xml.StartElement); ok {
			return start, nil
		}
	}
}

// children calls f for every child of the element just opened; f must consume
// the child whole. Text between children is dropped.
func (d *embeddedDecoder) children(f func(xml.StartElement) error) error {
	for {
		t, err := d.token()
		if err != nil {
			return unexpectedEnd(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := f(t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

func (d *embeddedDecoder) skip(xml.StartElement) error { return d.children(d.skip) }

// text reads the text of the element just opened.
func (d *embeddedDecoder) text() (string, error) {
	var b strings.Builder
	for {
		t, err := d.token()
		if err != nil {
			return "", unexpectedEnd(err)
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.StartElement:
			if err := d.skip(t); err != nil {
				return "", err
			}
		case xml.EndElement:
			return b.String(), nil
		}
	}
}

func (d *embeddedDecoder) instance(start xml.StartElement) (*Instance, error) {
	i := NewInstance(attribute(start, "CLASSNAME"))
	err := d.children(func(child xml.StartElement) error {
		array := child.Name.Local == "PROPERTY.ARRAY"
		if !array && child.Name.Local != "PROPERTY" {
			return d.skip(child)
		}
		v, err := d.property(array)
		if name := attribute(child, "NAME"); err == nil && name != "" {
			i.Set(name, v)
		}
		return err
	})
	return i, err
}

// property reads the value of the PROPERTY or PROPERTY.ARRAY just opened.
func (d *embeddedDecoder) property(array bool) (Value, error) {
	var v Value
	err := d.children(func(child xml.StartElement) error {
		switch {
		case !array && child.Name.Local == "VALUE":
			s, err := d.text()
			v = Text(s)
			return err
		case array && child.Name.Local == "VALUE.ARRAY":
			elements, err := d.array()
			v = Texts(elements...)
			return err
		}
		return d.skip(child)
	})
	return v, err
}

// array reads the elements of the VALUE.ARRAY just opened; null ones are left out.
func (d *embeddedDecoder) array() ([]string, error) {
	var elements []string
	err := d.children(func(child xml.StartElement) error {
		if child.Name.Local != "VALUE" {
			return d.skip(child)
		}
		s, err := d.text()
		elements = append(elements, s)
		return err
	})
	return elements, err
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
