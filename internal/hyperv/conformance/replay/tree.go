package replay

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// node is an element of an envelope or of an instance that is embedded in one.
type node struct {
	// name is the local name, with the attribute that tells siblings apart.
	name  string
	space string
	// attrs are the attributes, without declarations of namespaces; names that are
	// values have their namespace written out.
	attrs map[string]string
	// text is without white space around it.
	text     string
	children []*node
}

var (
	// qualified matches a text that may be a name with a prefix.
	qualified = regexp.MustCompile(`^([a-z][a-z0-9]*):([A-Za-z]\w*)$`)
	errEmpty  = errors.New("no element")
)

// scope holds the prefixes that are declared, the innermost last.
type scope []map[string]string

func (s scope) resolve(prefix string) (string, bool) {
	for _, declared := range slices.Backward(s) {
		if uri, ok := declared[prefix]; ok {
			return uri, true
		}
	}
	return "", false
}

// value writes the namespace of a name out, so that prefixes do not matter.
func (s scope) value(text string) string {
	text = strings.TrimSpace(text)
	m := qualified.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	if uri, ok := s.resolve(m[1]); ok {
		return "{" + uri + "}" + m[2]
	}
	return text
}

// parse reads an envelope, with the instances that are texts in it.
func parse(text string) (*node, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	root := &node{}
	open, declared := []*node{root}, scope{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		top := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			declared = append(declared, declarations(t.Attr))
			n := element(t, declared)
			top.children = append(top.children, n)
			open = append(open, n)
		case xml.EndElement:
			if err := top.close(declared); err != nil {
				return nil, err
			}
			open, declared = open[:len(open)-1], declared[:len(declared)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.children) != 1 {
		return nil, errEmpty
	}
	return root.children[0], nil
}

func declarations(attrs []xml.Attr) map[string]string {
	found := map[string]string{}
	for _, a := range attrs {
		if a.Name.Space == "xmlns" {
			found[a.Name.Local] = a.Value
		}
	}
	return found
}

// element makes a node of its start tag.
func element(t xml.StartElement, declared scope) *node {
	n := &node{name: t.Name.Local, space: t.Name.Space, attrs: map[string]string{}}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns" || a.Name.Local == "xmlns":
			continue
		case a.Name.Space == "" && (a.Name.Local == "Name" || a.Name.Local == "NAME"):
			n.name = fmt.Sprintf("%s[%s]", t.Name.Local, a.Value)
		}
		n.attrs[a.Name.Local] = declared.value(a.Value)
	}
	return n
}

// close ends a node: its text is complete.
func (n *node) close(declared scope) error {
	n.text = declared.value(n.text)
	if !strings.HasPrefix(n.text, "<INSTANCE") {
		return nil
	}
	instance, err := parse(n.text)
	if err != nil {
		return fmt.Errorf("an embedded instance: %w", err)
	}
	n.text, n.children = "", append(n.children, instance)
	return nil
}

// find returns the first node of a local name at or below n.
func (n *node) find(name string) *node {
	if n == nil || n.name == name {
		return n
	}
	for _, c := range n.children {
		if found := c.find(name); found != nil {
			return found
		}
	}
	return nil
}

// all calls f for every node at or below n.
func (n *node) all(f func(*node)) {
	if n == nil {
		return
	}
	f(n)
	for _, c := range n.children {
		c.all(f)
	}
}

// value returns the text of a node that may be missing. A date and an interval have an element of
// their own around the text.
func (n *node) value() string {
	if n == nil {
		return ""
	}
	if n.text == "" && len(n.children) == 1 {
		return n.children[0].text
	}
	return n.text
}

// property returns a property of an instance, in the form of WS-Management or
// of CIM-XML.
func (n *node) property(name string) *node {
	if p := n.find(name); p != nil {
		return p
	}
	return n.find("PROPERTY[" + name + "]").find("VALUE")
}
