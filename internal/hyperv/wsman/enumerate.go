package wsman

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"time"

	"github.com/masterzen/simplexml/dom"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

const (
	// maxBatch is MaxBatchItems of Windows; a host lowers it to its own
	// (MS-WSMV 3.1.4.1.16).
	maxBatch = 32000
	// maxEmptyPages bounds how often a host may answer a Pull with nothing.
	maxEmptyPages = 100
	// releaseTimeout is how long an abandoned enumeration may take to release.
	releaseTimeout = 10 * time.Second
	// releaseGrace is how long it may take once the caller has given up waiting.
	releaseGrace = 500 * time.Millisecond
)

// Enumeration asks for instances: of the class of ResourceURI, or by WQL of a
// namespace, whose ResourceURI ends in an asterisk.
type Enumeration struct {
	// ResourceURI is the resource URI of a class or of all classes of a
	// namespace.
	ResourceURI string
	// WQL is a query; empty for all instances of the class.
	WQL string
	// Selectors restrict the enumeration to instances with these values; they
	// cannot be combined with WQL. A host may ignore them.
	Selectors []cim.Selector
	// MaxElements bounds the number of instances in one page; the host decides
	// if it is zero.
	MaxElements int
}

// Enumerate yields the instances. It asks for the first page together with the
// enumeration, pulls more as they are wanted, and releases the enumeration when
// the loop ends early. An error is the last thing it yields. Pages from
// different nodes are an error: an enumeration belongs to one node.
func (c *Client) Enumerate(ctx context.Context, e Enumeration, options ...CallOption) iter.Seq2[*cim.Instance, error] {
	return func(yield func(*cim.Instance, error) bool) {
		if e.WQL != "" && len(e.Selectors) > 0 {
			yield(nil, errors.New("an enumeration has either a query or selectors"))
			return
		}
		p, err := c.enumerate(ctx, e, options)
		for empty := 0; ; {
			if err != nil {
				c.release(ctx, e, p, err)
				yield(nil, err)
				return
			}
			for _, item := range p.items {
				if !yield(decodeInstance(item), nil) {
					c.release(ctx, e, p, nil)
					return
				}
			}
			if p.last {
				return
			}
			if empty++; len(p.items) > 0 {
				empty = 0
			}
			if empty > maxEmptyPages {
				p, err = page{context: p.context}, malformed("one empty page after another")
				continue
			}
			p, err = c.pull(ctx, e, p, options)
		}
	}
}

// page is one batch of instances.
type page struct {
	context string // changes with every answer
	items   []*xmlNode
	last    bool
	node    string // from which it came, empty if unknown
}

func (c *Client) enumerate(ctx context.Context, e Enumeration, options []CallOption) (page, error) {
	r := e.request("enumerate", actionEnumerate, func(b *builder, body *dom.Element) {
		enumerate := b.element(body, enumerationNamespace, "Enumerate")
		b.element(enumerate, wsmanNamespace, "OptimizeEnumeration")
		b.text(enumerate, wsmanNamespace, "MaxElements", e.maxElements())
		e.filter(b, enumerate)
	})
	return c.page(ctx, r.with(options), page{}, Retryable, "EnumerateResponse")
}

// pull asks for the next page. A lost answer takes its page with it, so a Pull
// is repeated only if the host says that it returned nothing.
func (c *Client) pull(ctx context.Context, e Enumeration, before page, options []CallOption) (page, error) {
	r := e.request("pull", actionPull, func(b *builder, body *dom.Element) {
		pull := b.element(body, enumerationNamespace, "Pull")
		b.text(pull, enumerationNamespace, "EnumerationContext", before.context)
		b.text(pull, enumerationNamespace, "MaxElements", e.maxElements()) // as in Enumerate, or the host refuses
	})
	answered := func(err error) bool {
		var lost *ConnectionError
		return Retryable(err) && !errors.As(err, &lost)
	}
	p, err := c.page(ctx, r.with(options), page{context: before.context}, answered, "PullResponse")
	if err == nil && p.node != "" && before.node != "" && p.node != before.node {
		err = malformed("pages of one enumeration from " + before.node + " and " + p.node)
	}
	return p, err
}

// page asks for one page; p holds what is known of it before the answer.
func (c *Client) page(ctx context.Context, r request, p page, again func(error) bool, response string) (page, error) {
	if r.node == nil {
		r.node = new(string)
	}
	err := c.do(ctx, &call{request: r, again: again, decode: func(body *xmlNode) error { return p.decode(body, response) }})
	p.node = *r.node
	return p, err
}

// release releases an enumeration that was not read to its end: it counts
// against the operations that a user may have at once. Its own failure does not
// matter, the host drops the enumeration after a while.
func (c *Client) release(ctx context.Context, e Enumeration, p page, cause error) {
	var fault *Fault
	if p.last || p.context == "" || errors.As(cause, &fault) && fault.Has(codeInvalidEnumeration) {
		return
	}
	timeout := releaseTimeout
	if ctx.Err() != nil {
		timeout = releaseGrace
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	r := e.request("release", actionRelease, func(b *builder, body *dom.Element) {
		release := b.element(body, enumerationNamespace, "Release")
		b.text(release, enumerationNamespace, "EnumerationContext", p.context)
	})
	_ = c.do(ctx, &call{request: r, decode: func(*xmlNode) error { return nil }})
}

func (e Enumeration) request(op, action string, body func(b *builder, body *dom.Element)) request {
	return request{op: op, reference: cim.Reference{ResourceURI: e.ResourceURI}, action: action, body: body}
}

func (e Enumeration) maxElements() string {
	if e.MaxElements > 0 {
		return strconv.Itoa(e.MaxElements)
	}
	return strconv.Itoa(maxBatch)
}

// filter writes the filter, in the namespace of DSP0226: servers other than
// Windows know no other.
func (e Enumeration) filter(b *builder, parent *dom.Element) {
	switch {
	case e.WQL != "":
		b.attribute(b.text(parent, wsmanNamespace, "Filter", e.WQL), "Dialect", dialectWQL)
	case len(e.Selectors) > 0:
		f := b.element(parent, wsmanNamespace, "Filter")
		b.attribute(f, "Dialect", dialectSelectors)
		b.selectorSet(f, e.Selectors)
	}
}

// decode reads a page. Items and EndOfSequence come in either namespace; the
// end is the end whatever the context says.
func (p *page) decode(body *xmlNode, response string) error {
	e := body.child(response, nsEnumeration)
	if e == nil {
		return malformed("no " + response)
	}
	if next := e.child("EnumerationContext", nsEnumeration).value(); next != "" {
		p.context = next
	}
	p.last = e.child("EndOfSequence", nsEnumeration, nsWSMan) != nil
	if items := e.child("Items", nsEnumeration, nsWSMan); items != nil {
		p.items = items.children
	}
	if !p.last && p.context == "" {
		return malformed("an enumeration that neither ends nor goes on")
	}
	return nil
}
