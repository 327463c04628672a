package wsman

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/masterzen/simplexml/dom"
)

// builder adds elements to a document. The document library writes names,
// values and namespaces as they are given, so everything passes through here
// to be checked and escaped; the first error is kept.
type builder struct {
	err error
}

// element adds an element without content to parent, which may be nil.
func (b *builder) element(parent *dom.Element, ns dom.Namespace, name string) *dom.Element {
	if !isName(name) {
		b.fail(fmt.Errorf("%q cannot be the name of an XML element", name))
		name = "invalid"
	}
	e := dom.CreateElement(name)
	if parent != nil {
		parent.AddChild(e)
	}
	e.SetNamespace(ns.Prefix, b.escape(ns.Uri))
	return e
}

// text adds an element that holds value to parent.
func (b *builder) text(parent *dom.Element, ns dom.Namespace, name, value string) *dom.Element {
	e := b.element(parent, ns, name)
	e.SetContent(b.escape(value))
	return e
}

// attribute gives e an attribute; its name carries its prefix.
func (b *builder) attribute(e *dom.Element, name, value string) {
	e.SetAttr(name, b.escape(value))
}

// escaper writes text so that any XML parser reads back the same characters,
// including white space, which parsers normalise in attributes and at line
// ends.
var escaper = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;",
	"\r", "&#xD;", "\n", "&#xA;", "\t", "&#x9;",
)

func (b *builder) escape(s string) string {
	if !utf8.ValidString(s) {
		b.fail(fmt.Errorf("%q is not UTF-8", s))
		return ""
	}
	for _, r := range s {
		if !isXMLChar(r) {
			b.fail(fmt.Errorf("%q holds character %U, which XML cannot carry", s, r))
			return ""
		}
	}
	return escaper.Replace(s)
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// isXMLChar reports whether XML 1.0 can carry r, escaped or not.
func isXMLChar(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return true
	case r < 0x20, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return true
}

// isName reports whether s is a name as CIM has them, which is always an XML
// name too.
func isName(s string) bool {
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
		case i > 0 && r >= '0' && r <= '9':
		default:
			return false
		}
	}
	return s != ""
}
