package winrmsim

import (
	"strconv"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// envelope is a request that passed the checks which need no class.
type envelope struct {
	operation Operation
	target    target
	action    string
	method    string // of an invoke
	messageID string
	selectors []wmi.KeyValue // without __cimnamespace
	maxSize   int            // bytes that the answer may have
	ownLimit  bool           // maxSize is the client's own
	limits    string         // the limits a Pull must repeat
	timeout   time.Duration
	body      *element // the one element in s:Body, nil if there is none
	wide      bool     // UTF-16
	bytes     int
}

// minEnvelopeSize is the smallest MaxEnvelopeSize that a host takes.
const minEnvelopeSize = 8192

// decoder checks requests as a host with these limits does.
type decoder struct {
	serverLimit int // MaxEnvelopeSizekb in bytes
	maxTimeout  time.Duration
}

// decode reads a request. When it refuses one, the envelope holds all that was
// read of it up to that point, so that the fault can relate to it.
func (d decoder) decode(body []byte, charset string) (*envelope, *wmi.Failure) {
	e := &envelope{maxSize: d.serverLimit, bytes: len(body)}
	text, wide, err := toUTF8(body, charset)
	if err != nil {
		return e, fault(codeUnsupportedEncoding)
	}
	e.wide = wide
	root, err := parseXML(text)
	if err != nil {
		// Unverified on a real host (malformed-xml-fault): which fault answers
		// XML that is not well-formed.
		return e, fault(codeInvalidXML)
	}
	if root.local == "Envelope" && root.space != nsSOAP {
		return e, fault(codeVersionMismatch)
	}
	if !root.is(nsSOAP, "Envelope") {
		return e, fault(codeSchemaValidation)
	}
	header, content, fail := split(root)
	if fail != nil {
		return e, fail
	}
	e.body = content
	if e.body != nil && e.body.is(nsIdentity, "Identify") {
		e.operation = OperationIdentify
		return e, nil
	}
	return e, d.headers(e, header)
}

// split takes header and body out of an envelope: in this order, once each, and
// at most one element in the body.
func split(root *element) (header, content *element, fail *wmi.Failure) {
	children := root.children
	if len(children) > 0 && children[0].is(nsSOAP, "Header") {
		header, children = children[0], children[1:]
	}
	if len(children) != 1 || !children[0].is(nsSOAP, "Body") || len(children[0].children) > 1 {
		return nil, nil, fault(codeInvalidBody)
	}
	if header == nil {
		header = &element{}
	}
	if len(children[0].children) == 1 {
		content = children[0].children[0]
	} else if children[0].trimmed() != "" {
		return nil, nil, fault(codeInvalidBody)
	}
	return header, content, nil
}

// headers checks the SOAP headers in the order in which their absence matters.
func (d decoder) headers(e *envelope, header *element) *wmi.Failure {
	found := map[string]*element{}
	if id := header.child(nsAddressing, "MessageID"); id != nil {
		e.messageID = id.trimmed()
	}
	for _, h := range header.children {
		if fail := find(h, found); fail != nil {
			return fail
		}
	}
	for _, check := range []func(*envelope, map[string]*element) *wmi.Failure{
		d.addressing, d.resource, d.selectors, d.limits, d.timing, d.operation,
	} {
		if fail := check(e, found); fail != nil {
			return fail
		}
	}
	return nil
}

// find adds a header to those that were found, unless the host does not know it.
func find(h *element, found map[string]*element) *wmi.Failure {
	name, known := knownHeader(h)
	switch {
	case !known && mustUnderstand(h):
		return fault(codeMustUnderstand)
	case name == "Locale" && mustUnderstand(h):
		return fault(codeLocaleMustUnderstand)
	case known && found[name] != nil:
		return fault(codeInvalidHeader)
	case known:
		found[name] = h
	}
	return nil
}

// knownHeader names a header that the service understands.
func knownHeader(h *element) (string, bool) {
	switch h.space {
	case nsAddressing:
		switch h.local {
		case "To", "Action", "MessageID", "ReplyTo", "From", "FaultTo", "RelatesTo":
			return h.local, true
		}
	case nsWSMan:
		switch h.local {
		case "ResourceURI", "SelectorSet", "OptionSet", "OperationTimeout", "MaxEnvelopeSize", "Locale", "FragmentTransfer", "RequestEPR":
			return h.local, true
		}
	case nsMicrosoft:
		switch h.local {
		case "DataLocale", "SessionId", "OperationID", "SequenceId", "ActivityId", "CompressionType":
			return h.local, true
		}
	}
	return "", false
}

func mustUnderstand(h *element) bool {
	v, _ := h.attribute(nsSOAP, "mustUnderstand")
	return v == "true" || v == "1"
}

// addressing checks the headers of WS-Addressing (MS-WSMV 3.1.4.1.3 to .5).
func (d decoder) addressing(e *envelope, h map[string]*element) *wmi.Failure {
	for _, name := range []string{"To", "Action", "ReplyTo", "MessageID"} {
		if h[name] == nil {
			return fault(codeHeaderRequired)
		}
	}
	if e.messageID == "" || len(e.messageID) > 2048 {
		return fault(codeInvalidHeader)
	}
	address := h["ReplyTo"].child(nsAddressing, "Address")
	if address == nil {
		return fault(codeHeaderRequired)
	}
	if address.trimmed() != uriAnonymous {
		return fault(codeAddressingMode)
	}
	if h["To"].trimmed() == "" {
		return fault(codeInvalidHeader)
	}
	if e.action = h["Action"].trimmed(); e.action == "" {
		return fault(codeInvalidHeader)
	}
	return nil
}

// resource reads the resource URI; only WMI's are served.
func (d decoder) resource(e *envelope, h map[string]*element) *wmi.Failure {
	if h["ResourceURI"] == nil {
		return fault(codeInvalidResourceURI)
	}
	t, ok := parseTarget(h["ResourceURI"].trimmed())
	if !ok {
		return fault(codeInvalidResourceURI)
	}
	e.target = t
	return nil
}

// selectors reads the selector set. Names are compared without letter case, and
// none may occur twice (MS-WSMV 3.1.4.1.2).
func (d decoder) selectors(e *envelope, h map[string]*element) *wmi.Failure {
	set := h["SelectorSet"]
	if set == nil {
		return nil
	}
	all, fail := readSelectors(set)
	if fail != nil {
		return fail
	}
	for _, s := range all {
		if !strings.EqualFold(s.Name, selectorNamespace) {
			e.selectors = append(e.selectors, s)
			continue
		}
		namespace := strings.ToLower(strings.ReplaceAll(s.Value, "/", `\`))
		if !e.target.dmtf && namespace != e.target.namespace {
			return &wmi.Failure{Code: codeInternal, Subcode: "w:InternalError"}
		}
		e.target.namespace = namespace
	}
	return nil
}

func readSelectors(set *element) ([]wmi.KeyValue, *wmi.Failure) {
	var all []wmi.KeyValue
	for _, s := range set.children {
		name, ok := s.attribute("", "Name")
		if !s.is(nsWSMan, "Selector") || !ok || name == "" || len(s.children) > 0 {
			return nil, fault(codeInvalidSelectors)
		}
		for _, other := range all {
			if strings.EqualFold(other.Name, name) {
				return nil, fault(codeDuplicateSelectors)
			}
		}
		all = append(all, wmi.Key(name, s.text))
	}
	return all, nil
}

// limits reads MaxEnvelopeSize (MS-WSMV 3.1.4.1.7).
func (d decoder) limits(e *envelope, h map[string]*element) *wmi.Failure {
	size := h["MaxEnvelopeSize"]
	if size == nil {
		return nil
	}
	n, err := strconv.ParseUint(size.trimmed(), 10, 32)
	if err != nil {
		return fault(codeSchemaValidation)
	}
	if n < minEnvelopeSize {
		return fault(codeMinEnvelopeSize)
	}
	e.limits = size.trimmed()
	if int(n) < d.serverLimit {
		e.maxSize, e.ownLimit = int(n), true
	}
	return nil
}

// minTimeout is the shortest operation timeout that the service takes.
const minTimeout = 500 * time.Millisecond

// timing reads OperationTimeout (MS-WSMV 3.1.4.1.6).
func (d decoder) timing(e *envelope, h map[string]*element) *wmi.Failure {
	e.timeout = d.maxTimeout
	if h["OperationTimeout"] == nil {
		return nil
	}
	t, ok := parseDuration(h["OperationTimeout"].trimmed())
	if !ok {
		// Unverified on a real host (malformed-duration-fault): which fault
		// answers a malformed duration.
		return fault(codeSchemaValidation)
	}
	if t < minTimeout {
		return fault(codeUnsupportedTimeout)
	}
	e.timeout = min(t, d.maxTimeout)
	return nil
}

// operation finds out what the request asks for. An action of neither
// WS-Transfer nor WS-Enumeration must be the class URI and a method name.
func (d decoder) operation(e *envelope, h map[string]*element) *wmi.Failure {
	switch e.action {
	case actionGet:
		e.operation = OperationGet
	case actionEnumerate:
		e.operation = OperationEnumerate
	case actionPull:
		e.operation = OperationPull
	case actionRelease:
		e.operation = OperationRelease
	default:
		class, method, ok := cutLast(e.action, "/")
		if !ok || method == "" || !strings.EqualFold(class, e.target.uri) {
			return fault(codeActionNotSupported)
		}
		e.operation, e.method = OperationInvoke, method
	}
	if h["FragmentTransfer"] != nil {
		// Hosts support it; nothing here needs it.
		return &wmi.Failure{Code: codeUnsupportedFeature, Subcode: "w:UnsupportedFeature", Sender: true, Detail: "FragmentLevelAccess"}
	}
	return e.checkBody()
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
