package hypervsim

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// connectionKey finds the connection in the context of a request.
type connectionKey struct{}

// connection is the state of one TCP connection. Requests on it come one after
// the other, so it needs no lock.
type connection struct {
	net         net.Conn
	number      int
	scheme      Scheme
	context     acceptor // nil before the first token
	established bool
	user        string
	counted     bool   // a logon was counted (Basic and certificates)
	lastSealed  []byte // the sealed answer before this one
}

// newServer makes the HTTP server; each connection gets its own state, because
// NTLM and Kerberos authenticate connections, not requests.
func (h *Host) newServer() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           http.HandlerFunc(h.serveHTTP),
		BaseContext:       func(net.Listener) context.Context { return h.base },
		ConnContext:       h.connect,
		ConnState:         h.connectionState,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		Protocols:         protocols,
		MaxHeaderBytes:    16 << 10, // http.sys: MaxRequestBytes
		ReadHeaderTimeout: 2 * time.Minute,
		IdleTimeout:       h.options.idleTimeout,
	}
}

// serve accepts connections in the background.
func (h *Host) serve(l net.Listener) {
	if h.tls != nil {
		l = tls.NewListener(l, h.tls.config(h.options.clientAuthorities))
	}
	h.serving.Go(func() {
		if err := h.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("serve", "err", err)
		}
	})
}

func (h *Host) connect(ctx context.Context, c net.Conn) context.Context {
	n := h.record.count(&h.record.connections)
	return context.WithValue(ctx, connectionKey{}, &connection{net: c, number: n})
}

// connectionState lets Close wait for the connections, and keeps track of the
// idle ones.
func (h *Host) connectionState(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		h.serving.Add(1)
	case http.StateIdle:
		h.idle.add(c)
	case http.StateActive:
		h.idle.remove(c)
	case http.StateClosed, http.StateHijacked:
		h.idle.remove(c)
		h.serving.Done()
	}
}

// idleConnections are the connections that wait for a request.
type idleConnections struct {
	mu  sync.Mutex
	set map[net.Conn]struct{}
}

func (i *idleConnections) add(c net.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.set == nil {
		i.set = map[net.Conn]struct{}{}
	}
	i.set[c] = struct{}{}
}

func (i *idleConnections) remove(c net.Conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.set, c)
}

// DropIdleConnections closes the connections on which no request is under way,
// as a host does with those that were idle too long.
func (h *Host) DropIdleConnections() {
	h.idle.mu.Lock()
	dropped := slices.Collect(maps.Keys(h.idle.set))
	h.idle.mu.Unlock()
	for _, c := range dropped {
		_ = c.Close()
	}
}

// exchange is one HTTP request on its way through the host.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	c         *connection
	body      []byte
	charset   string
	sealed    bool
	user      string
	now       time.Time
	envelope  *envelope
	recorded  *Request
	effect    Effect
	nested    uint32 // code whose text goes into the nested fault
	faultCode uint32
}

// answer is a successful answer before it becomes an envelope.
type answer struct {
	action string
	body   string
}

// serveHTTP carries one exchange out.
func (h *Host) serveHTTP(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connectionKey{}).(*connection)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	h.record.count(&h.record.exchanges)
	w.Header().Set("Server", "Microsoft-HTTPAPI/2.0")
	x := &exchange{w: w, r: r, c: c, now: h.options.clock()}
	if status := h.receive(x); status != 0 {
		h.log.Warn("refused", "status", status, "method", r.Method, "path", r.URL.Path)
		w.WriteHeader(status)
		return
	}
	if isUnauthenticatedIdentify(r) {
		h.identify(x, false)
		return
	}
	if len(x.body) == 0 && h.handshakeRule(x) {
		return
	}
	if !h.authenticate(x) {
		return
	}
	if len(x.body) == 0 { // the context is established, the message comes next
		w.WriteHeader(http.StatusOK)
		return
	}
	if status := h.open(x); status != 0 {
		h.log.Warn("refused", "status", status, "content type", r.Header.Get("Content-Type"))
		w.WriteHeader(status)
		return
	}
	h.process(x)
}

// sealOverhead is how much larger than its message a sealed body may be.
const sealOverhead = 4096

// receive checks what HTTP says about the request and reads it. It returns the
// status to refuse it with.
func (h *Host) receive(x *exchange) int {
	switch {
	case !strings.EqualFold(strings.TrimSuffix(x.r.URL.Path, "/"), "/wsman"):
		return http.StatusNotFound
	case x.r.Method != http.MethodPost:
		x.w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed
	case x.r.ContentLength < 0:
		// Unverified on a real host (chunked-request): shells refuse chunked requests (MS-WSMV
		// 3.1.4.1.31.8); that WMI does too, and with this status, is assumed.
		return http.StatusLengthRequired
	case x.r.ContentLength > int64(h.options.maxEnvelopeKB<<10+sealOverhead):
		return http.StatusRequestEntityTooLarge
	}
	var err error
	if x.body, err = io.ReadAll(x.r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	return 0
}

// open takes the message out of the body: sealed, or plain where that is allowed.
func (h *Host) open(x *exchange) int {
	mediaType, parameters, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil {
		return http.StatusUnsupportedMediaType
	}
	switch mediaType {
	case "application/soap+xml":
		// MS-WSMV 3.1.4.1.29.1: neither request nor answer may be in the clear.
		if h.tls == nil && !h.options.allowUnencrypted {
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
	if len(x.body) > h.options.maxEnvelopeKB<<10 {
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
func (h *Host) process(x *exchange) {
	d := decoder{serverLimit: h.options.maxEnvelopeKB << 10, maxTimeout: time.Minute}
	e, fail := d.decode(x.body, x.charset)
	x.envelope = e
	if fail == nil && e.operation == OperationIdentify {
		h.identify(x, true)
		return
	}
	x.recorded = h.record.add(x.request())
	x.effect = h.rules.apply(x.request())
	if h.interrupt(x) {
		return
	}
	var a *answer
	if fail == nil {
		a, fail = h.admit(x)
	}
	switch {
	case x.effect.kind == effectFaultAfter:
		fail = fault(x.effect.code)
	case fail != nil:
		h.log.Warn("fault", "operation", e.operation, "class", e.target.class, "method", e.method, "code", fail.code)
	}
	h.reply(x, a, fail)
}

// request is what is recorded and what rules look at.
func (x *exchange) request() Request {
	e := x.envelope
	q := Request{
		Time: x.now, Operation: e.operation, Action: e.action, MessageID: e.messageID,
		Namespace: e.target.namespace, Class: e.target.class, Method: e.method,
		User: x.user, Sealed: x.sealed, Connection: x.c.number,
	}
	for _, s := range e.selectors {
		q.Selectors = append(q.Selectors, Parameter{s.name, s.value})
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

// operations counts the operations that each user has under way.
type operations struct {
	mu      sync.Mutex
	perUser map[string]int
}

// begin counts one more, unless the user has as many as allowed.
func (o *operations) begin(user string, others, quota int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.perUser == nil {
		o.perUser = map[string]int{}
	}
	if o.perUser[user]+others >= quota {
		return false
	}
	o.perUser[user]++
	return true
}

func (o *operations) end(user string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.perUser[user]--
}

// admit does the work if the user's quota allows one operation more. An open
// enumeration is an operation; to go on with it or end it needs no other.
func (h *Host) admit(x *exchange) (*answer, *failure) {
	switch x.envelope.operation {
	case OperationPull:
		return h.pull(x)
	case OperationRelease:
		return h.release(x)
	case OperationGet, OperationEnumerate, OperationInvoke, OperationIdentify, OperationHandshake:
	}
	others := h.enumerations.of(x.user, x.now, h.options.enumerationIdle)
	if !h.operations.begin(x.user, others, h.options.quota) {
		if h.world.release == Server2008 {
			return nil, fault(codeQuotaOperations)
		}
		return nil, fault(codeQuotaPerUser)
	}
	if x.effect.kind == effectDelay || x.effect.kind == effectHang {
		// The operation is under way for as long as its answer is held back.
		context.AfterFunc(x.r.Context(), func() { h.operations.end(x.user) })
	} else {
		defer h.operations.end(x.user)
	}
	switch x.envelope.operation {
	case OperationGet:
		return h.get(x)
	case OperationEnumerate:
		return h.enumerate(x)
	case OperationInvoke:
		return h.invoke(x)
	case OperationPull, OperationRelease, OperationIdentify, OperationHandshake:
	}
	return nil, fault(codeActionNotSupported)
}

// checkRole refuses the namespaces of a role that the host does not have.
func (h *Host) checkRole(namespace string) *failure {
	if h.options.withoutHyperV() && strings.HasPrefix(namespace, `root\virtualization`) {
		return noNamespace()
	}
	return nil
}

// get answers a Get.
func (h *Host) get(x *exchange) (*answer, *failure) {
	t := x.envelope.target
	if fail := h.checkRole(t.namespace); fail != nil {
		return nil, fail
	}
	o, fail := h.model.get(t.namespace, t.class, x.envelope.selectors)
	if fail != nil {
		return nil, fail
	}
	a := &answer{action: actionGet + "Response", body: instance(t, o)}
	if len(a.body)+envelopeReserve > x.envelope.maxSize {
		return nil, tooLarge(x.envelope)
	}
	return a, nil
}

// invoke answers a method call. What was done cannot be undone when the answer
// turns out too large.
func (h *Host) invoke(x *exchange) (*answer, *failure) {
	t := x.envelope.target
	in, fail := x.envelope.input()
	if fail != nil {
		return nil, fail
	}
	if fail := h.checkRole(t.namespace); fail != nil {
		return nil, fail
	}
	o, fail := h.model.invoke(call{
		namespace: t.namespace, class: t.class, method: x.envelope.method,
		keys: x.envelope.selectors, input: in, user: x.user,
	})
	if fail != nil {
		return nil, fail
	}
	a := &answer{action: x.envelope.action + "Response", body: output(t, x.envelope.method, o)}
	if len(a.body)+envelopeReserve > x.envelope.maxSize {
		return nil, fault(codeUnreportableSuccess)
	}
	return a, nil
}

// reply makes the envelope of an answer or a fault and sends it.
func (h *Host) reply(x *exchange, a *answer, fail *failure) {
	m := message{id: newUUID(), relatesTo: x.envelope.messageID, locale: h.options.locale}
	status := http.StatusOK
	if fail != nil {
		form := h.options.faultForm
		if (x.effect.kind == effectFault || x.effect.kind == effectFaultAfter) && x.effect.form != FaultFormAny {
			form = x.effect.form
		}
		f := faultText{failure: *fail, form: form, locale: h.options.locale, machine: h.options.computerName}
		if x.nested != 0 {
			f.nested = faultReason(x.nested, h.options.locale)
		}
		status, x.faultCode = http.StatusInternalServerError, fail.code
		m.action, m.body = f.action(), f.body()
		m.transfer, m.enumerate, m.microsoft = true, true, true
	} else {
		m.action, m.body = a.action, a.body
		m.declare(x.envelope.operation)
	}
	if x.effect.kind == effectRelatesTo {
		m.relatesTo = newUUID()
	}
	h.send(x, status, m.String())
}

// declare chooses the prefixes that hosts declare on answers to the operation.
func (m *message) declare(o Operation) {
	switch o {
	case OperationGet:
		m.transfer, m.microsoft = true, true
	case OperationEnumerate, OperationPull, OperationRelease:
		m.enumerate = true
	case OperationInvoke:
		m.microsoft, m.activity = true, true
	case OperationIdentify, OperationHandshake:
	}
}

// send seals the answer if the request was sealed, and writes it.
func (h *Host) send(x *exchange, status int, text string) {
	if x.effect.kind == effectOversized {
		text += strings.Repeat(" ", max(0, x.effect.size-len(text)))
	}
	body, contentType := []byte(text), "application/soap+xml;charset=UTF-8"
	if x.envelope != nil && x.envelope.wide {
		// Unverified on a real host (utf16-answer): that the answer to UTF-16 is UTF-16.
		body, contentType = fromUTF8(text), "application/soap+xml;charset=UTF-16"
	}
	if x.sealed && x.effect.kind != effectUnsealed {
		signature, data, err := x.c.context.wrap(body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		part := sealedPart{protocol: sealProtocol(x.c.scheme), content: contentType, length: len(body), signature: signature, data: data}
		body, contentType = part.encode(), part.contentType()
		body = x.distortSealed(body, len(data))
	}
	h.write(x, status, contentType, body)
}

// distortSealed carries out the effects on sealed answers.
func (x *exchange) distortSealed(body []byte, size int) []byte {
	last := x.c.lastSealed
	x.c.lastSealed = body
	switch {
	case x.effect.kind == effectReplayed && last != nil:
		return last
	case x.effect.kind == effectTampered:
		body[len(body)-len(closingDelimiter)-(size+1)/2] ^= 1
	}
	return body
}

// write sends the answer, or what the rule makes of it.
func (h *Host) write(x *exchange, status int, contentType string, body []byte) {
	switch x.effect.kind {
	case effectContentType:
		contentType = x.effect.text
	case effectGarbage:
		body = []byte("\x00\xff\x17this is not a message\xfe<")
	case effectDelay:
		x.wait(x.effect.delay)
	case effectHang:
		<-x.r.Context().Done()
		panic(http.ErrAbortHandler)
	case effectResetAfter:
		x.reset()
	default: // the others have been carried out, or are below
	}
	if x.recorded != nil {
		h.record.finish(x.recorded, status, x.faultCode)
	}
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.effect.kind == effectCut {
		_, _ = x.w.Write(body[:len(body)/2])
		_ = http.NewResponseController(x.w).Flush()
		panic(http.ErrAbortHandler)
	}
	// Nobody is left to tell when the client has gone.
	_, _ = x.w.Write(body)
}

// wait holds the exchange for d; it ends it when the client goes first.
func (x *exchange) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// reset closes the connection the hard way.
func (x *exchange) reset() {
	c := x.c.net
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
	panic(http.ErrAbortHandler)
}

// interrupt carries out the effects that come instead of the work.
func (h *Host) interrupt(x *exchange) bool {
	switch x.effect.kind {
	case effectFault:
		h.reply(x, nil, fault(x.effect.code))
	case effectStatus:
		h.finish(x, x.effect.status)
	case effectUnauthorized:
		h.unauthorized(x)
	case effectResetBefore:
		x.reset()
	default:
		return false
	}
	return true
}

// finish answers with a status alone.
func (h *Host) finish(x *exchange, status int) {
	if x.recorded != nil {
		h.record.finish(x.recorded, status, 0)
	}
	x.w.WriteHeader(status)
}

// handshakeRule applies the rules for handshakes. It reports whether one of them
// has answered.
func (h *Host) handshakeRule(x *exchange) bool {
	if x.r.Header.Get("Authorization") == "" {
		return false
	}
	x.effect = h.rules.apply(Request{Time: x.now, Operation: OperationHandshake, Connection: x.c.number})
	switch x.effect.kind {
	case effectDelay:
		x.wait(x.effect.delay)
	case effectHang:
		<-x.r.Context().Done()
		panic(http.ErrAbortHandler)
	case effectStatus, effectUnauthorized, effectResetBefore:
		return h.interrupt(x)
	default: // the other effects are for messages
	}
	return false
}
