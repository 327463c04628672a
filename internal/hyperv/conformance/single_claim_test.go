package conformance_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-krb5/krb5/iana/etypeID"
	"github.com/go-krb5/krb5/iana/nametype"
	"github.com/go-krb5/krb5/keytab"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// canaryDNS is the DNS name of the domain canaryDomain.
const canaryDNS = "canary.example"

// singleClaim is a run that asks one claim of a host of a special kind.
type singleClaim struct {
	id      string
	opts    []hypervsim.Option
	rule    *hypervsim.Rule
	ask     func(request string) (string, *reply) // by a proxy
	answer  breakage                              // by a proxy
	status  [2]string                             // a status line and what is read in its place
	adjust  func(*testing.T, *conformance.Options)
	want    conformance.Result
	refused int  // failed logons
	stops   bool // the logon fails, so the run ends with an error
}

func (r singleClaim) run(t *testing.T) {
	t.Helper()
	var sim *hypervsim.Host
	var o conformance.Options
	if r.ask != nil || r.answer != nil {
		sim = hypervsim.RunT(t, proxied(r.opts...)...)
		o = proxyAsking(t, sim, r.ask, r.answer)
	} else {
		sim = hypervsim.RunT(t, arrange(".vhdx", append(r.opts, hypervsim.WithoutListener())...)...)
		o = options(sim, ".vhdx")
	}
	if r.status[0] != "" {
		o.Config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := sim.Dial(ctx, network, address)
			return answering{c, r.status[0], r.status[1]}, err
		}
	}
	if r.rule != nil {
		sim.AddRule(*r.rule)
	}
	o.Only = []string{r.id}
	if r.adjust != nil {
		r.adjust(t, &o)
	}
	report, err := conformance.Run(t.Context(), o)
	if report == nil || (err != nil) != r.stops {
		t.Fatal(err)
	}
	if f := only(t, report, r.id); f.Result != r.want {
		t.Errorf("%s, want %s: %s%s", f.Result, r.want, f.Seen, f.Why)
	}
	if n := sim.FailedLogons(); n != r.refused {
		t.Errorf("%d failed logons, want %d", n, r.refused)
	}
	emptyHanded(t, sim)
}

// answering replaces the status line of answers that a connection reads.
type answering struct {
	net.Conn
	from, to string
}

// Read implements net.Conn.
func (c answering) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return copy(p, strings.Replace(string(p[:n]), c.from, c.to, 1)), err
}

// TestSingleClaims: claims that ask for a host of a special kind, held, contradicted and, where the
// host gives no evidence, not tested.
func TestSingleClaims(t *testing.T) {
	t.Parallel()
	denied := func(class, method string, code uint32) *hypervsim.Rule {
		return &hypervsim.Rule{Class: class, Method: method, Times: -1, Effect: hypervsim.Fault(code, hypervsim.FaultFormAny)}
	}
	const service = "Msvm_ImageManagementService"
	inspections := func(jobs int) []hypervsim.Option {
		return []hypervsim.Option{hypervsim.WithVHD(hypervsim.VHD{Path: diskPath(".vhdx"), InspectionJobs: jobs})}
	}
	for name, r := range map[string]singleClaim{
		"2012 R2 without the older generation": {
			id: "v1-on-2012r2", opts: []hypervsim.Option{hypervsim.WithRelease(hypervsim.Server2012R2)}, want: conformance.Held,
		},
		"2012 R2 that does not say": {
			id: "v1-on-2012r2", opts: []hypervsim.Option{hypervsim.WithRelease(hypervsim.Server2012R2)},
			answer: swap("2147749902", "2150858793"), want: conformance.NotTested,
		},
		"releases without saying": {
			id: "namespaces-by-release", answer: swap("2147749902", "2150858793"), want: conformance.NotTested,
		},

		"no right to read": {id: "access-denied-code", rule: denied(service, "", 2150859013), want: conformance.Held},
		"no right to call": {id: "access-denied-code", rule: denied(service, "GetVirtualHardDiskState", 5), want: conformance.Held},
		"no right, by another number": {
			id: "access-denied-code", answer: asks(service, refusesWith("AccessDenied", 2150858793)), want: conformance.Contradicted,
		},
		"no right to call, by another number": {
			id: "access-denied-code", answer: asks("GetVirtualHardDiskState_INPUT", refusesWith("AccessDenied", 2150858793)), want: conformance.Contradicted,
		},
		"no service":  {id: "access-denied-code", answer: asks(service, faulty), want: conformance.NotTested},
		"every right": {id: "access-denied-code", want: conformance.NotTested},

		"inspection after a job":   {id: "inspection-after-job", opts: inspections(1), want: conformance.Held},
		"inspection without a job": {id: "inspection-after-job", want: conformance.NotTested},
		"inspection by a failing job": {
			id: "inspection-after-job", opts: inspections(1), answer: swap("<p:JobState>7<", "<p:JobState>10<"), want: conformance.NotTested,
		},
		"inspection by a job without a name": {id: "inspection-after-job", answer: returns("GetVirtualHardDiskSettingData", 4096), want: conformance.NotTested},

		"no directory behind a share": {id: "file-classes-local-drives", want: conformance.Held},
		"no share":                    {id: "file-classes-local-drives", answer: asks("Win32_Share", faultWith(2150858752)), want: conformance.NotTested},
		"shares that nobody may see":  {id: "file-classes-local-drives", answer: asks("Win32_Share", faultWith(5)), want: conformance.NotTested},

		"parameters, refused whatever they are": {id: "unknown-parameter", answer: asks("_INPUT", faulty), want: conformance.NotTested},
		"types, refused whatever they are":      {id: "parameter-type", answer: asks("_INPUT", faulty), want: conformance.NotTested},
		"selectors, refused whatever they are":  {id: "invoke-without-selectors", answer: asks("_INPUT", faulty), want: conformance.NotTested},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, r.run)
		})
	}
}

// TestSuffixLogon: a form of user names is judged by credentials that are known
// to be good, at the price of one failed logon at most.
func TestSuffixLogon(t *testing.T) {
	t.Parallel()
	const id = "ntlm-suffix-domain"
	member := hypervsim.WithDomain(canaryDomain, canaryDNS)
	user := func(name string) func(*testing.T, *conformance.Options) {
		return func(_ *testing.T, o *conformance.Options) { o.Config.Username = name }
	}
	wrong := func(name string) func(*testing.T, *conformance.Options) {
		return func(_ *testing.T, o *conformance.Options) { o.Config.Username, o.Config.Password = name, "wrong" }
	}
	suffix, domain := canaryUser+"@"+canaryDNS, canaryDomain+`\`+canaryUser
	takes, refuses := []hypervsim.Option{member}, []hypervsim.Option{member, hypervsim.WithoutPrincipalNames()}
	for name, r := range map[string]singleClaim{
		"configured":                           {opts: takes, adjust: user(suffix), want: conformance.Held},
		"configured, refused":                  {opts: refuses, adjust: user(suffix), want: conformance.NotTested, refused: 1, stops: true},
		"configured, wrong password":           {opts: takes, adjust: wrong(suffix), want: conformance.NotTested, refused: 1, stops: true},
		"user of the domain":                   {opts: takes, want: conformance.Held},
		"user of the domain, by its DNS name":  {opts: takes, adjust: user(canaryDNS + `\` + canaryUser), want: conformance.Held},
		"user of the domain, refused":          {opts: refuses, want: conformance.Contradicted, refused: 1},
		"user of the domain, wrong password":   {opts: refuses, adjust: wrong(domain), want: conformance.NotTested, refused: 1, stops: true},
		"user of another domain":               {opts: []hypervsim.Option{hypervsim.WithDomain("OTHER", "other.example")}, want: conformance.NotTested},
		"user of the computer, in a workgroup": {opts: []hypervsim.Option{hypervsim.WithComputerName(canaryDomain)}, want: conformance.NotTested},
		"user without a domain":                {opts: takes, adjust: user(canaryUser), want: conformance.NotTested},
		"suffix and domain":                    {opts: []hypervsim.Option{member, hypervsim.WithUser(canaryDomain+`\a@b`, canaryPassword)}, adjust: user(canaryDomain + `\a@b`), want: conformance.NotTested},
		"over https": {
			opts:   []hypervsim.Option{member, hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding(), hypervsim.WithoutPrincipalNames()},
			adjust: func(_ *testing.T, o *conformance.Options) { o.Config.HTTPS, o.Config.Insecure = true, true },
			want:   conformance.Contradicted, refused: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r.id = id
			synctest.Test(t, r.run)
		})
	}
}

// TestSuffixLogon_passwordChanged: a password that has become wrong by the time that the claim is
// asked about proves nothing, and is not tried in the other form.
func TestSuffixLogon_passwordChanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		singleClaim{
			id: "ntlm-suffix-domain", opts: []hypervsim.Option{hypervsim.WithDomain(canaryDomain, canaryDNS), hypervsim.WithoutPrincipalNames()},
			// After the logon of the run and the look at the challenge.
			rule: &hypervsim.Rule{Operation: hypervsim.OperationHandshake, Skip: 2, Effect: hypervsim.Unauthorized()},
			want: conformance.NotTested,
		}.run(t)
	})
}

// kerberos is a logon with a ticket of the service.
type kerberos struct {
	opts    []hypervsim.Option
	tls     bool
	forged  bool // the ticket is sealed with another key than that of the service
	want    conformance.Result
	stops   bool
	refused int
}

const (
	realm            = "CANARY.EXAMPLE"
	servicePrincipal = "HTTP/hyperv.test"
)

// singleClaim is a run with that logon.
func (k kerberos) singleClaim() singleClaim {
	password := canaryPassword
	if k.forged {
		password = "another"
	}
	return singleClaim{
		id: "kerberos-raw-token", opts: append([]hypervsim.Option{hypervsim.WithKerberos(serviceKeys(canaryPassword))}, k.opts...),
		adjust: func(t *testing.T, o *conformance.Options) {
			t.Helper()
			o.Config.Auth, o.Config.Password, o.Config.HTTPS, o.Config.Insecure = hyperv.AuthKerberos, "", k.tls, k.tls
			o.Config.Username = canaryUser + "@" + realm
			o.Config.Kerberos = hyperv.KerberosConfig{
				CCachePath: ticketCache(t, serviceKeys(password)), SPN: servicePrincipal,
				ConfigPath: file(t, "krb5.conf", []byte("[libdefaults]\ndefault_realm = "+realm+"\ndns_lookup_kdc = false\n")),
			}
		},
		want: k.want, stops: k.stops, refused: k.refused,
	}
}

func serviceKeys(password string) *keytab.Keytab {
	kt := keytab.New()
	if err := kt.AddEntry(servicePrincipal, realm, password, time.Now(), 1, etypeID.AES256_CTS_HMAC_SHA1_96); err != nil {
		panic(err) // the arguments are constant
	}
	return kt
}

// TestKerberosLogon: a token that is refused as it is and taken in SPNEGO
// contradicts; a ticket that the host cannot read does not.
func TestKerberosLogon(t *testing.T) {
	t.Parallel()
	inSPNEGO := []hypervsim.Option{hypervsim.WithoutRawKerberos()}
	strict := []hypervsim.Option{hypervsim.WithoutRawKerberos(), hypervsim.WithTLS(), hypervsim.WithStrictChannelBinding()}
	for name, k := range map[string]kerberos{
		"raw":                          {want: conformance.Held},
		"in SPNEGO only":               {opts: inSPNEGO, want: conformance.Contradicted, stops: true, refused: 2},
		"in SPNEGO only, by https":     {opts: strict, tls: true, want: conformance.Contradicted, stops: true, refused: 2},
		"a forged ticket":              {forged: true, want: conformance.NotTested, stops: true, refused: 2},
		"a forged ticket, SPNEGO only": {opts: inSPNEGO, forged: true, want: conformance.NotTested, stops: true, refused: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, k.singleClaim().run)
		})
	}
}

// ticketCache writes a ticket for a service, as a KDC that knows its keys would
// grant it, into a ticket cache of version 4.
func ticketCache(t *testing.T, keys *keytab.Keytab) string {
	t.Helper()
	start := time.Now().UTC()
	end := start.Add(time.Hour)
	ticket, key, err := messages.NewTicket(types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, canaryUser), realm,
		types.NewPrincipalName(nametype.KRB_NT_SRV_INST, servicePrincipal), realm, types.NewKrbFlags(), keys, etypeID.AES256_CTS_HMAC_SHA1_96, 1, start, start, end, end)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := ticket.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	number := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	data := func(b []byte) []byte { return append(number(len(b)), b...) }
	principal := func(kind int, names ...string) []byte {
		b := append(append(number(kind), number(len(names))...), data([]byte(realm))...)
		for _, n := range names {
			b = append(b, data([]byte(n))...)
		}
		return b
	}
	b := append([]byte{5, 4, 0, 0}, principal(1, canaryUser)...)
	b = append(b, principal(1, canaryUser)...)
	b = append(b, principal(2, strings.Split(servicePrincipal, "/")...)...)
	b = binary.BigEndian.AppendUint16(b, uint16(key.KeyType))
	b = append(b, data(key.KeyValue)...)
	for _, at := range []int64{start.Unix(), start.Unix(), end.Unix(), 0} {
		b = append(b, number(int(at))...)
	}
	b = append(b, make([]byte, 1+4+4+4)...) // session key, flags, addresses, authorization data
	b = append(append(b, data(sealed)...), data(nil)...)
	return file(t, "ccache", b)
}

func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refusesWith turns an answer into a fault with a subcode of WS-Management.
func refusesWith(subcode string, code uint32) breakage {
	return func(r *reply) {
		faultWith(code)(r)
		r.body = strings.Replace(r.body, "a:EndpointUnavailable", fmt.Sprintf("w:%s", subcode), 1)
		r.body = strings.Replace(r.body, "<s:Envelope ", `<s:Envelope xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" `, 1)
	}
}
