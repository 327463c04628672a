package winrmsim_test

import (
	"bytes"
	"context"
	"crypto/md5"
	stdasn1 "encoding/asn1"
	"encoding/binary"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/crypto/etype"
	"github.com/go-krb5/krb5/iana/chksumtype"
	"github.com/go-krb5/krb5/iana/etypeID"
	"github.com/go-krb5/krb5/iana/flags"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/iana/nametype"
	"github.com/go-krb5/krb5/keytab"
	"github.com/go-krb5/krb5/messages"
	krbspnego "github.com/go-krb5/krb5/spnego"
	"github.com/go-krb5/krb5/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

const (
	realm     = "HYPERV.TEST"
	service   = "HTTP/hyperv.test"
	principal = "backup"
)

var oidKerberos = stdasn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}

// serviceKeys is the key table of the host.
func serviceKeys(t *testing.T) *keytab.Keytab {
	t.Helper()
	kt := keytab.New()
	if err := kt.AddEntry(service, realm, "service password", time.Now(), 1, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
		t.Fatal(err)
	}
	return kt
}

// kerberosClient makes its own ticket, as a KDC would, and is the client half of
// RFC 4121.
type kerberosClient struct {
	t       *testing.T
	keys    *keytab.Keytab
	binding []byte
	flags   uint32
	expired bool
	forged  bool // the sealed copy of the header has another sequence number

	key     types.EncryptionKey
	etype   etype.EType
	auth    types.Authenticator
	in, out uint64
	done    bool
}

func newKerberosClient(t *testing.T, keys *keytab.Keytab) *kerberosClient {
	t.Helper()
	return &kerberosClient{t: t, keys: keys, flags: 2 | 4 | 8 | 16 | 32}
}

// Next implements secure.Context.
func (c *kerberosClient) Next(_ context.Context, in []byte) ([]byte, bool, error) {
	if in == nil {
		return c.request(), false, nil
	}
	return nil, true, c.answered(in)
}

func (c *kerberosClient) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *kerberosClient) request() []byte {
	name := types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, principal)
	start := time.Now().UTC()
	end := start.Add(time.Hour)
	if c.expired {
		start, end = start.Add(-2*time.Hour), start.Add(-time.Hour)
	}
	ticket, key, err := messages.NewTicket(name, realm, types.NewPrincipalName(nametype.KRB_NT_SRV_INST, service), realm,
		types.NewKrbFlags(), c.keys, etypeID.AES256_CTS_HMAC_SHA1_96, 1, start, start, end, end)
	c.must(err)
	c.key = key
	c.etype, err = crypto.GetEtype(key.KeyType)
	c.must(err)
	c.auth, err = types.NewAuthenticator(realm, name)
	c.must(err)
	var hash [16]byte
	if c.binding != nil {
		hash = md5.Sum(append(binary.LittleEndian.AppendUint32(make([]byte, 16), uint32(len(c.binding))), c.binding...))
	}
	sum := append(binary.LittleEndian.AppendUint32(nil, 16), hash[:]...)
	c.auth.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: binary.LittleEndian.AppendUint32(sum, c.flags)}
	req, err := messages.NewAPReq(ticket, key, c.auth)
	c.must(err)
	types.SetFlag(&req.APOptions, flags.APOptionMutualRequired)
	c.out = uint64(uint32(c.auth.SeqNumber))
	b, err := req.Marshal()
	c.must(err)
	return tagged(stdasn1.ClassApplication, 0, must(stdasn1.Marshal(oidKerberos)), []byte{1, 0}, b)
}

func (c *kerberosClient) answered(in []byte) error {
	var token krbspnego.KRB5Token
	if err := token.Unmarshal(in); err != nil || !token.IsAPRep() {
		return errors.New("no AP-REP")
	}
	b, err := crypto.DecryptEncPart(token.APRep.EncPart, c.key, keyusage.AP_REP_ENCPART)
	if err != nil {
		return err
	}
	var part messages.EncAPRepPart
	if err := part.Unmarshal(b); err != nil {
		return err
	}
	if part.CTime.Unix() != c.auth.CTime.Unix() || part.Cusec != c.auth.Cusec || len(part.Subkey.KeyValue) == 0 {
		return errors.New("AP-REP answers another request")
	}
	c.key, c.in, c.done = part.Subkey, uint64(part.SequenceNumber), true
	return nil
}

func header(flags byte, sequence uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{5, 4, flags, 0xff, 0, 0, 0, 0}, sequence)
}

// Wrap implements secure.Context.
func (c *kerberosClient) Wrap(plain []byte) (signature, sealed []byte, err error) {
	h := header(2|4, c.out)
	inner := h
	if c.forged {
		inner = header(2|4, c.out+1)
	}
	_, text, err := c.etype.EncryptMessage(c.key.KeyValue, append(bytes.Clone(plain), inner...), keyusage.GSSAPI_INITIATOR_SEAL)
	if err != nil {
		return nil, nil, err
	}
	c.out++
	h[7] = 28
	token := append(append(h, text[len(text)-28:]...), text[:len(text)-28]...)
	return token[:60], token[60:], nil
}

// Unwrap implements secure.Context.
func (c *kerberosClient) Unwrap(signature, sealed []byte) ([]byte, error) {
	if len(signature) != 60 || signature[7] != 28 {
		return nil, errors.New("not the form of Windows")
	}
	text := append(bytes.Clone(signature[16:]), sealed...)
	plain, err := c.etype.DecryptMessage(c.key.KeyValue, append(bytes.Clone(text[28:]), text[:28]...), keyusage.GSSAPI_ACCEPTOR_SEAL)
	if err != nil {
		return nil, err
	}
	if h := header(1|2|4, c.in); !bytes.Equal(plain[len(plain)-16:], h) {
		return nil, errors.New("wrong header")
	}
	c.in++
	return plain[:len(plain)-16], nil
}

// TestKerberos: Kerberos is accepted raw and in SPNEGO, under both schemes.
func TestKerberos(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"Negotiate", "Kerberos"} {
		for _, wrapped := range []bool{false, true} {
			keys := serviceKeys(t)
			h := newHost(t, hypervsim.WithKerberos(keys))
			p := newPeer(t, h)
			p.scheme = scheme
			x := newKerberosClient(t, keys)
			var status int
			if wrapped {
				status = p.establish(&spnego{Context: krbInSPNEGO{x}, offer: []stdasn1.ObjectIdentifier{oidKerberos, oidNTLM}, own: oidKerberos})
			} else {
				status = p.establish(x)
			}
			if status != http.StatusOK {
				t.Errorf("%s, SPNEGO %v: logon = %d", scheme, wrapped, status)
				continue
			}
			p.send(getService()).wantOK(t, "vhdsvc")
			p.send(getService()).wantOK(t, "vhdsvc")
			if got := h.Requests()[0].User; got != realm+`\`+principal {
				t.Errorf("user = %s", got)
			}
		}
	}
}

// krbInSPNEGO ends with the host's only token.
type krbInSPNEGO struct{ *kerberosClient }

// Next implements secure.Context.
func (c krbInSPNEGO) Next(ctx context.Context, in []byte) ([]byte, bool, error) {
	return c.kerberosClient.Next(ctx, in)
}

// TestKerberos_refused: tickets and authenticators that a host does not accept.
func TestKerberos_refused(t *testing.T) {
	t.Parallel()
	keys := serviceKeys(t)
	foreign := keytab.New()
	if err := foreign.AddEntry(service, realm, "another password", time.Now(), 1, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		tls    bool
		change func(c *kerberosClient, p *peer)
		status int
	}{
		{"good", false, func(*kerberosClient, *peer) {}, http.StatusOK},
		{"no mutual authentication", false, func(c *kerberosClient, _ *peer) { c.flags &^= 2 }, http.StatusUnauthorized},
		{"no sealing", false, func(c *kerberosClient, _ *peer) { c.flags &^= 16 }, http.StatusUnauthorized},
		{"key of another service", false, func(c *kerberosClient, _ *peer) { c.keys = foreign }, http.StatusUnauthorized},
		{"expired ticket", false, func(c *kerberosClient, _ *peer) { c.expired = true }, http.StatusUnauthorized},
		{"TLS, right binding", true, func(c *kerberosClient, p *peer) { c.binding = p.binding() }, http.StatusOK},
		{"TLS, no binding", true, func(*kerberosClient, *peer) {}, http.StatusOK},
		{"TLS, wrong binding", true, func(c *kerberosClient, _ *peer) { c.binding = []byte("tls-server-end-point:x") }, http.StatusUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := []hypervsim.Option{hypervsim.WithKerberos(keys)}
			if test.tls {
				opts = append(opts, hypervsim.WithTLS())
			}
			p := newPeer(t, newHost(t, opts...))
			x := newKerberosClient(t, keys)
			test.change(x, p)
			if got := p.establish(x); got != test.status {
				t.Errorf("logon = %d, want %d", got, test.status)
			}
			if test.status == http.StatusOK {
				p.send(getService()).wantOK(t, "vhdsvc")
			}
		})
	}
}

// TestKerberos_replay refuses a message that came before, and one whose header
// is not the one that was sealed.
func TestKerberos_replay(t *testing.T) {
	t.Parallel()
	keys := serviceKeys(t)
	p := newPeer(t, newHost(t, hypervsim.WithKerberos(keys)))
	x := newKerberosClient(t, keys)
	if got := p.establish(x); got != http.StatusOK {
		t.Fatalf("logon = %d", got)
	}
	p.send(getService()).wantOK(t, "vhdsvc")
	x.out--
	if r := p.send(getService()); r.status != http.StatusBadRequest {
		t.Errorf("a sequence number again = %d, want 400", r.status)
	}
	x.forged = true
	if r := p.send(getService()); r.status != http.StatusBadRequest {
		t.Errorf("another header inside = %d, want 400", r.status)
	}
}
