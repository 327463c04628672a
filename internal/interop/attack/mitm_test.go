package attack_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// exchange is a request and its answer as they pass by.
type exchange struct {
	number        int // of the request on its connection, from 1
	request       *http.Request
	requestBody   []byte
	response      *http.Response
	body          []byte
	sealedRequest bool
}

// mitm sits between client and host. It passes on what the functions before and change leave of a
// message.
type mitm struct {
	upstream string
	tls      *tls.Config          // towards the client; nil: plain
	before   func(*exchange)      // changes the request
	change   func(*exchange)      // changes the answer
	bypass   func(*exchange) bool // answers instead of the host

	mu    sync.Mutex
	seen  [][]byte // bodies of requests
	conns int
	wg    sync.WaitGroup
}

// start listens and returns the port.
func (m *mitm) start(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("%v is no TCP address", l.Addr())
	}
	if m.tls != nil {
		l = tls.NewListener(l, m.tls)
	}
	t.Cleanup(func() {
		_ = l.Close()
		m.wg.Wait()
	})
	m.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.wg.Go(func() { m.serve(c) })
		}
	})
	return a.Port
}

func (m *mitm) dial() (net.Conn, error) {
	if m.tls == nil {
		return net.Dial("tcp", m.upstream)
	}
	return tls.Dial("tcp", m.upstream, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
}

func (m *mitm) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	m.mu.Lock()
	m.conns++
	m.mu.Unlock()
	host, err := m.dial()
	if err != nil {
		return
	}
	defer func() { _ = host.Close() }()
	fromClient, fromHost := bufio.NewReader(client), bufio.NewReader(host)
	for n := 1; ; n++ {
		request, err := http.ReadRequest(fromClient)
		if err != nil {
			return
		}
		x := &exchange{number: n, request: request}
		if x.requestBody, err = io.ReadAll(request.Body); err != nil {
			return
		}
		x.sealedRequest = strings.HasPrefix(request.Header.Get("Content-Type"), "multipart/encrypted")
		m.mu.Lock()
		m.seen = append(m.seen, bytes.Clone(x.requestBody))
		m.mu.Unlock()
		if m.bypass == nil || !m.bypass(x) {
			if m.before != nil {
				m.before(x)
			}
			if !m.forward(x, host, fromHost) {
				return
			}
		}
		if m.change != nil {
			m.change(x)
		}
		x.response.Body = io.NopCloser(bytes.NewReader(x.body))
		if x.response.ContentLength >= 0 { // -1: the attacker's own idea of a length
			x.response.ContentLength = int64(len(x.body))
		}
		if x.response.Write(client) != nil || x.response.Close {
			return
		}
	}
}

func (*mitm) forward(x *exchange, host io.Writer, from *bufio.Reader) bool {
	x.request.Body = http.NoBody // anything else without bytes would go out chunked
	if len(x.requestBody) > 0 {
		x.request.Body = io.NopCloser(bytes.NewReader(x.requestBody))
	}
	x.request.ContentLength = int64(len(x.requestBody))
	if x.request.Write(host) != nil {
		return false
	}
	response, err := http.ReadResponse(from, x.request)
	if err != nil {
		return false
	}
	x.response = response
	x.body, err = io.ReadAll(response.Body)
	return err == nil && response.Body.Close() == nil
}

// answer replaces the answer by a forged one.
func (x *exchange) answer(status int, contentType string, body []byte) {
	x.response = &http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: x.request}
	if contentType != "" {
		x.response.Header.Set("Content-Type", contentType)
	}
	x.body = body
}

// challenge edits the NTLM challenge in the answer, if it has one.
func (x *exchange) challenge(edit func([]byte) []byte) {
	for i, v := range x.response.Header["Www-Authenticate"] {
		text, ok := strings.CutPrefix(v, "Negotiate ")
		if !ok {
			continue
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err == nil && bytes.HasPrefix(b, []byte("NTLMSSP\x00\x02")) {
			x.response.Header["Www-Authenticate"][i] = "Negotiate " + base64.StdEncoding.EncodeToString(edit(b))
		}
	}
}

// clearFlags clears negotiate flags in a challenge.
func clearFlags(mask uint32) func([]byte) []byte {
	return func(b []byte) []byte {
		binary.LittleEndian.PutUint32(b[20:], binary.LittleEndian.Uint32(b[20:])&^mask)
		return b
	}
}

// removeTimestamp cuts the target information off where the timestamp begins.
func removeTimestamp(b []byte) []byte {
	n, offset := int(binary.LittleEndian.Uint16(b[40:])), int(binary.LittleEndian.Uint32(b[44:]))
	for at := offset; at+4 <= offset+n; {
		id, size := binary.LittleEndian.Uint16(b[at:]), int(binary.LittleEndian.Uint16(b[at+2:]))
		if id == 7 {
			copy(b[at:], b[at+4+size:])
			binary.LittleEndian.PutUint16(b[40:], uint16(n-4-size))
			return b[:len(b)-4-size]
		}
		at += 4 + size
	}
	return b
}

// leaks counts the messages that passed in the clear: those that name SOAP. Something shorter may
// turn up in what is sealed.
func (m *mitm) leaks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, b := range m.seen {
		if bytes.Contains(b, []byte("http://www.w3.org/2003/05/soap-envelope")) {
			n++
		}
	}
	return n
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
