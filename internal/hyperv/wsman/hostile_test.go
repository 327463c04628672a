package wsman_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/sample"
)

// hostileAnswer writes the answer of a hostile host to a request. An endless
// one ends when the client has closed the connection.
type hostileAnswer func(w net.Conn, messageID string)

// endlessly writes a piece over and over.
func endlessly(start, piece string) hostileAnswer {
	chunk := []byte(strings.Repeat(piece, 1+4096/len(piece)))
	return func(w net.Conn, _ string) {
		// The host goes on reading: closing a TLS connection writes a close_notify alert, and
		// meanwhile net/http holds a lock that stops the bubble's clock.
		go func() { _, _ = io.Copy(io.Discard, w) }()
		_, err := io.WriteString(w, start)
		for err == nil {
			_, err = w.Write(chunk)
		}
	}
}

// slowly writes a byte a second.
func slowly(text string) hostileAnswer {
	return func(w net.Conn, _ string) {
		for {
			for i := range len(text) {
				if _, err := io.WriteString(w, text[i:i+1]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}
	}
}

const soapHead = "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml;charset=UTF-8\r\n"

// soapAnswer makes a whole answer with that body.
func soapAnswer(extra string, body func(messageID string) string) hostileAnswer {
	return func(w net.Conn, messageID string) {
		b := body(messageID)
		_, _ = fmt.Fprintf(w, "%s%sContent-Length: %d\r\n\r\n%s", soapHead, extra, len(b), b)
	}
}

// constant makes a body that does not depend on the request.
func constant(body string) func(string) string { return func(string) string { return body } }

// bomb returns 64 MiB of white space, compressed to 64 KiB.
func bomb() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<20))
	_ = z.Close()
	return b.String()
}

var hostileAnswers = map[string]hostileAnswer{
	"endless body":        endlessly(soapHead+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+strings.Repeat(" ", 4096)+"\r\n"),
	"endless, until EOF":  endlessly(soapHead+"Connection: close\r\n\r\n", " "),
	"one GiB":             endlessly(soapHead+"Content-Length: 1073741824\r\n\r\n", " "),
	"an exbibyte":         endlessly(soapHead+"Content-Length: 1152921504606846976\r\n\r\n", " "),
	"401 with a GiB":      endlessly("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 1073741824\r\n\r\n", " "),
	"endless status line": endlessly("HTTP/1.1 200 ", "OK"),
	"header flood":        endlessly("HTTP/1.1 200 OK\r\n", "X-A: b\r\n"),
	"one endless header":  endlessly("HTTP/1.1 200 OK\r\nX-A: ", "b"),
	"challenge flood":     endlessly("HTTP/1.1 401 Unauthorized\r\n", "WWW-Authenticate: Negotiate\r\n"),
	"trailer flood":       endlessly(soapHead+"Transfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n0\r\n", "X-A: b\r\n"),
	"endless 100":         endlessly("", "HTTP/1.1 100 Continue\r\n\r\n"),
	"endless chunk size":  endlessly(soapHead+"Transfer-Encoding: chunked\r\n\r\n", "0"),
	"chunk extensions":    endlessly(soapHead+"Transfer-Encoding: chunked\r\n\r\n", "1;"+strings.Repeat("x", 1000)+"\r\n \r\n"),
	"a byte a second":     slowly(soapHead + "Content-Length: 1000\r\n\r\n"),
	"slow body":           slowlyAfter(soapHead+"Content-Length: 100000\r\n\r\n", " "),
	"no answer":           func(w net.Conn, _ string) { _, _ = io.Copy(io.Discard, w) },
	"HTTP/2 settings":     func(w net.Conn, _ string) { _, _ = io.WriteString(w, "\x00\x00\x00\x04\x00\x00\x00\x00\x00") },
	"HTTP/2 version":      func(w net.Conn, _ string) { _, _ = io.WriteString(w, "HTTP/2.0 200 OK\r\n\r\n") },
	"switched protocols": func(w net.Conn, _ string) {
		_, _ = io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")
	},
	"redirect": func(w net.Conn, _ string) {
		_, _ = io.WriteString(w, "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://elsewhere.example/wsman\r\nContent-Length: 0\r\n\r\n")
	},
	"two lengths":       soapAnswer("Content-Length: 3\r\n", constant("<a/>")),
	"compressed":        soapAnswer("Content-Encoding: gzip\r\n", constant(bomb())),
	"nested":            soapAnswer("", constant(strings.Repeat("<a>", 1<<20))),
	"many elements":     soapAnswer("", constant("<a>"+strings.Repeat("<b/>", 1000_000)+"</a>")),
	"many attributes":   soapAnswer("", constant("<a"+strings.Repeat(" b='c'", 650_000)+"/>")),
	"long name":         soapAnswer("", constant("<"+strings.Repeat("a", 4_000_000)+"/>")),
	"expanding entity":  soapAnswer("", constant(`<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>`)),
	"external entity":   soapAnswer("", constant(`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`)),
	"another character": soapAnswer("", constant(`<?xml version="1.0" encoding="shift_jis"?><a>`+"\x83\x5c</a>")),
	"half of UTF-16":    soapAnswer("", constant("\xff\xfe<\x00a\x00/")),
	"another message":   soapAnswer("", constant(envelope("uuid:11111111-1111-4111-8111-111111111111", "<a/>"))),
	"fault for another": soapAnswer("", constant(fault("uuid:11111111-1111-4111-8111-111111111111", "w:TimedOut", 5).soap)),
	"endless comments":  endlessly(soapHead+"Transfer-Encoding: chunked\r\n\r\n", "9\r\n<!--  -->\r\n"),
	"nothing":           func(net.Conn, string) {},
}

// slowlyAfter writes the start at once and the rest slowly.
func slowlyAfter(start, rest string) hostileAnswer {
	return func(w net.Conn, id string) {
		if _, err := io.WriteString(w, start); err == nil {
			slowly(rest)(w, id)
		}
	}
}

// hostileHost answers every request on every connection in the same way.
type hostileHost struct {
	listener *pipeListener
	tls      *tls.Config // nil for plain http
	answer   hostileAnswer
	requests atomic.Int64
}

func (h *hostileHost) serve() {
	for {
		conn, err := h.listener.Accept()
		if err != nil {
			return
		}
		if h.tls != nil {
			conn = tls.Server(conn, h.tls)
		}
		go h.talk(conn)
	}
}

func (h *hostileHost) talk(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h.requests.Add(1)
	id := ""
	if m := messageID.FindSubmatch(body); m != nil {
		id = string(m[1])
	}
	h.answer(conn, id)
}

// TestHostileHost: every hostile answer, to a logon that an attacker on the way
// can answer too and to a message on a trusted connection, ends in an error in
// time and in bounded memory, and no other host is asked.
//
// No other test runs beside it: it counts what the process allocates.
func TestHostileHost(t *testing.T) { //nolint:paralleltest // see above
	for name, answer := range sample.EveryNamed(5, hostileAnswers) { //nolint:paralleltest // see above
		for _, to := range []string{"logon", "message"} {
			t.Run(name+" to a "+to, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					attack(t, answer, to == "message")
				})
			})
		}
	}
}

const (
	hostileTimeout = 10 * time.Second // of a request; the client waits 30 s longer
	// hostileLimit adds the time that the close_notify of TLS may take: a host
	// that does not read makes crypto/tls wait for five seconds.
	hostileLimit = hostileTimeout + 30*time.Second + 5*time.Second
	// hostileMemory is how many bytes one request may allocate in all, garbage included. The worst
	// case is an answer of 4 MiB that consists of attributes.
	hostileMemory = 256 << 20
)

func attack(t *testing.T, answer hostileAnswer, trusted bool) {
	t.Helper()
	pair := newKeyPair(t, "hv1.example") // valid in the time of the bubble
	h := &hostileHost{listener: newPipeListener(), answer: answer}
	cfg := wsman.Config{RequestTimeout: hostileTimeout}
	https(pair)(&cfg)
	if trusted {
		cfg.Basic = &wsman.BasicCredentials{User: "admin", Password: "canary"}
		h.tls = &tls.Config{Certificates: []tls.Certificate{pair.certificate}}
	} else {
		cfg.Endpoint.HTTPS, cfg.Mechanism = false, toy{password: "right"}
	}
	cfg.Dial = func(ctx context.Context, kind, address string) (net.Conn, error) {
		if address != "hv1.example:5986" {
			t.Errorf("dialled %s", address)
		}
		return h.listener.dial(ctx, kind, address)
	}
	client, err := wsman.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	go h.serve()
	defer func() {
		client.Close()
		_ = h.listener.Close()
		time.Sleep(time.Minute) // the bubble fails the test if anything is left then
	}()

	before, start := allocated(), time.Now()
	_, err = client.Invoke(t.Context(), compact("x"))
	took, used := time.Since(start), allocated()-before
	if err == nil {
		t.Error("no error")
	}
	if strings.Contains(fmt.Sprint(err), "canary") || len(fmt.Sprint(err)) > 4096 {
		t.Errorf("an error of %d bytes: %.200v", len(fmt.Sprint(err)), err)
	}
	if took > hostileLimit {
		t.Errorf("it took %s", took)
	}
	if used > hostileMemory {
		t.Errorf("%d MiB were allocated", used>>20)
	}
	if n := h.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	t.Logf("%s, %d MiB: %.120v", took, used>>20, err)

	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	start = time.Now()
	if _, err = client.Get(ctx, jobReference("1")); err == nil || time.Since(start) > 66*time.Second {
		t.Errorf("Get = %v after %s, want an error within the minute", err, time.Since(start))
	}
	if errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v", err)
	}
}

// allocated returns the bytes that the process has allocated since it started.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
