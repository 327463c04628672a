package wsman

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// maxHeader bounds the header of an answer.
const maxHeader = 64 << 10

// errGone: the HTTP transport wanted a new connection, so ours was dead before
// any byte of the request was written.
var errGone = errors.New("the connection had gone before the request")

// wire holds what all connections of a session share for HTTP.
type wire struct {
	url           string
	address       string // host and port
	authorization string // secret; the header of every request when there is no mechanism
	plain         bool   // no TLS
	timeout       time.Duration
	maxAnswer     int64
	counters      counters
}

func newWire(cfg Config) *wire {
	ep := cfg.Endpoint
	port := strconv.Itoa(ep.Port)
	w := &wire{
		address:   net.JoinHostPort(ep.Host, port),
		plain:     !ep.HTTPS,
		timeout:   cfg.RequestTimeout + answerSlack,
		maxAnswer: cfg.MaxAnswer,
	}
	scheme := "https"
	if w.plain {
		scheme = "http"
	}
	w.url = (&url.URL{Scheme: scheme, Host: net.JoinHostPort(withoutZone(ep.Host), port), Path: "/wsman"}).String()
	switch {
	case cfg.Basic != nil:
		w.authorization = cfg.Basic.header()
	case cfg.Certificate:
		w.authorization = certificateScheme
	}
	return w
}

// link is one connection and the one security context bound to it.
type link struct {
	wire        *wire
	conn        net.Conn
	raw         *countedConn // beneath TLS
	transport   *http.Transport
	context     secure.Context // nil without a mechanism
	wraps       bool           // the context can seal
	established bool           // the host has accepted the credentials
	confirmed   bool           // the read of the Confirmation was answered
	node        string         // to which the connection leads; empty if unknown
}

// newLink hands conn to a transport that can never make another one. HTTP/2,
// which http.sys offers, must be impossible: it has no connection
// authentication.
func newLink(w *wire, conn net.Conn, raw *countedConn, sec secure.Context) *link {
	var used atomic.Bool
	dial := func(context.Context, string, string) (net.Conn, error) {
		if used.Swap(true) {
			return nil, errGone
		}
		return conn, nil
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &link{wire: w, conn: conn, raw: raw, context: sec, transport: &http.Transport{
		DialContext:            dial,
		DialTLSContext:         dial,
		MaxConnsPerHost:        1,
		IdleConnTimeout:        maxIdle,
		Protocols:              &protocols,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
	}}
}

func (l *link) close() {
	l.transport.CloseIdleConnections()
	_ = l.conn.Close()
	if c, ok := l.context.(io.Closer); ok {
		_ = c.Close()
	}
}

// reply is an HTTP response, read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// exchange is one HTTP exchange. An error other than errGone and that of the
// caller's context is a [ConnectionError] or says what else is wrong with the
// answer.
func (l *link) exchange(ctx context.Context, token, body []byte, contentType string) (*reply, error) {
	inTime, cancel := context.WithTimeout(ctx, l.wire.timeout)
	defer cancel()
	r, err := l.roundTrip(inTime, token, body, contentType)
	var decode *DecodeError
	switch {
	case err == nil, errors.Is(err, errGone), errors.As(err, &decode):
		return r, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case l.wire.plain && l.raw.began().isTLS():
		return nil, &TLSError{Address: l.wire.address, Err: ErrTLS}
	case inTime.Err() != nil:
		err = &noAnswerError{l.wire.timeout}
	}
	return nil, &ConnectionError{Address: l.wire.address, Err: err}
}

// roundTrip bypasses http.Client: no redirects, no cookies.
func (l *link) roundTrip(ctx context.Context, token, body []byte, contentType string) (*reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.wire.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = http.Header{
		"Content-Type":    {contentType},
		"User-Agent":      {"terraform-provider-hyperv"},
		"Accept-Encoding": {"identity"},
	}
	switch {
	case token != nil:
		req.Header.Set("Authorization", "Negotiate "+base64.StdEncoding.EncodeToString(token))
	case l.wire.authorization != "":
		req.Header.Set("Authorization", l.wire.authorization)
	}
	resp, err := l.transport.RoundTrip(req)
	if !errors.Is(err, errGone) { // after errGone nothing was sent
		l.wire.counters.exchanges.Add(1)
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	answer, err := io.ReadAll(io.LimitReader(resp.Body, l.wire.maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if int64(len(answer)) > l.wire.maxAnswer {
		return nil, &DecodeError{Err: fmt.Errorf("larger than %d bytes", l.wire.maxAnswer)}
	}
	return &reply{status: resp.StatusCode, header: resp.Header, body: answer}, nil
}

// schemes lists the authentication schemes that the host offers.
func (r *reply) schemes() []string {
	var schemes []string
	for challenge := range r.challenges() {
		schemes = append(schemes, challenge)
	}
	return schemes
}

// challenges yields scheme and token of each challenge. WinRM's parameters,
// such as a realm, hold no comma.
func (r *reply) challenges() func(yield func(scheme, token string) bool) {
	return func(yield func(scheme, token string) bool) {
		for _, v := range r.header.Values("Www-Authenticate") {
			for part := range strings.SplitSeq(v, ",") {
				scheme, token, _ := strings.Cut(strings.TrimSpace(part), " ")
				if scheme != "" && !yield(scheme, strings.TrimSpace(token)) {
					return
				}
			}
		}
	}
}

// negotiate returns the token of the Negotiate challenge, nil if it has none,
// and whether there is such a challenge.
func (r *reply) negotiate() (token []byte, offered bool, err error) {
	for scheme, text := range r.challenges() {
		if !strings.EqualFold(scheme, "Negotiate") {
			continue
		}
		offered = true
		if text != "" {
			token, err = base64.StdEncoding.DecodeString(text)
			return token, true, err
		}
	}
	return nil, offered, nil
}
