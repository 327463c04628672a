package replay

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the kind of a difference.
type Kind string

// The kinds of differences.
const (
	Missing   Kind = "missing"   // recorded, and not in the answer of the simulated host
	Extra     Kind = "extra"     // the other way round
	Order     Kind = "order"     // the same elements in another order
	Namespace Kind = "namespace" // of an element
	Attribute Kind = "attribute" // xsi:nil and codes of faults among them
	Value     Kind = "value"
	Form      Kind = "form" // of a time, or of a text that was masked
	Status    Kind = "HTTP status"
	Unread    Kind = "unread" // an answer that one host gave, or that is no XML
)

// Difference is one spot at which the simulated host answers differently.
type Difference struct {
	// Exchange is the number of the recording.
	Exchange int
	// Subject is what was asked, by class and method.
	Subject string
	// Path leads to the spot in the answer.
	Path                string
	Kind                Kind
	Recorded, Simulated string
}

// Reason is the reason why a spot is not compared as it stands.
type Reason string

// The reasons.
const (
	ReasonIdentifier Reason = "identifiers differ from run to run; compared is whether equal ones are equal"
	ReasonMasked     Reason = "texts that the recording hides; compared is whether equal ones are equal"
	ReasonTime       Reason = "times; compared are their form and whether they are within a minute"
	ReasonMoment     Reason = "what a job says of itself while it runs depends on the moment; compared is whether it runs"
	ReasonState      Reason = "the state of the host, which the simulated one was given from this very answer"
	ReasonForeign    Reason = "jobs that no recorded request started"
	ReasonNoJob      Reason = "jobs that only one of the hosts needed, which is a difference where they were started"
	ReasonHandshake  Reason = "logons; the replay makes its own"
)

// Uncompared is a spot that is compared in part only.
type Uncompared struct {
	Exchange int
	Path     string
	Reason   Reason
}

// comparison compares the answers of one exchange.
type comparison struct {
	exchange int
	subject  string
	names    *names
	moment   bool // below an instance of a job that runs, on both hosts

	differences []Difference
	uncompared  []Uncompared
}

func (c *comparison) differ(path string, kind Kind, recorded, simulated string) {
	c.differences = append(c.differences, Difference{c.exchange, c.subject, path, kind, recorded, simulated})
}

func (c *comparison) skip(path string, reason Reason) {
	c.uncompared = append(c.uncompared, Uncompared{c.exchange, path, reason})
}

// give notes the spots of an answer that show state which the simulated host was given.
func (c *comparison) give(path string, n *node, taken []string) {
	for _, name := range taken {
		if n.name == name || n.name == "PROPERTY["+name+"]" {
			c.skip(path, ReasonState)
		}
	}
	for key, child := range keyed(n.children).of {
		c.give(path+"/"+key, child, taken)
	}
}

func readable(err error) string {
	if err == nil {
		return "an envelope"
	}
	return "no envelope"
}

// nodes compares an element with its counterpart.
func (c *comparison) nodes(path string, a, b *node) {
	if a.space != b.space {
		c.differ(path, Namespace, a.space, b.space)
	}
	c.attributes(path, a, b)
	if a.text != "" || b.text != "" {
		c.value(path, a.text, b.text)
	}
	was := c.moment
	c.moment = was || isRunningJob(a) && isRunningJob(b)
	c.childrenOf(path, a, b)
	c.moment = was
}

func (c *comparison) attributes(path string, a, b *node) {
	keys := slices.Sorted(maps.Keys(a.attrs))
	for key := range b.attrs {
		if _, ok := a.attrs[key]; !ok {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		have, inA := a.attrs[key]
		want, inB := b.attrs[key]
		switch {
		case !inB:
			c.differ(path+"/@"+key, Attribute, have, "")
		case !inA:
			c.differ(path+"/@"+key, Attribute, "", want)
		default:
			c.value(path+"/@"+key, have, want)
		}
	}
}

// childrenOf pairs the children by name and number.
func (c *comparison) childrenOf(path string, a, b *node) {
	as, bs := keyed(a.children), keyed(b.children)
	var inBoth, ofB []string
	for _, k := range as.order {
		if _, ok := bs.of[k]; !ok {
			c.differ(path+"/"+k, Missing, brief(as.of[k]), "")
			continue
		}
		inBoth = append(inBoth, k)
	}
	for _, k := range bs.order {
		if _, ok := as.of[k]; !ok {
			c.differ(path+"/"+k, Extra, "", brief(bs.of[k]))
			continue
		}
		ofB = append(ofB, k)
	}
	if !slices.Equal(inBoth, ofB) {
		c.differ(path, Order, strings.Join(inBoth, ", "), strings.Join(ofB, ", "))
	}
	for _, k := range inBoth {
		c.nodes(path+"/"+k, as.of[k], bs.of[k])
	}
}

// children are nodes by name, numbered where a name stands more than once.
type children struct {
	order []string
	of    map[string]*node
}

func keyed(nodes []*node) children {
	c := children{of: map[string]*node{}}
	counts := map[string]int{}
	for _, n := range nodes {
		counts[n.name]++
		key := n.name
		if counts[n.name] > 1 {
			key = fmt.Sprintf("%s#%d", n.name, counts[n.name])
		}
		c.order = append(c.order, key)
		c.of[key] = n
	}
	return c
}

// brief describes a node in a few words.
func brief(n *node) string {
	switch {
	case n.attrs["nil"] == "true":
		return "nil"
	case len(n.children) > 0:
		return "with elements in it"
	case n.text == "":
		return "empty"
	}
	return n.text
}
