package wsman_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// fakeHost is a server that knows the toy mechanism and answers with a
// function. It shares no code with the client.
type fakeHost struct {
	t        testing.TB
	listener *pipeListener
	server   *http.Server

	// Fields that are set before the first request.
	password string
	answer   func(r fakeRequest) fakeAnswer
	open     bool   // no seal: the connection is TLS, or the test wants it so
	weak     bool   // offer a weak context
	closes   bool   // close the connection after the challenge
	blank    int    // status of an accepted request without a message
	header   string // insist on this authorization header instead of the toy
	tickets  bool   // the first token is a ticket, which proves more than a password

	mu         sync.Mutex
	requests   []string // the envelopes that were accepted
	handshakes int
	failed     int                 // logons with a wrong password
	verdicts   func(accepted bool) // called for each logon; may be nil
	slow       time.Duration       // how long a logon takes
	refuses    bool                // every ticket is refused
	conns      int
	posts      int
	open401    int // so many established contexts are forgotten
	live       map[net.Conn]http.ConnState
}

type fakeRequest struct {
	soap string
	id   string
}

// fakeAnswer says what the host does with a request.
type fakeAnswer struct {
	status  int // 200 if zero
	soap    string
	clear   bool   // do not seal
	drop    bool   // close the connection without an answer
	tamper  bool   // break the seal
	content string // content type of a clear answer
}

type connKey struct{}

type fakeConn struct {
	net.Conn
	key         toyKey
	begun       bool
	established bool
}

func newFakeHost(t testing.TB, answer func(r fakeRequest) fakeAnswer) *fakeHost {
	t.Helper()
	h := &fakeHost{t: t, listener: newPipeListener(), password: "right", answer: answer, live: map[net.Conn]http.ConnState{}}
	h.server = &http.Server{
		Handler: h,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.conns++
			return context.WithValue(ctx, connKey{}, &fakeConn{Conn: c})
		},
		ConnState: func(c net.Conn, s http.ConnState) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.live[c] = s
		},
	}
	t.Cleanup(func() {
		_ = h.listener.Close()
		_ = h.server.Close()
	})
	return h
}

// start serves plain connections.
func (h *fakeHost) start() { go func() { _ = h.server.Serve(h.listener) }() }

// client returns a client of the host over plain http.
func (h *fakeHost) client(change ...func(*wsman.Config)) *wsman.Client {
	h.t.Helper()
	cfg := wsman.Config{
		Endpoint:  &winrm.Endpoint{Host: "hv1.example", Port: 5985},
		Mechanism: toy{password: "right"},
		Dial:      h.listener.dial,
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := wsman.New(cfg)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Close)
	return c
}

var messageID = regexp.MustCompile(`MessageID>([^<]*)<`)

func (h *fakeHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(*fakeConn)
	if !ok {
		h.t.Error("no connection in the context")
		return
	}
	h.count(func() { h.posts++ })
	h.checkForm(r)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if !h.authenticate(w, r, c) {
		return
	}
	if len(body) == 0 {
		w.WriteHeader(cmp.Or(h.blank, http.StatusOK))
		return
	}
	plain := body
	if !h.open {
		if plain, err = h.unseal(c, r.Header.Get("Content-Type"), body); err != nil {
			h.t.Errorf("host: %v: %q", err, body)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	h.count(func() { h.requests = append(h.requests, string(plain)) })
	request := fakeRequest{soap: string(plain)}
	if m := messageID.FindStringSubmatch(request.soap); m != nil {
		request.id = m[1]
	}
	var answer func(fakeRequest) fakeAnswer
	h.count(func() { answer = h.answer })
	h.reply(w, c, answer(request))
}

// checkForm checks what http.sys and WinRM check.
func (h *fakeHost) checkForm(r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/wsman" || r.ContentLength < 0 || len(r.TransferEncoding) > 0 || r.ProtoMajor != 1 {
		h.t.Errorf("request line: %s %s %s, length %d, encoding %v", r.Method, r.URL, r.Proto, r.ContentLength, r.TransferEncoding)
	}
	if v := r.Header.Get("Accept-Encoding"); v != "identity" {
		h.t.Errorf("Accept-Encoding = %q, want identity", v)
	}
}

// judge takes as long over a proof as the host is slow, and then reports
// whether it is right.
func (h *fakeHost) judge(token string) bool {
	var slow time.Duration
	h.count(func() { slow = h.slow })
	time.Sleep(slow)
	h.mu.Lock()
	defer h.mu.Unlock()
	accepted := token == "proof "+h.password
	if !accepted {
		h.failed++
	}
	if h.verdicts != nil {
		h.verdicts(accepted)
	}
	return accepted
}

// setPassword changes the password of the account.
func (h *fakeHost) setPassword(password string) { h.count(func() { h.password = password }) }

func (h *fakeHost) authenticate(w http.ResponseWriter, r *http.Request, c *fakeConn) bool {
	authorization := r.Header.Get("Authorization")
	if h.header != "" {
		if authorization != h.header || h.forget() {
			h.count(func() { h.failed++ })
			w.Header().Set("Www-Authenticate", `Basic realm="WSMAN"`)
			w.WriteHeader(http.StatusUnauthorized)
			return false
		}
		return true
	}
	refuse := func() bool {
		*c = fakeConn{Conn: c.Conn}
		w.Header().Add("Www-Authenticate", "Negotiate")
		w.Header().Add("Www-Authenticate", "Kerberos")
		w.WriteHeader(http.StatusUnauthorized)
		return false
	}
	if text, ok := strings.CutPrefix(authorization, "Negotiate "); ok {
		token, err := base64.StdEncoding.DecodeString(text)
		switch {
		case err != nil:
			return refuse()
		case h.tickets:
			return h.takeTicket(w, c, refuse)
		case string(token) == "hello" && !c.begun:
			h.count(func() { h.handshakes++ })
			c.begun = true
			challenge := "challenge"
			if h.weak {
				challenge = "weak"
			}
			if h.closes {
				w.Header().Set("Connection", "close")
			}
			w.Header().Set("Www-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString([]byte(challenge)))
			w.WriteHeader(http.StatusUnauthorized)
			return false
		case c.begun:
			if c.established = h.judge(string(token)); c.established {
				return true
			}
		}
		return refuse()
	}
	if !c.established || h.forget() {
		return refuse()
	}
	return true
}

// takeTicket answers a ticket with a proof that it could read the ticket.
func (h *fakeHost) takeTicket(w http.ResponseWriter, c *fakeConn, refuse func() bool) bool {
	refuses := false
	h.count(func() { h.handshakes, refuses = h.handshakes+1, h.refuses })
	if refuses {
		return refuse()
	}
	c.established = true
	w.Header().Set("Www-Authenticate", "Negotiate "+base64.StdEncoding.EncodeToString([]byte("proven")))
	w.WriteHeader(http.StatusOK)
	return false
}

// forget reports whether the host drops an established context now.
func (h *fakeHost) forget() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open401 == 0 {
		return false
	}
	h.open401--
	return true
}

const sealedForm = "--Encrypted Boundary\r\n" +
	"\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n" +
	"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" +
	"--Encrypted Boundary\r\n" +
	"\tContent-Type: application/octet-stream\r\n"

const sealedType = `multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"`

// unseal accepts exactly the form of MS-WSMV 2.2.9.1 and nothing else.
func (h *fakeHost) unseal(c *fakeConn, contentType string, body []byte) ([]byte, error) {
	if contentType != sealedType {
		return nil, fmt.Errorf("content type %q", contentType)
	}
	var length int
	_, after, ok := bytes.Cut(body, []byte(";Length="))
	if !ok {
		return nil, errors.New("no length")
	}
	if _, err := fmt.Sscanf(string(after[:min(len(after), 12)]), "%d", &length); err != nil {
		return nil, err
	}
	prefix := fmt.Sprintf(sealedForm, length)
	const end = "--Encrypted Boundary--\r\n"
	if !bytes.HasPrefix(body, []byte(prefix)) || !bytes.HasSuffix(body, []byte(end)) {
		return nil, errors.New("form")
	}
	binaryPart := body[len(prefix) : len(body)-len(end)]
	n := int(binary.LittleEndian.Uint32(binaryPart))
	if len(binaryPart) != 4+n+length {
		return nil, errors.New("lengths")
	}
	return c.key.open(binaryPart[4:4+n], binaryPart[4+n:])
}

func (h *fakeHost) reply(w http.ResponseWriter, c *fakeConn, a fakeAnswer) {
	if a.drop {
		_ = c.Close()
		return
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	contentType, body := "application/soap+xml;charset=UTF-8", []byte(a.soap)
	if a.content != "" {
		contentType = a.content
	}
	if !h.open && !a.clear {
		signature, sealed := c.key.seal(body)
		if a.tamper {
			sealed[0] ^= 1
		}
		var b bytes.Buffer
		fmt.Fprintf(&b, sealedForm, len(body))
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(signature))))
		b.Write(signature)
		b.Write(sealed)
		b.WriteString("--Encrypted Boundary--\r\n")
		contentType, body = sealedType, b.Bytes()
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

func (h *fakeHost) count(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// seen returns the envelopes that hold text.
func (h *fakeHost) seen(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, r := range h.requests {
		if strings.Contains(r, text) {
			n++
		}
	}
	return n
}

// totals returns connections, handshakes and POST requests so far.
func (h *fakeHost) totals() (conns, handshakes, posts int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.conns, h.handshakes, h.posts
}

// failedLogons returns how often the host rejected a password.
func (h *fakeHost) failedLogons() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.failed
}

// forgetContexts makes the host answer 401 to the next n requests on an
// established context.
func (h *fakeHost) forgetContexts(n int) { h.count(func() { h.open401 = n }) }

// dropIdle closes every connection that waits for a request.
func (h *fakeHost) dropIdle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c, s := range h.live {
		if s == http.StateIdle {
			_ = c.Close()
		}
	}
}

// envelope wraps body as an answer of Windows does.
func envelope(relatesTo, body string) string {
	return `<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header><a:Action>x</a:Action><a:MessageID>uuid:00000000-0000-4000-8000-000000000001</a:MessageID><a:RelatesTo>` +
		relatesTo + `</a:RelatesTo></s:Header><s:Body>` + body + `</s:Body></s:Envelope>`
}

// fault makes a fault with a number.
func fault(relatesTo, subcode string, code uint32) fakeAnswer {
	return fakeAnswer{status: http.StatusInternalServerError, soap: envelope(relatesTo, fmt.Sprintf(
		`<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>%s</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="de-DE">Etwas geht nicht.</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="%d" Machine="h"><f:Message>Etwas geht nicht.</f:Message></f:WSManFault></s:Detail></s:Fault>`,
		subcode, code))}
}

const jobURI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_StorageJob"

// job answers a Get with a job of that state.
func job(r fakeRequest, state string) fakeAnswer {
	return fakeAnswer{soap: envelope(r.id, `<p:Msvm_StorageJob xmlns:p="`+jobURI+`"><p:JobState>`+state+`</p:JobState></p:Msvm_StorageJob>`)}
}

// output answers an invocation.
func output(r fakeRequest, method string) fakeAnswer {
	return fakeAnswer{soap: envelope(r.id, `<p:`+method+`_OUTPUT xmlns:p="x"><p:ReturnValue>0</p:ReturnValue></p:`+method+`_OUTPUT>`)}
}
