package conformance

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// browser sends HTTP requests without the client, over one connection.
type browser struct {
	url       string
	binding   []byte // to the certificate of the host; nil without TLS
	transport *http.Transport
}

const browserTimeout = 30 * time.Second

// dialConn connects to the host, with the certificate verified as the configuration
// says. It returns the channel binding too, nil without TLS.
func (k *kit) dialConn(ctx context.Context) (net.Conn, []byte, error) {
	ep := k.wire.Endpoint
	address := net.JoinHostPort(ep.Host, strconv.Itoa(ep.Port))
	dial := k.wire.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return nil, nil, &wsman.UnreachableError{Address: address, Err: err}
	}
	conn = wsman.Orderly(conn)
	if !ep.HTTPS {
		return conn, nil, nil
	}
	client := tls.Client(conn, tlsConfig(ep.Host, ep.TLSServerName, ep.Insecure, ep.CACert))
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, nil, errors.Join(&wsman.TLSError{Address: address, Err: err}, conn.Close())
	}
	binding, err := secure.ChannelBinding(client.ConnectionState())
	if err != nil {
		return nil, nil, errors.Join(&wsman.TLSError{Address: address, Err: err}, client.Close())
	}
	return client, binding, nil
}

// dialHTTP is dialConn for HTTP. No credentials pass over this connection
// except in a handshake that protects them.
func (k *kit) dialHTTP(ctx context.Context) (*browser, error) {
	conn, binding, err := k.dialConn(ctx)
	if err != nil {
		return nil, err
	}
	ep := k.wire.Endpoint
	address, scheme := net.JoinHostPort(ep.Host, strconv.Itoa(ep.Port)), "http"
	if ep.HTTPS {
		scheme = "https"
	}
	var used atomic.Bool
	one := func(context.Context, string, string) (net.Conn, error) {
		if used.Swap(true) {
			return nil, errors.New("the host closed the connection")
		}
		return conn, nil
	}
	return &browser{
		url: (&url.URL{Scheme: scheme, Host: address}).String(), binding: binding,
		transport: &http.Transport{DialContext: one, DialTLSContext: one, MaxConnsPerHost: 1, DisableCompression: true},
	}, nil
}

func tlsConfig(host, name string, insecure bool, authorities []byte) *tls.Config {
	c := &tls.Config{ServerName: orElse(name, host), InsecureSkipVerify: insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // the user asks for it, and nothing secret is sent
	if len(authorities) > 0 {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM(authorities)
	}
	return c
}

func (b *browser) close() { b.transport.CloseIdleConnections() }

// hit is one HTTP request.
type hit struct {
	method, path, contentType string
	token                     []byte
	identify                  bool // the header that asks for no logon
	body                      []byte
	chunked, utf16            bool
	after                     Logon // on a connection with a logon
}

func (h hit) logon() Logon {
	if h.token != nil {
		return Handshake
	}
	return h.after
}

// mediaType returns the part of the content type that is recorded: its parameters can be random.
func (h hit) mediaType() string {
	mediaType, _, _ := strings.Cut(h.contentType, ";")
	return mediaType
}

// page is the answer.
type page struct {
	status int
	header http.Header
	body   []byte
}

// do sends a request and puts it on the tape, without headers and without
// bodies that are not messages.
func (k *kit) do(ctx context.Context, b *browser, h hit) (page, error) {
	ctx, stop := context.WithTimeout(ctx, browserTimeout)
	defer stop()
	content := h.body
	if h.utf16 {
		content = inUTF16(string(h.body))
	}
	var body io.Reader = bytes.NewReader(content)
	if h.chunked {
		body = struct{ io.Reader }{body} // hides the length
	}
	req, err := http.NewRequestWithContext(ctx, orElse(h.method, http.MethodPost), b.url+orElse(h.path, "/wsman"), body)
	if err != nil {
		return page{}, err
	}
	switch {
	case h.utf16:
		req.Header.Set("Content-Type", h.contentType+";charset=UTF-16")
	case h.contentType != "":
		req.Header.Set("Content-Type", h.contentType)
	}
	if h.token != nil {
		req.Header.Set("Authorization", "Negotiate "+base64.StdEncoding.EncodeToString(h.token))
	}
	if h.identify {
		req.Header.Set("WSMANIDENTIFY", "unauthenticated")
	}
	start := time.Now()
	resp, err := b.transport.RoundTrip(req)
	if err != nil {
		return page{}, &wsman.ConnectionError{Address: b.url, Err: err}
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end or given up
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return page{}, &wsman.ConnectionError{Address: b.url, Err: err}
	}
	k.tape.note(exchange{
		operation: "http " + strconv.Itoa(resp.StatusCode), request: readable(h.body), answer: readable(text), start: start, took: time.Since(start),
		http: &RecordedHTTP{
			Method: req.Method, Path: req.URL.Path, ContentType: h.mediaType(), Identify: h.identify, Chunked: h.chunked, UTF16: h.utf16, Logon: h.logon(),
			Status: resp.StatusCode, AnswerBytes: len(text),
		},
	})
	return page{status: resp.StatusCode, header: resp.Header, body: text}, nil
}

// readable keeps messages and drops sealed and other bodies.
func readable(body []byte) string {
	if parse(string(body)) == nil {
		return ""
	}
	return string(body)
}

// logOn establishes a security context on the connection.
func (k *kit) logOn(ctx context.Context, b *browser, sec secure.Context) error {
	var in []byte
	for range 5 {
		token, established, err := sec.Next(ctx, in)
		if err != nil {
			return &wsman.AuthError{Err: err}
		}
		if token == nil && established {
			return nil
		}
		p, err := k.do(ctx, b, hit{token: token, contentType: secure.SOAPType})
		if err != nil {
			return err
		}
		in = negotiateToken(p.header)
		switch {
		case p.status == http.StatusUnauthorized && (in == nil || established):
			return &wsman.AuthError{Err: secure.ErrRejected}
		case established:
			return nil
		case in == nil:
			return &wsman.AuthError{Err: secure.ErrMalformed}
		}
	}
	return &wsman.AuthError{Err: secure.ErrMalformed}
}

func negotiateToken(h http.Header) []byte {
	for _, v := range h.Values("Www-Authenticate") {
		scheme, text, _ := strings.Cut(v, " ")
		if token, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err == nil && strings.EqualFold(scheme, "Negotiate") && len(token) > 0 {
			return token
		}
	}
	return nil
}

// harmless returns a request that any host can answer.
func (k *kit) harmless() []byte {
	return []byte(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><wsmid:Identify/></s:Body></s:Envelope>`)
}

// status sends one request without a logon and returns the status.
func (k *kit) status(ctx context.Context, h hit) (page, error) {
	b, err := k.dialHTTP(ctx)
	if err != nil {
		return page{}, err
	}
	defer b.close()
	return k.do(ctx, b, h)
}
