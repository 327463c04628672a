package hypervsim

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/go-krb5/krb5/keytab"
)

// Option sets up a host. Disks and virtual machines that a host starts with are
// options too.
type Option interface{ apply(o *options) }

// optionFunc is an Option made of a function.
type optionFunc func(o *options)

func (f optionFunc) apply(o *options) { f(o) }

// Generation is a version of the Hyper-V WMI provider that a host may have.
type Generation int

// Generations of the Hyper-V WMI provider.
const (
	V1 Generation = 1 // root\virtualization, Windows Server 2008 to 2012
	V2 Generation = 2 // root\virtualization\v2, Windows Server 2012 and later
)

// Scheme is an HTTP authentication scheme, as a host announces it.
type Scheme string

// Schemes that a host can announce.
const (
	SchemeNegotiate   Scheme = "Negotiate"
	SchemeKerberos    Scheme = "Kerberos"
	SchemeBasic       Scheme = "Basic"
	SchemeCertificate Scheme = "Certificate" // never announced, only accepted
)

// options holds what the Option values set.
type options struct {
	address           string
	noListener        bool
	computerName      string
	domain, dnsDomain string // of which the computer is a member; empty: none
	noPrincipalNames  bool
	noRawKerberos     bool
	users             []account
	schemes           []Scheme // nil: those that the other options make possible
	basic             bool
	keytab            *keytab.Keytab
	tls               bool
	clientAuthorities *x509.CertPool
	clientUser        string
	strictBinding     bool
	allowUnencrypted  bool
	generations       []Generation
	generationsSet    bool
	locale            string
	faultForm         FaultForm
	maxEnvelopeKB     int
	maxBatchItems     int
	plainEnumeration  bool
	singleItemPage    bool
	quota             int
	enumerationIdle   time.Duration
	idleTimeout       time.Duration
	clock             func() time.Time
	log               *slog.Logger

	arrange []func(h *Host) error // run once the world exists
}

// account is a user who may log on.
type account struct{ domain, name, password string }

// defaultOptions is a recent host: WinRM's defaults (MS-WSMV 2.2.4.10).
func defaultOptions() options {
	return options{
		address:         "127.0.0.1:0",
		computerName:    "HYPERV01",
		locale:          "en-US",
		maxEnvelopeKB:   500,
		maxBatchItems:   32000,
		quota:           15,
		enumerationIdle: 240 * time.Second,
		idleTimeout:     120 * time.Second,
		clock:           time.Now,
		log:             slog.New(slog.DiscardHandler),
	}
}

// check completes the options and refuses what cannot work.
func (o *options) check() error {
	if len(o.users) == 0 {
		o.users = []account{{domain: "HYPERV", name: "admin", password: DefaultPassword}}
	}
	if o.clientAuthorities != nil && !o.tls {
		return errors.New("hypervsim: client certificates need WithTLS")
	}
	if slices.Contains(o.schemes, SchemeKerberos) && o.keytab == nil {
		return errors.New("hypervsim: the scheme Kerberos needs WithKerberos")
	}
	if _, _, err := net.SplitHostPort(o.address); err != nil {
		return errors.New("hypervsim: the address to listen on has no port")
	}
	if o.schemes == nil {
		o.schemes = []Scheme{SchemeNegotiate}
		if o.keytab != nil {
			o.schemes = append(o.schemes, SchemeKerberos)
		}
		if o.basic {
			o.schemes = append(o.schemes, SchemeBasic)
		}
		if o.clientAuthorities != nil {
			o.schemes = append(o.schemes, SchemeCertificate)
		}
	}
	return nil
}

// DefaultUser and DefaultPassword log on to a host that was given no user.
const (
	DefaultUser     = `HYPERV\admin`
	DefaultPassword = "Passw0rd!"
)

// WithUser lets a user log on, DOMAIN\name or name. It can be given repeatedly.
func WithUser(user, password string) Option {
	return optionFunc(func(o *options) {
		domain, name, found := strings.Cut(user, `\`)
		if !found {
			domain, name = "", user
		}
		o.users = append(o.users, account{domain: domain, name: name, password: password})
	})
}

// WithBasic accepts Basic authentication as well.
func WithBasic() Option { return optionFunc(func(o *options) { o.basic = true }) }

// WithKerberos accepts Kerberos tickets for the services in the keytab.
func WithKerberos(kt *keytab.Keytab) Option {
	return optionFunc(func(o *options) { o.keytab = kt })
}

// WithTLS serves https with a certificate of the host's own authority.
func WithTLS() Option { return optionFunc(func(o *options) { o.tls = true }) }

// WithClientCertificates accepts client certificates that one of the authorities
// signed, and takes their bearers for user.
func WithClientCertificates(authorities *x509.CertPool, user string) Option {
	return optionFunc(func(o *options) { o.clientAuthorities, o.clientUser = authorities, user })
}

// WithStrictChannelBinding refuses contexts on TLS that carry no channel
// binding (CbtHardeningLevel Strict). Wrong ones are refused in any case.
func WithStrictChannelBinding() Option {
	return optionFunc(func(o *options) { o.strictBinding = true })
}

// WithSchemes announces and accepts these authentication schemes and no other.
func WithSchemes(schemes ...Scheme) Option {
	return optionFunc(func(o *options) { o.schemes = schemes })
}

// WithAllowUnencrypted sets the service's AllowUnencrypted, false by default.
func WithAllowUnencrypted(allow bool) Option {
	return optionFunc(func(o *options) { o.allowUnencrypted = allow })
}

// WithGenerations sets which WMI providers the host has, and with them the
// release of Windows Server: V1 is 2008, both are 2012, V2 alone is 2022. None
// at all is a host without the Hyper-V role.
func WithGenerations(generations ...Generation) Option {
	return optionFunc(func(o *options) { o.generations, o.generationsSet = generations, true })
}

// release is the release that the generations ask for, 0 for none in particular.
func (o *options) release() Release {
	v1, v2 := slices.Contains(o.generations, V1), slices.Contains(o.generations, V2)
	switch {
	case v1 && v2:
		return Server2012
	case v1:
		return Server2008
	case v2:
		return Server2022
	}
	return 0
}

// withoutHyperV reports whether the host has no Hyper-V role.
func (o *options) withoutHyperV() bool { return o.generationsSet && len(o.generations) == 0 }

// WithLocale sets the language of the host, en-US by default. Fault texts and
// captions exist in en-US and ja-JP.
func WithLocale(locale string) Option {
	return optionFunc(func(o *options) { o.locale = locale })
}

// WithFaultForm sends every fault in one form, whatever layer it comes from.
func WithFaultForm(form FaultForm) Option {
	return optionFunc(func(o *options) { o.faultForm = form })
}

// WithMaxEnvelopeSizeKB sets the service's MaxEnvelopeSizekb, 500 by default.
func WithMaxEnvelopeSizeKB(kb int) Option {
	return optionFunc(func(o *options) { o.maxEnvelopeKB = kb })
}

// WithMaxBatchItems sets the service's MaxBatchItems, 32000 by default.
func WithMaxBatchItems(n int) Option {
	return optionFunc(func(o *options) { o.maxBatchItems = n })
}

// WithPlainEnumeration ignores OptimizeEnumeration: the answer to Enumerate has
// no items.
func WithPlainEnumeration() Option {
	return optionFunc(func(o *options) { o.plainEnumeration = true })
}

// WithSingleItemFirstPage answers an optimized Enumerate with one item and a
// context, as Windows Server 2008 R2 was seen to do.
func WithSingleItemFirstPage() Option {
	return optionFunc(func(o *options) { o.singleItemPage = true })
}

// WithQuota sets how many operations one user may have under way at once; an
// open enumeration is one. The WMI plug-in's default is 15.
func WithQuota(operationsPerUser int) Option {
	return optionFunc(func(o *options) { o.quota = operationsPerUser })
}

// WithEnumerationTimeout sets how long an enumeration may lie idle, 240 s by
// default.
func WithEnumerationTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.enumerationIdle = d })
}

// WithIdleTimeout sets after how long the host closes an idle connection, 120 s
// by default. It is measured by time.Now, not by the clock of WithClock.
func WithIdleTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.idleTimeout = d })
}

// WithClock tells the time of the host, time.Now by default.
func WithClock(clock func() time.Time) Option {
	return optionFunc(func(o *options) { o.clock = clock })
}

// WithLogger logs requests at debug level and refused ones at warning level.
func WithLogger(log *slog.Logger) Option {
	return optionFunc(func(o *options) { o.log = log })
}

// WithComputerName sets the NetBIOS name of the computer, HYPERV01 by default.
func WithComputerName(name string) Option {
	return optionFunc(func(o *options) { o.computerName = name })
}

// WithDomain makes the computer a member of a domain, by its NetBIOS and its DNS
// name. Its users are those that WithUser names with the NetBIOS name; they can
// also log on as name@dns. Without it the computer is in a workgroup.
func WithDomain(netBIOS, dns string) Option {
	return optionFunc(func(o *options) { o.domain, o.dnsDomain = netBIOS, dns })
}

// WithoutPrincipalNames refuses logons as name@suffix.
func WithoutPrincipalNames() Option {
	return optionFunc(func(o *options) { o.noPrincipalNames = true })
}

// WithoutRawKerberos takes Kerberos in SPNEGO only.
func WithoutRawKerberos() Option { return optionFunc(func(o *options) { o.noRawKerberos = true }) }

// WithAddress sets where the host listens, a free port of 127.0.0.1 by default.
func WithAddress(address string) Option {
	return optionFunc(func(o *options) { o.address = address })
}

// WithoutListener opens no socket: only Dial reaches the host.
func WithoutListener() Option { return optionFunc(func(o *options) { o.noListener = true }) }
