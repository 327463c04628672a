package winrmsim_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

const (
	nsEnumeration = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
	wmiV2         = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/"
	wmiV1         = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/"
	serviceClass  = "Msvm_ImageManagementService"
	plainSOAP     = "application/soap+xml;charset=UTF-8"
	smallDisk     = `D:\VMs\small.vhdx`
)

// peer is a client on one connection that does nothing on its own: what it sends
// is what the test says.
type peer struct {
	t       *testing.T
	conn    net.Conn
	answers *bufio.Reader
	url     string
	host    *hypervsim.Host
	scheme  string
	context secure.Context // established
	tls     *tls.ConnectionState
	noTAB   bool
	utf16   bool
}

var errOneConnection = errors.New("the connection is gone")

// newPeer connects to the host, in memory.
func newPeer(t *testing.T, h *hypervsim.Host, certificates ...tls.Certificate) *peer {
	t.Helper()
	p := &peer{t: t, host: h, url: "http://" + h.Addr() + "/wsman", scheme: "Negotiate"}
	conn, err := h.Dial(t.Context(), "tcp", h.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return p.on(conn, certificates...)
}

// newPeerAs connects to the host as a named client.
func newPeerAs(t *testing.T, h *hypervsim.Host, client string) *peer {
	t.Helper()
	conn, err := h.DialAs(client)(t.Context(), "tcp", h.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return (&peer{t: t, host: h, url: "http://" + h.Addr() + "/wsman", scheme: "Negotiate"}).on(conn)
}

// on uses a connection.
func (p *peer) on(conn net.Conn, certificates ...tls.Certificate) *peer {
	p.t.Helper()
	h, t := p.host, p.t
	if ca := h.CACertificate(); ca != nil {
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(ca)
		secured := tls.Client(conn, &tls.Config{RootCAs: pool, ServerName: h.HostName(), Certificates: certificates})
		if err := secured.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		state := secured.ConnectionState()
		p.tls, conn = &state, secured
	}
	p.conn, p.answers = conn, bufio.NewReader(conn)
	t.Cleanup(func() { _ = conn.Close() })
	return p
}

// logon establishes an NTLM context.
func (p *peer) logon(user, password string) int {
	p.t.Helper()
	x, err := secure.NewNTLM(secure.NTLMConfig{User: user, Password: password}).NewContext(p.binding())
	if err != nil {
		p.t.Fatal(err)
	}
	return p.establish(x)
}

func (p *peer) binding() []byte {
	if p.tls == nil {
		return nil
	}
	binding, err := secure.ChannelBinding(*p.tls)
	if err != nil {
		p.t.Fatal(err)
	}
	return binding
}

// establish carries out the handshake of a context and returns the last status.
func (p *peer) establish(x secure.Context) int {
	p.t.Helper()
	var in []byte
	for {
		out, established, err := x.Next(p.t.Context(), in)
		if err != nil {
			p.t.Fatal(err)
		}
		if out == nil {
			p.context = x
			return http.StatusOK
		}
		r := p.post(http.Header{"Authorization": {p.scheme + " " + base64.StdEncoding.EncodeToString(out)}}, nil)
		in = nil
		if token, ok := strings.CutPrefix(r.header.Get("WWW-Authenticate"), p.scheme+" "); ok {
			if in, err = base64.StdEncoding.DecodeString(token); err != nil {
				p.t.Fatal(err)
			}
		}
		switch {
		case r.status == http.StatusOK && in == nil && established:
			p.context = x
			return r.status
		case in == nil:
			return r.status
		}
	}
}

// response is what came back.
type response struct {
	status int
	header http.Header
	body   string
	err    error
}

// post sends a body as it is.
func (p *peer) post(header http.Header, body []byte) response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	return p.do(r)
}

// do sends a request and reads its answer. They may overlap: a host may answer
// before it has read everything. http.Transport is of no use here: it gives a
// connection up when the machine is busy.
func (p *peer) do(r *http.Request) response {
	p.t.Helper()
	stop := context.AfterFunc(r.Context(), func() { _ = p.conn.Close() })
	defer stop()
	written := make(chan error, 1)
	go func() { written <- r.Write(p.conn) }()
	answer, err := http.ReadResponse(p.answers, r)
	if err != nil {
		_ = p.conn.Close()
		<-written
		if r.Context().Err() != nil {
			return response{err: r.Context().Err()}
		}
		return response{err: fmt.Errorf("%w: %w", errOneConnection, err)}
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	if answer.Close || err != nil {
		_ = p.conn.Close()
	}
	<-written
	return response{status: answer.StatusCode, header: answer.Header, body: string(b), err: err}
}

// plain sends a message in the clear.
func (p *peer) plain(message string) response {
	p.t.Helper()
	return p.post(http.Header{"Content-Type": {plainSOAP}}, []byte(message))
}

func (p *peer) protocol() string {
	if p.scheme == "Kerberos" {
		return secure.ProtocolKerberos
	}
	return secure.ProtocolSPNEGO
}

// send seals a message, sends it and opens the answer.
func (p *peer) send(message string) response {
	p.t.Helper()
	signature, sealed, err := p.context.Wrap([]byte(message))
	if err != nil {
		p.t.Fatal(err)
	}
	body := secure.EncodeSealed(p.protocol(), len(message), signature, sealed)
	if p.noTAB {
		body = bytes.Replace(body, []byte("\tContent-Type"), []byte("Content-Type"), 2)
		body = bytes.Replace(body, []byte("\tOriginal"), []byte("Original"), 1)
	}
	if p.utf16 {
		body = bytes.Replace(body, []byte("UTF-8"), []byte("UTF-16"), 1)
	}
	r := p.post(http.Header{"Content-Type": {secure.SealedContentType(p.protocol())}}, body)
	if r.err != nil || !secure.IsSealed(r.header.Get("Content-Type")) {
		return r
	}
	signature, sealed, err = secure.DecodeSealed([]byte(r.body))
	if err != nil {
		r.err = err
		return r
	}
	opened, err := p.context.Unwrap(signature, sealed)
	r.body, r.err = string(opened), err
	return r
}

var (
	codePattern    = regexp.MustCompile(`<f:WSManFault [^>]*Code="(\d+)"`)
	subcodePattern = regexp.MustCompile(`<s:Subcode><s:Value>([^<]*)<`)
	contextPattern = regexp.MustCompile(`<n:EnumerationContext>([^<]+)<`)
)

// code is the WSManFault code of an answer, 0 if it is no fault.
func (r response) code() uint32 {
	if m := codePattern.FindStringSubmatch(r.body); m != nil {
		n, err := strconv.ParseUint(m[1], 10, 32)
		if err == nil {
			return uint32(n)
		}
	}
	return 0
}

func (r response) subcode() string {
	if m := subcodePattern.FindStringSubmatch(r.body); m != nil {
		return m[1]
	}
	return ""
}

func (r response) context() string {
	if m := contextPattern.FindStringSubmatch(r.body); m != nil {
		return m[1]
	}
	return ""
}

// wantOK fails unless the answer is a good one that holds the mark.
func (r response) wantOK(t *testing.T, mark string) {
	t.Helper()
	if r.err != nil || r.status != http.StatusOK || !strings.Contains(r.body, mark) {
		t.Errorf("answer = %d, %v, %s, want 200 with %s", r.status, r.err, r.body, mark)
	}
}

// wantFault fails unless the answer is this fault.
func (r response) wantFault(t *testing.T, code uint32) {
	t.Helper()
	if r.err != nil || r.status != http.StatusInternalServerError || r.code() != code {
		t.Errorf("answer = %d, %v, fault %d, want fault %d: %s", r.status, r.err, r.code(), code, r.body)
	}
}

// message is a request; empty fields take what a host accepts.
type message struct {
	uri, action, selectors, body, size, extra string
}

func (m message) String() string {
	if m.uri == "" {
		m.uri = wmiV2 + serviceClass
	}
	if m.action == "" {
		m.action = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
	}
	if m.size == "" {
		m.size = "512000"
	}
	if m.selectors != "" {
		m.selectors = "<w:SelectorSet>" + m.selectors + "</w:SelectorSet>"
	}
	return fmt.Sprintf(`<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" `+
		`xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:n="%s"><s:Header><a:To>http://host/wsman</a:To><w:ResourceURI>%s</w:ResourceURI>`+
		`<a:ReplyTo><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo><a:Action>%s</a:Action>`+
		`<w:MaxEnvelopeSize>%s</w:MaxEnvelopeSize><a:MessageID>uuid:42</a:MessageID>%s%s</s:Header><s:Body>%s</s:Body></s:Envelope>`,
		nsEnumeration, m.uri, m.action, m.size, m.selectors, m.extra, m.body)
}

func selector(name, value string) string {
	return `<w:Selector Name="` + name + `">` + value + `</w:Selector>`
}

// getService asks for the service by its one selector.
func getService() string {
	return message{selectors: selector("CreationClassName", serviceClass)}.String()
}

// call is a method call of the service.
func call(method, input string) string {
	return message{
		action: wmiV2 + serviceClass + "/" + method, selectors: selector("CreationClassName", serviceClass),
		body: `<m:` + method + `_INPUT xmlns:m="` + wmiV2 + serviceClass + `">` + input + `</m:` + method + `_INPUT>`,
	}.String()
}

func settingData(path string) string {
	return call("GetVirtualHardDiskSettingData", "<m:Path>"+path+"</m:Path>")
}

func enumerate(uri, content string) string {
	return message{uri: uri, action: nsEnumeration + "/Enumerate", body: "<n:Enumerate>" + content + "</n:Enumerate>"}.String()
}

func wql(query string) string {
	return `<w:OptimizeEnumeration/><w:MaxElements>100</w:MaxElements><w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">` + query + `</w:Filter>`
}

func pull(uri, enumerationContext, content string) string {
	return message{uri: uri, action: nsEnumeration + "/Pull", body: "<n:Pull><n:EnumerationContext>" + enumerationContext + "</n:EnumerationContext>" + content + "</n:Pull>"}.String()
}

func release(uri, enumerationContext string) string {
	return message{uri: uri, action: nsEnumeration + "/Release", body: "<n:Release><n:EnumerationContext>" + enumerationContext + "</n:EnumerationContext></n:Release>"}.String()
}

// newHost starts a host with one disk that a peer can ask for.
func newHost(t *testing.T, opts ...hypervsim.Option) *hypervsim.Host {
	t.Helper()
	return hypervsim.RunT(t, append([]hypervsim.Option{
		hypervsim.WithoutListener(), hypervsim.WithVHD(hypervsim.VHD{Path: smallDisk, FileSize: 1 << 30}),
	}, opts...)...)
}

// loggedOn starts a host and logs a peer on.
func loggedOn(t *testing.T, opts ...hypervsim.Option) (*hypervsim.Host, *peer) {
	t.Helper()
	h := newHost(t, opts...)
	p := newPeer(t, h)
	if status := p.logon(hypervsim.DefaultUser, hypervsim.DefaultPassword); status != http.StatusOK {
		t.Fatalf("logon = %d", status)
	}
	return h, p
}
