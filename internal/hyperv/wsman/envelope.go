package wsman

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/masterzen/simplexml/dom"
	"github.com/masterzen/winrm/soap"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// maxEnvelopeSize is the size in bytes that Windows Server 2012 and later
// accept by default; a host with a smaller limit uses its own (MS-WSMV
// 3.1.4.1.7).
const maxEnvelopeSize = 512000

// request is what one exchange asks for.
type request struct {
	op        string // for errors and the trace
	reference cim.Reference
	method    string // of an invocation
	action    string
	effectful bool    // it changes something on the host: send it once, whatever happens
	confirmed bool    // only over a confirmed connection, as are effectful requests
	bare      bool    // Identify: no header (MS-WSMV 3.1.4.1.23)
	node      *string // where the caller wants the name of the node; may be nil
	body      func(b *builder, body *dom.Element)
}

// envelope is a request in the form in which it is sent, once.
type envelope struct {
	message *soap.SoapMessage
	id      string
}

// envelope builds the message. Each one has its own message ID.
func (c *Client) envelope(r request) (envelope, error) {
	var b builder
	root := b.element(nil, soapNamespace, "Envelope")
	id := newMessageID()
	header := b.element(root, soapNamespace, "Header")
	if !r.bare {
		for _, ns := range []dom.Namespace{addressingNamespace, enumerationNamespace, wsmanNamespace, microsoftNamespace} {
			root.DeclareNamespace(ns)
		}
		c.header(&b, header, r, id)
	}
	body := b.element(root, soapNamespace, "Body")
	if r.body != nil {
		r.body(&b, body)
	}
	if b.err != nil {
		return envelope{}, b.err
	}
	m := soap.NewMessage()
	m.Doc().SetRoot(root)
	return envelope{message: m, id: id}, nil
}

// header writes the addressing and control headers in the order of Windows'
// own client. There is no OperationID: it would opt in to keep-alive messages
// and chunked answers (MS-WSMV 3.1.4.1.39).
func (c *Client) header(b *builder, header *dom.Element, r request, id string) {
	understood := func(e *dom.Element, must bool) { b.attribute(e, "s:mustUnderstand", strconv.FormatBool(must)) }

	b.text(header, addressingNamespace, "To", c.session.wire.url)
	understood(b.text(header, wsmanNamespace, "ResourceURI", r.reference.ResourceURI), true)
	replyTo := b.element(header, addressingNamespace, "ReplyTo")
	understood(b.text(replyTo, addressingNamespace, "Address", anonymous), true)
	understood(b.text(header, addressingNamespace, "Action", r.action), true)
	understood(b.text(header, wsmanNamespace, "MaxEnvelopeSize", strconv.Itoa(maxEnvelopeSize)), true)
	b.text(header, addressingNamespace, "MessageID", id)
	for _, ns := range []struct {
		dom.Namespace
		name string
	}{{wsmanNamespace, "Locale"}, {microsoftNamespace, "DataLocale"}} {
		e := b.element(header, ns.Namespace, ns.name)
		b.attribute(e, "xml:lang", c.locale)
		understood(e, false) // true is answered with UnsupportedFeature/Locale (MS-WSMV 3.1.4.1.8)
	}
	b.selectorSet(header, r.reference.Selectors)
	b.text(header, wsmanNamespace, "OperationTimeout", duration(c.requestTimeout))
}

// selectorSet adds the selectors to parent, if there are any.
func (b *builder) selectorSet(parent *dom.Element, selectors []cim.Selector) {
	if len(selectors) == 0 {
		return
	}
	set := b.element(parent, wsmanNamespace, "SelectorSet")
	for _, s := range selectors {
		b.attribute(b.text(set, wsmanNamespace, "Selector", s.Value), "Name", s.Name)
	}
}

// duration is the xs:duration form that Windows sends.
func duration(d time.Duration) string {
	return fmt.Sprintf("PT%d.%03dS", d/time.Second, d%time.Second/time.Millisecond)
}

// newMessageID returns a random UUID (RFC 9562, version 4) in the form that
// Windows sends.
func newMessageID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // never fails
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return "uuid:" + strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]))
}
