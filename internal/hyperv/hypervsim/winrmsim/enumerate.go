package winrmsim

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// enumerations are the open enumerations of a host by context.
type enumerations struct {
	mu   sync.Mutex
	open map[string]*enumeration
}

// enumeration is what is still to be pulled.
type enumeration struct {
	user   string
	items  []string // markup
	limits limits   // that a Pull must repeat
	used   time.Time
}

// limits are those that the client has set for all answers of an enumeration.
type limits struct {
	envelope    string
	maxElements int // 0: not given with the Enumerate
}

// put keeps an enumeration under a new context: it changes with every answer.
func (s *enumerations) put(e *enumeration, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]*enumeration{}
	}
	id := newUUID()
	e.used = now
	s.open[id] = e
	return id
}

// restore puts an enumeration back under the context that it had.
func (s *enumerations) restore(id string, e *enumeration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[id] = e
}

// take removes an enumeration; one that lay idle too long is gone, and one of
// another user does not exist.
func (s *enumerations) take(id, user string, now time.Time, idle time.Duration) *enumeration {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.open[id]
	if e == nil || e.user != user {
		return nil
	}
	delete(s.open, id)
	if now.Sub(e.used) > idle {
		return nil
	}
	return e
}

// of counts the live enumerations of a user.
func (s *enumerations) of(user string, now time.Time, idle time.Duration) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for id, e := range s.open {
		switch {
		case now.Sub(e.used) > idle:
			delete(s.open, id)
		case e.user == user:
			n++
		}
	}
	return n
}

// OpenEnumerations counts the enumerations that were neither pulled to their end
// nor released nor have expired.
func (s *Server) OpenEnumerations() int {
	now := s.config.Clock()
	s.enumerations.mu.Lock()
	defer s.enumerations.mu.Unlock()
	n := 0
	for _, e := range s.enumerations.open {
		if now.Sub(e.used) <= s.config.EnumerationIdle {
			n++
		}
	}
	return n
}

// newUUID returns a random message or context identifier.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("uuid:%X-%X-%X-%X-%X", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// enumerateRequest is the body of an Enumerate.
type enumerateRequest struct {
	optimize    bool
	maxElements int
	mode        string // empty, EnumerateObjectAndEPR or EnumerateEPR
	dialect     string
	filter      *element
}

// readEnumerate checks the body of an Enumerate.
func readEnumerate(body *element) (r enumerateRequest, fail *wmi.Failure) {
	for _, c := range body.children {
		switch {
		case c.is(nsWSMan, "OptimizeEnumeration"):
			r.optimize = true
		case c.is(nsWSMan, "MaxElements"):
			n, err := strconv.ParseUint(c.trimmed(), 10, 31)
			if err != nil || n == 0 {
				return r, fault(codeSchemaValidation)
			}
			r.maxElements = int(n)
		case c.is(nsWSMan, "EnumerationMode"):
			if r.mode = c.trimmed(); r.mode != "EnumerateObjectAndEPR" && r.mode != "EnumerateEPR" {
				return r, fault(codeUnsupportedFeature)
			}
		// Hosts process both (MS-WSMV 3.1.4.1.13).
		case c.is(nsWSMan, "Filter"), c.is(nsEnumeration, "Filter"):
			r.filter = c
			r.dialect, _ = c.attribute("", "Dialect")
		case c.is(nsEnumeration, "Expires"), c.is(nsBinding, "PolymorphismMode"):
		default:
			return r, fault(codeSchemaValidation)
		}
	}
	return r, nil
}

// enumerate answers an Enumerate.
func (s *Server) enumerate(x *exchange) (*answer, *wmi.Failure) {
	r, fail := readEnumerate(x.envelope.body)
	if fail != nil {
		return nil, fail
	}
	if len(x.envelope.selectors) > 0 {
		return nil, pluginFault(codeEnumerateWithKeys)
	}
	objects, names, fail := s.find(x, r)
	if fail != nil {
		return nil, fail
	}
	e := &enumeration{user: x.user, limits: limits{x.envelope.limits, r.maxElements}}
	for _, o := range objects {
		e.items = append(e.items, item(x.envelope.target, o, names, r.mode))
	}
	return s.firstPage(x, r, e)
}

// firstPage is the answer to Enumerate: with OptimizeEnumeration it has items.
func (s *Server) firstPage(x *exchange, r enumerateRequest, e *enumeration) (*answer, *wmi.Failure) {
	a := &answer{action: actionEnumerate + "Response"}
	if !r.optimize || s.config.PlainEnumeration {
		a.body = "<n:EnumerateResponse><n:EnumerationContext>" + s.enumerations.put(e, x.now) +
			"</n:EnumerationContext></n:EnumerateResponse>"
		return a, nil
	}
	// Without MaxElements an optimized answer has one item (DSP0226 8.2.3).
	count := max(r.maxElements, 1)
	if s.config.SingleItemPage {
		count = 1
	}
	page, fail := s.page(x, e, count)
	if fail != nil {
		return nil, fail
	}
	w := &writer{}
	w.raw("<n:EnumerateResponse><n:EnumerationContext>")
	if len(e.items) > 0 {
		w.raw(s.enumerations.put(e, x.now))
	}
	w.raw("</n:EnumerationContext><w:Items>", page, "</w:Items>")
	if len(e.items) == 0 {
		w.raw("<w:EndOfSequence/>")
	}
	w.raw("</n:EnumerateResponse>")
	a.body = w.String()
	return a, nil
}

// envelopeReserve is room for everything in an answer that is not an item.
const envelopeReserve = 1200

// page takes as many items as are asked for and fit into the answer. If not even
// one fits, the enumeration fails.
func (s *Server) page(x *exchange, e *enumeration, count int) (string, *wmi.Failure) {
	count = min(count, s.config.MaxBatchItems, len(e.items))
	w := &writer{}
	n := 0
	for n < count && w.Len()+len(e.items[n])+envelopeReserve <= x.envelope.maxSize {
		w.raw(e.items[n])
		n++
	}
	if n == 0 && count > 0 {
		return "", tooLarge(x.envelope)
	}
	e.items = e.items[n:]
	return w.String(), nil
}

// tooLarge is the fault for an answer that does not fit.
func tooLarge(e *envelope) *wmi.Failure {
	if e.ownLimit {
		return fault(codeEnvelopeExceeded)
	}
	return fault(codeServerEnvelopeLimit)
}

// item is the markup of one result.
func item(t target, o *wmi.Object, names []string, mode string) string {
	w := &writer{}
	if mode == "EnumerateEPR" || mode == "EnumerateObjectAndEPR" {
		w.raw("<a:EndpointReference>")
		w.endpoint(t, o.Path())
		w.raw("</a:EndpointReference>")
	}
	epr := w.String()
	var object string
	switch {
	case mode == "EnumerateEPR":
		return epr
	case names != nil:
		object = fragment(t, o, names)
	default:
		object = instance(t, o)
	}
	if mode == "EnumerateObjectAndEPR" {
		return "<w:Item>" + object + epr + "</w:Item>"
	}
	return object
}

// find carries out the filter. The names are those of a projection.
func (s *Server) find(x *exchange, r enumerateRequest) (objects []*wmi.Object, names []string, fail *wmi.Failure) {
	t := x.envelope.target
	switch {
	case r.filter == nil && t.class == "*":
		return nil, nil, pluginFault(codeCannotProcessFilter)
	case r.filter == nil:
		objects, fail = s.ask(x, t.class, nil)
		return objects, nil, fail
	case r.dialect == dialectSelector:
		where, fail := readSelectorFilter(r.filter)
		if fail != nil {
			return nil, nil, fail
		}
		if t.class == "*" {
			return nil, nil, pluginFault(codeCannotProcessFilter)
		}
		objects, fail = s.ask(x, t.class, where)
		return objects, nil, fail
	case r.dialect == dialectWQL:
		return s.findByQuery(x, r.filter)
	}
	return nil, nil, fault(codeDialectUnavailable)
}

// readSelectorFilter reads a selector filter (MS-WSMV 3.1.4.1.13).
func readSelectorFilter(filter *element) ([]wmi.KeyValue, *wmi.Failure) {
	set := filter.child(nsWSMan, "SelectorSet")
	if set == nil || len(filter.children) != 1 {
		return nil, fault(codeCannotProcessFilter)
	}
	where, fail := readSelectors(set)
	if fail != nil {
		return nil, fault(codeCannotProcessFilter)
	}
	for _, kv := range where {
		if strings.ContainsAny(kv.Value, `'"`) {
			return nil, fault(codeCannotProcessFilter)
		}
	}
	return where, nil
}

// findByQuery carries out a WQL query.
func (s *Server) findByQuery(x *exchange, filter *element) (objects []*wmi.Object, names []string, fail *wmi.Failure) {
	if x.envelope.target.class != "*" {
		return nil, nil, pluginFault(codeQueryNeedsStar)
	}
	q, ok := parseQuery(filter.text)
	if !ok || len(filter.children) > 0 {
		x.nested = codeQueryInvalid
		return nil, nil, pluginFault(codeCannotProcessFilter)
	}
	var equalities []wmi.KeyValue
	if q.where != nil {
		equalities = q.where.equalities()
	}
	if objects, fail = s.ask(x, q.class, equalities); fail != nil {
		if fail.Code == wmi.CodeResourceNotFound {
			x.nested = reasonClassMissing
			fail = pluginFault(codeCannotProcessFilter)
		}
		return nil, nil, fail
	}
	kept, ok := q.keep(objects)
	if !ok {
		x.nested = codeQueryInvalid
		return nil, nil, pluginFault(codeCannotProcessFilter)
	}
	return kept, q.properties, nil
}

// keep returns the objects that the query selects; it is not ok if the query
// names a property that they do not have.
func (q query) keep(objects []*wmi.Object) ([]*wmi.Object, bool) {
	var kept []*wmi.Object
	for _, o := range objects {
		for _, name := range q.properties {
			if o.Property(name) == nil && !strings.HasPrefix(name, "__") {
				return nil, false
			}
		}
		holds := true
		if q.where != nil {
			var ok bool
			if holds, ok = q.where.holds(o); !ok {
				return nil, false
			}
		}
		if holds {
			kept = append(kept, o)
		}
	}
	return kept, true
}

// ask enumerates a class of the model.
func (s *Server) ask(x *exchange, class string, where []wmi.KeyValue) ([]*wmi.Object, *wmi.Failure) {
	t := x.envelope.target
	objects, fail := s.model.Enumerate(x.caller(), t.namespace, class, where)
	if s.isBlind(x) {
		return nil, fail
	}
	return objects, fail
}

// pullRequest is the body of a Pull.
type pullRequest struct {
	context     string
	maxElements int
}

func readPull(body *element) (r pullRequest, fail *wmi.Failure) {
	r.maxElements = 1
	for i, c := range body.children {
		switch {
		case i == 0 && c.is(nsEnumeration, "EnumerationContext"):
			r.context = c.trimmed()
		case c.is(nsEnumeration, "MaxElements"):
			n, err := strconv.ParseUint(c.trimmed(), 10, 31)
			if err != nil || n == 0 {
				return r, fault(codeSchemaValidation)
			}
			r.maxElements = int(n)
		case c.is(nsEnumeration, "MaxTime") && r.maxElements == 1, c.is(nsEnumeration, "MaxCharacters"):
		default:
			return r, fault(codeSchemaValidation)
		}
	}
	if r.context == "" {
		return r, fault(codeInvalidContext)
	}
	return r, nil
}

// pull answers a Pull: a page of items and a new context, or the end.
func (s *Server) pull(x *exchange) (*answer, *wmi.Failure) {
	r, fail := readPull(x.envelope.body)
	if fail != nil {
		return nil, fail
	}
	e := s.enumerations.take(r.context, x.user, x.now, s.config.EnumerationIdle)
	if e == nil {
		return nil, fault(codeInvalidContext)
	}
	if e.limits.envelope != x.envelope.limits || (e.limits.maxElements != 0 && e.limits.maxElements != r.maxElements) {
		s.enumerations.restore(r.context, e)
		return nil, fault(codePullParameters)
	}
	page, fail := s.page(x, e, r.maxElements)
	if fail != nil {
		return nil, fail
	}
	w := &writer{}
	w.raw("<n:PullResponse>")
	if len(e.items) > 0 {
		w.element("n:EnumerationContext", s.enumerations.put(e, x.now))
	}
	w.raw("<n:Items>", page, "</n:Items>")
	if len(e.items) == 0 {
		w.raw("<n:EndOfSequence/>")
	}
	w.raw("</n:PullResponse>")
	return &answer{action: actionPull + "Response", body: w.String()}, nil
}

// release answers a Release.
func (s *Server) release(x *exchange) (*answer, *wmi.Failure) {
	id := x.envelope.body.child(nsEnumeration, "EnumerationContext")
	if id == nil || s.enumerations.take(id.trimmed(), x.user, x.now, s.config.EnumerationIdle) == nil {
		return nil, fault(codeInvalidContext)
	}
	return &answer{action: actionRelease + "Response"}, nil
}
