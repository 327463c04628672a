package winrmsim_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// TestNTLM seals several messages on one connection.
func TestNTLM(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	for range 3 {
		p.send(getService()).wantOK(t, "<p:Name>vhdsvc</p:Name>")
	}
	if h.Logons() != 1 || h.Connections() != 1 || h.Exchanges() != 5 {
		t.Errorf("logons = %d, connections = %d, exchanges = %d, want 1, 1, 5", h.Logons(), h.Connections(), h.Exchanges())
	}
	q := h.Requests()[2]
	if q.User != `HYPERV\admin` || !q.Sealed || q.Status != http.StatusOK || q.Operation != hypervsim.OperationGet {
		t.Errorf("request = %+v", q)
	}
}

// TestNTLM_users: names in all forms, and no logon with a wrong one.
func TestNTLM_users(t *testing.T) {
	t.Parallel()
	tests := []struct {
		user, password string
		status         int
	}{
		{`LAB\backup`, "s3cret", http.StatusOK},
		{`lab\BACKUP`, "s3cret", http.StatusOK},
		{"backup", "s3cret", http.StatusOK},
		{"backup@lab", "s3cret", http.StatusOK},
		{`LAB\backup`, "S3cret", http.StatusUnauthorized},
		{`LAB\othere`, "s3cret", http.StatusUnauthorized},
		{`OTHER\backup`, "s3cret", http.StatusUnauthorized},
		{`LAB\othere`, "", http.StatusUnauthorized},
	}
	for _, test := range tests {
		h := newHost(t, hypervsim.WithUser(`LAB\backup`, "s3cret"))
		p := newPeer(t, h)
		if got := p.logon(test.user, test.password); got != test.status {
			t.Errorf("logon(%s, %s) = %d, want %d", test.user, test.password, got, test.status)
		}
		failed := 0
		if test.status == http.StatusUnauthorized {
			failed = 1
		}
		if h.FailedLogons() != failed || h.Logons() != 1-failed {
			t.Errorf("%s: failed logons = %d, logons = %d", test.user, h.FailedLogons(), h.Logons())
		}
	}
}

// TestUnauthorized: the answer to a request without a logon lists the schemes,
// and the request is not read.
func TestUnauthorized(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		opts []hypervsim.Option
		want []string
	}{
		{"default", nil, []string{"Negotiate"}},
		{"with Basic", []hypervsim.Option{hypervsim.WithBasic()}, []string{"Negotiate", `Basic realm="WSMAN"`}},
		{"as told", []hypervsim.Option{hypervsim.WithSchemes(hypervsim.SchemeBasic)}, []string{`Basic realm="WSMAN"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, append(test.opts, hypervsim.WithAllowUnencrypted(true))...)
			r := newPeer(t, h).plain(getService())
			if diff := cmp.Diff(test.want, r.header.Values("WWW-Authenticate")); r.status != http.StatusUnauthorized || diff != "" {
				t.Errorf("answer = %d, schemes (-want +got):\n%s", r.status, diff)
			}
			if len(h.Requests()) != 0 {
				t.Error("the request was read")
			}
		})
	}
}

// TestUnsealed: without TLS the message must be sealed.
func TestUnsealed(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	if r := p.plain(getService()); r.status != http.StatusInternalServerError || r.body != "" {
		t.Errorf("answer = %d %q, want 500 without a body", r.status, r.body)
	}
	if n := len(h.Requests()); n != 0 {
		t.Errorf("requests = %d, want 0", n)
	}
	p.send(getService()).wantOK(t, "vhdsvc")

	_, allowed := loggedOn(t, hypervsim.WithAllowUnencrypted(true))
	allowed.plain(getService()).wantOK(t, "vhdsvc")
}

// TestSeal_broken: messages that cannot be unsealed are refused, and so is a
// repetition.
func TestSeal_broken(t *testing.T) {
	t.Parallel()
	h, p := loggedOn(t)
	signature, sealed, err := p.context.Wrap([]byte(getService()))
	if err != nil {
		t.Fatal(err)
	}
	body := secure.EncodeSealed(secure.ProtocolSPNEGO, len(sealed), signature, sealed)
	header := http.Header{"Content-Type": {secure.SealedContentType(secure.ProtocolSPNEGO)}}
	if r := p.post(header, body); r.status != http.StatusOK {
		t.Errorf("the message = %d, want 200", r.status)
	}
	if r := p.post(header, body); r.status != http.StatusBadRequest {
		t.Errorf("the message again = %d, want 400", r.status)
	}
	for name, broken := range map[string][]byte{"cut": body[:len(body)-30], "garbage": []byte("x")} {
		if r := p.post(header, broken); r.status != http.StatusBadRequest {
			t.Errorf("%s = %d, want 400", name, r.status)
		}
	}
	other := http.Header{"Content-Type": {secure.SealedContentType(secure.ProtocolKerberos)}}
	if r := p.post(other, body); r.status != http.StatusUnsupportedMediaType {
		t.Errorf("the other protocol = %d, want 415", r.status)
	}
	if n := len(h.Requests()); n != 1 {
		t.Errorf("requests = %d, want 1", n)
	}
}

// TestSeal_forms: bodies without TAB are accepted, and so is UTF-16.
func TestSeal_forms(t *testing.T) {
	t.Parallel()
	_, p := loggedOn(t)
	p.noTAB = true
	p.send(getService()).wantOK(t, "vhdsvc")
	p.utf16 = true
	r := p.send(wide(getService()))
	if r.err != nil || r.status != http.StatusOK || !strings.Contains(narrow(r.body), "vhdsvc") {
		t.Errorf("answer = %d, %v, %q", r.status, r.err, r.body)
	}
	p.url += "/"
	p.utf16 = false
	p.send(getService()).wantOK(t, "vhdsvc")
}

// wide makes UTF-16 of ASCII.
func wide(s string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, r := range s {
		b.WriteRune(r)
		b.WriteByte(0)
	}
	return b.String()
}

func narrow(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// TestTLS: the channel binding must be right; it may be missing unless the host
// is strict.
func TestTLS(t *testing.T) {
	t.Parallel()
	const missing, wrong, right = 0, 1, 2
	tests := []struct {
		name    string
		strict  bool
		binding int
		status  int
	}{
		{"right", false, right, http.StatusOK},
		{"missing", false, missing, http.StatusOK},
		{"wrong", false, wrong, http.StatusUnauthorized},
		{"strict, right", true, right, http.StatusOK},
		{"strict, missing", true, missing, http.StatusUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := []hypervsim.Option{hypervsim.WithTLS()}
			if test.strict {
				opts = append(opts, hypervsim.WithStrictChannelBinding())
			}
			h := newHost(t, opts...)
			p := newPeer(t, h)
			p.url = strings.Replace(p.url, "https", "http", 1) // the connection is secured already
			binding := p.binding()
			switch test.binding {
			case missing:
				binding = nil
			case wrong:
				binding[len(binding)-1] ^= 1
			}
			x, err := secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword}).NewContext(binding)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.establish(x); got != test.status {
				t.Fatalf("logon = %d, want %d", got, test.status)
			}
			if test.status == http.StatusOK {
				p.send(getService()).wantOK(t, "vhdsvc")
				p.plain(getService()).wantOK(t, "vhdsvc")
			}
		})
	}
}

// TestBasic checks every request; each connection is a logon.
func TestBasic(t *testing.T) {
	t.Parallel()
	h := newHost(t, hypervsim.WithTLS(), hypervsim.WithBasic())
	p := newPeer(t, h)
	try := func(user, password string) response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url, strings.NewReader(getService()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", plainSOAP)
		r.SetBasicAuth(user, password)
		return p.do(r)
	}
	try(hypervsim.DefaultUser, hypervsim.DefaultPassword).wantOK(t, "vhdsvc")
	try("admin", hypervsim.DefaultPassword).wantOK(t, "vhdsvc")
	if r := try("admin", "wrong"); r.status != http.StatusUnauthorized {
		t.Errorf("wrong password = %d, want 401", r.status)
	}
	if r := try("nobody", ""); r.status != http.StatusUnauthorized {
		t.Errorf("unknown user = %d, want 401", r.status)
	}
	if h.Logons() != 1 || h.FailedLogons() != 2 {
		t.Errorf("logons = %d, failed = %d, want 1, 2", h.Logons(), h.FailedLogons())
	}
	if r := newPeer(t, h).plain(getService()); r.status != http.StatusUnauthorized {
		t.Errorf("without credentials = %d, want 401", r.status)
	}
}

// TestCertificate: the bearer of a certificate is let in, and no other client.
func TestCertificate(t *testing.T) {
	t.Parallel()
	ours, pool := selfSigned(t)
	h := newHost(t, hypervsim.WithTLS(), hypervsim.WithClientCertificates(pool, `HYPERV\robot`))
	header := http.Header{
		"Authorization": {"http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"},
		"Content-Type":  {plainSOAP},
	}
	newPeer(t, h, ours).post(header, []byte(getService())).wantOK(t, "vhdsvc")
	if got := h.Requests()[0].User; got != `HYPERV\robot` {
		t.Errorf("user = %s", got)
	}
	if r := newPeer(t, h).post(header, []byte(getService())); r.status != http.StatusUnauthorized {
		t.Errorf("without a certificate = %d, want 401", r.status)
	}
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "robot"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

var (
	oidSPNEGO = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}
	oidNTLM   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
	oidOther  = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
)

// spnego puts a mechanism's tokens into SPNEGO, as GSS-API clients do.
type spnego struct {
	secure.Context
	offer []asn1.ObjectIdentifier
	own   asn1.ObjectIdentifier

	started   bool
	announced bool
}

type negotiation struct {
	State asn1.Enumerated       `asn1:"explicit,optional,tag:0,default:-1"`
	Mech  asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
	Token []byte                `asn1:"explicit,optional,tag:2"`
	MIC   []byte                `asn1:"explicit,optional,tag:3"`
}

// Next implements secure.Context.
func (s *spnego) Next(ctx context.Context, in []byte) ([]byte, bool, error) {
	var inner []byte
	if s.started {
		var wrapper asn1.RawValue
		if _, err := asn1.Unmarshal(in, &wrapper); err != nil {
			return nil, false, err
		}
		answer := negotiation{State: -1}
		if _, err := asn1.Unmarshal(wrapper.Bytes, &answer); err != nil {
			return nil, false, err
		}
		if !s.announced && !answer.Mech.Equal(s.own) {
			return nil, false, errors.New("another mechanism was chosen")
		}
		s.announced = true
		if answer.State == 0 && answer.Token == nil {
			return nil, true, nil
		}
		inner = answer.Token
	}
	if !s.started && !s.offer[0].Equal(s.own) {
		s.started = true
		return s.first(nil), false, nil // no optimistic token
	}
	token, done, err := s.Context.Next(ctx, inner)
	if err != nil || token == nil {
		return nil, done, err
	}
	if !s.started {
		s.started = true
		return s.first(token), false, nil
	}
	return s.later(token), false, nil
}

func (s *spnego) first(token []byte) []byte {
	init := struct {
		Types []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
		Token []byte                  `asn1:"explicit,optional,omitempty,tag:2"`
	}{s.offer, token}
	return tagged(asn1.ClassApplication, 0, must(asn1.Marshal(oidSPNEGO)), tagged(asn1.ClassContextSpecific, 0, must(asn1.Marshal(init))))
}

func (s *spnego) later(token []byte) []byte {
	return tagged(asn1.ClassContextSpecific, 1, must(asn1.Marshal(negotiation{State: -1, Token: token})))
}

func tagged(class, tag int, parts ...[]byte) []byte {
	var inner []byte
	for _, p := range parts {
		inner = append(inner, p...)
	}
	return must(asn1.Marshal(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: inner}))
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// TestSPNEGO: NTLM in SPNEGO is accepted, as the first offer and as the second.
func TestSPNEGO(t *testing.T) {
	t.Parallel()
	for name, offer := range map[string][]asn1.ObjectIdentifier{"first": {oidNTLM}, "second": {oidOther, oidNTLM}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t)
			p := newPeer(t, h)
			x, err := secure.NewNTLM(secure.NTLMConfig{User: hypervsim.DefaultUser, Password: hypervsim.DefaultPassword}).NewContext(nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.establish(&spnego{Context: x, offer: offer, own: oidNTLM}); got != http.StatusOK {
				t.Fatalf("logon = %d", got)
			}
			p.send(getService()).wantOK(t, "vhdsvc")
			p.send(getService()).wantOK(t, "vhdsvc")
		})
	}
}
