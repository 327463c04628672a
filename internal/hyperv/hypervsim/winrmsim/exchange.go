package winrmsim

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/wmi"
)

// exchange is one HTTP request on its way through the host.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	c         *connection
	body      []byte
	charset   string
	sealed    bool
	user      string
	asked     time.Time // when the request came
	now       time.Time // when the work begins
	envelope  *envelope
	recorded  *Request
	effect    Effect
	nested    uint32 // code whose text goes into the nested fault
	faultCode uint32
}

// caller returns the sender of the request as the model sees it.
func (x *exchange) caller() wmi.Caller {
	return wmi.Caller{User: x.user, Client: x.c.client, Asked: x.asked}
}

// serveHTTP carries out one exchange.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connectionKey{}).(*connection)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	s.record.count(&s.record.exchanges)
	w.Header().Set("Server", "Microsoft-HTTPAPI/2.0")
	x := &exchange{w: w, r: r, c: c, now: s.config.Clock()}
	x.asked = x.now
	if status := s.receive(x); status != 0 {
		s.log.Warn("refused", "status", status, "method", r.Method, "path", r.URL.Path)
		w.WriteHeader(status)
		return
	}
	if isUnauthenticatedIdentify(r) {
		s.identify(x, false)
		return
	}
	if len(x.body) == 0 && s.handshakeRule(x) {
		return
	}
	if !s.authenticate(x) {
		return
	}
	if len(x.body) == 0 { // the context is established, the message comes next
		w.WriteHeader(http.StatusOK)
		return
	}
	if status := s.open(x); status != 0 {
		s.log.Warn("refused", "status", status, "content type", r.Header.Get("Content-Type"))
		w.WriteHeader(status)
		return
	}
	s.process(x)
}

// sealOverhead is how much larger than its message a sealed body may be.
const sealOverhead = 4096

// receive checks what HTTP says about the request and reads it. It returns the
// status to refuse it with.
func (s *Server) receive(x *exchange) int {
	switch {
	case !strings.EqualFold(strings.TrimSuffix(x.r.URL.Path, "/"), "/wsman"):
		return http.StatusNotFound
	case x.r.Method != http.MethodPost:
		x.w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	case x.r.ContentLength < 0:
		// Unverified on a real host (chunked-request): shells refuse chunked
		// requests (MS-WSMV 3.1.4.1.31.8); that WMI does too, and with this
		// status, is assumed.
		return http.StatusLengthRequired
	case x.r.ContentLength > int64(s.config.MaxEnvelopeKB<<10+sealOverhead):
		return http.StatusRequestEntityTooLarge
	}
	var err error
	if x.body, err = io.ReadAll(x.r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	return 0
}

// open takes the message out of the body: sealed, or plain where that is allowed.
func (s *Server) open(x *exchange) int {
	mediaType, parameters, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil {
		return http.StatusUnsupportedMediaType
	}
	switch mediaType {
	case "application/soap+xml":
		// MS-WSMV 3.1.4.1.29.1: neither request nor answer may be in the clear.
		if s.tls == nil && !s.config.AllowUnencrypted {
			return http.StatusInternalServerError
		}
		x.charset = parameters["charset"]
	case "multipart/encrypted":
		if x.c.context == nil || parameters["protocol"] != sealProtocol(x.c.scheme) {
			return http.StatusUnsupportedMediaType
		}
		if status := x.unseal(); status != 0 {
			return status
		}
	default:
		return http.StatusUnsupportedMediaType
	}
	if len(x.body) > s.config.MaxEnvelopeKB<<10 {
		return http.StatusRequestEntityTooLarge
	}
	return 0
}

// unseal opens a sealed body.
func (x *exchange) unseal() int {
	part, err := decodeSealed(x.body, sealProtocol(x.c.scheme))
	if err != nil {
		return http.StatusBadRequest
	}
	plain, err := x.c.context.unwrap(part.signature, part.data)
	if err != nil || len(plain) != part.length {
		return http.StatusBadRequest
	}
	x.body, x.charset, x.sealed = plain, part.charset, true
	return 0
}

// process decodes the request, does the work and answers.
func (s *Server) process(x *exchange) {
	d := decoder{serverLimit: s.config.MaxEnvelopeKB << 10, maxTimeout: time.Minute}
	e, fail := d.decode(x.body, x.charset)
	x.envelope = e
	if fail == nil && e.operation == OperationIdentify {
		s.identify(x, true)
		return
	}
	x.recorded = s.record.add(x.request())
	x.effect = s.rules.apply(x.request())
	if fail == nil {
		s.delayWork(x)
	}
	if s.interrupt(x) {
		return
	}
	var a *answer
	if fail == nil {
		a, fail = s.admit(x)
	}
	if fail != nil {
		s.log.Warn("fault", "operation", e.operation, "class", e.target.class, "method", e.method, "code", fail.Code)
	}
	a, fail = x.replaceAnswer(a, fail)
	s.reply(x, a, fail)
}

// request returns the form of the exchange that is recorded and that rules are
// matched against.
func (x *exchange) request() Request {
	e := x.envelope
	q := Request{
		Time: x.now, Operation: e.operation, Action: e.action, MessageID: e.messageID,
		Namespace: e.target.namespace, Class: e.target.class, Method: e.method,
		User: x.user, Client: x.c.client, Sealed: x.sealed, Connection: x.c.number,
	}
	for _, s := range e.selectors {
		q.Selectors = append(q.Selectors, Parameter{s.Name, s.Value})
	}
	if e.body == nil {
		return q
	}
	switch e.operation {
	case OperationInvoke:
		for _, c := range e.body.children {
			if !isSecret(c.local) {
				q.Parameters = append(q.Parameters, Parameter{c.local, c.text})
			}
		}
	case OperationEnumerate:
		for _, c := range e.body.children {
			if c.local == "Filter" {
				q.Filter = c.trimmed()
			}
		}
	case OperationGet, OperationPull, OperationRelease, OperationIdentify, OperationHandshake:
	}
	return q
}
