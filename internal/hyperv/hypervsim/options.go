package hypervsim

import (
	"crypto/x509"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/go-krb5/krb5/keytab"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim/winrmsim"
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

// options holds the settings that Option values make.
type options struct {
	wire           winrmsim.Config
	generations    []Generation
	generationsSet bool
	release        Release // 0: by generations
	site           *site   // nil: one of its own

	arrange []func(h *Host) error // run once the world exists
}

func defaultOptions() options { return options{wire: winrmsim.DefaultConfig()} }

// WithUser lets a user log on, DOMAIN\name or name. It can be given repeatedly.
func WithUser(user, password string) Option {
	return optionFunc(func(o *options) {
		domain, name, found := strings.Cut(user, `\`)
		if !found {
			domain, name = "", user
		}
		o.wire.Users = append(o.wire.Users, winrmsim.Account{Domain: domain, Name: name, Password: password})
	})
}

// Group is a local group of Windows that gives rights.
type Group string

// The groups that matter to this package.
const (
	RemoteManagementUsers Group = "Remote Management Users" // may use the service
	HyperVAdministrators  Group = "Hyper-V Administrators"  // see and use Hyper-V
)

// WithMember lets a user log on who is not an administrator but a member of the
// given groups.
func WithMember(user, password string, groups ...Group) Option {
	return optionFunc(func(o *options) {
		WithUser(user, password).apply(o)
		account := &o.wire.Users[len(o.wire.Users)-1]
		account.NoRights = !slices.Contains(groups, RemoteManagementUsers)
		if !slices.Contains(groups, HyperVAdministrators) {
			account.Blind = cim.NamespaceVirtualizationV1 // and v2 below it
		}
	})
}

// WithAnswer changes the text of every answer before it is sealed, given the
// envelope that it answers: for a host that contradicts what is known of hosts.
func WithAnswer(change func(request, answer string) string) Option {
	return optionFunc(func(o *options) { o.wire.Answer = change })
}

// WithBasic accepts Basic authentication as well.
func WithBasic() Option { return optionFunc(func(o *options) { o.wire.Basic = true }) }

// WithKerberos accepts Kerberos tickets for the services in the keytab.
func WithKerberos(kt *keytab.Keytab) Option {
	return optionFunc(func(o *options) { o.wire.Keytab = kt })
}

// WithTLS serves https with a certificate of the host's own authority.
func WithTLS() Option { return optionFunc(func(o *options) { o.wire.TLS = true }) }

// WithClientCertificates accepts client certificates that one of the authorities
// signed, and takes their bearers for user.
func WithClientCertificates(authorities *x509.CertPool, user string) Option {
	return optionFunc(func(o *options) { o.wire.ClientAuthorities, o.wire.ClientUser = authorities, user })
}

// WithStrictChannelBinding refuses contexts on TLS that carry no channel
// binding (CbtHardeningLevel Strict). Wrong ones are refused in any case.
func WithStrictChannelBinding() Option {
	return optionFunc(func(o *options) { o.wire.StrictBinding = true })
}

// WithSchemes announces and accepts these authentication schemes and no other.
func WithSchemes(schemes ...winrmsim.Scheme) Option {
	return optionFunc(func(o *options) { o.wire.Schemes = schemes })
}

// WithAllowUnencrypted sets the service's AllowUnencrypted, false by default.
func WithAllowUnencrypted(allow bool) Option {
	return optionFunc(func(o *options) { o.wire.AllowUnencrypted = allow })
}

// WithGenerations sets which WMI providers the host has, and with them the
// release of Windows Server: V1 is 2008, both are 2012, V2 alone is 2022. None
// at all is a host without the Hyper-V role.
func WithGenerations(generations ...Generation) Option {
	return optionFunc(func(o *options) { o.generations, o.generationsSet = generations, true })
}

// releaseOf returns the release that the options ask for, 0 if they ask for
// none.
func (o *options) releaseOf() Release {
	if o.release != 0 {
		return o.release
	}
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
	return optionFunc(func(o *options) { o.wire.Locale = locale })
}

// WithFaultForm sends every fault in one form, whatever layer it comes from.
func WithFaultForm(form winrmsim.FaultForm) Option {
	return optionFunc(func(o *options) { o.wire.FaultForm = form })
}

// WithMaxEnvelopeSizeKB sets the service's MaxEnvelopeSizekb, 500 by default.
func WithMaxEnvelopeSizeKB(kb int) Option {
	return optionFunc(func(o *options) { o.wire.MaxEnvelopeKB = kb })
}

// WithMaxBatchItems sets the service's MaxBatchItems, 32000 by default.
func WithMaxBatchItems(n int) Option {
	return optionFunc(func(o *options) { o.wire.MaxBatchItems = n })
}

// WithPlainEnumeration ignores OptimizeEnumeration: the answer to Enumerate has
// no items.
func WithPlainEnumeration() Option {
	return optionFunc(func(o *options) { o.wire.PlainEnumeration = true })
}

// WithSingleItemFirstPage answers an optimized Enumerate with one item and a
// context, as Windows Server 2008 R2 was seen to do.
func WithSingleItemFirstPage() Option {
	return optionFunc(func(o *options) { o.wire.SingleItemPage = true })
}

// WithQuota sets how many operations one user may have under way at once; an
// open enumeration is one. The WMI plug-in's default is 15.
func WithQuota(operationsPerUser int) Option {
	return optionFunc(func(o *options) { o.wire.Quota = operationsPerUser })
}

// WithEnumerationTimeout sets how long an enumeration may lie idle, 240 s by
// default.
func WithEnumerationTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.wire.EnumerationIdle = d })
}

// WithIdleTimeout sets the time after which the host closes an idle connection,
// 120 s by default. It is measured by time.Now, not by the clock of WithClock.
func WithIdleTimeout(d time.Duration) Option {
	return optionFunc(func(o *options) { o.wire.IdleTimeout = d })
}

// WithClock sets the clock of the host, time.Now by default.
func WithClock(clock func() time.Time) Option {
	return optionFunc(func(o *options) { o.wire.Clock = clock })
}

// WithLogger logs requests at debug level and refused ones at warning level.
func WithLogger(log *slog.Logger) Option {
	return optionFunc(func(o *options) { o.wire.Log = log })
}

// WithComputerName sets the NetBIOS name of the computer, HYPERV01 by default.
func WithComputerName(name string) Option {
	return optionFunc(func(o *options) { o.wire.ComputerName = name })
}

// WithDomain makes the computer a member of a domain, by its NetBIOS and its DNS
// name. Its users are those that WithUser names with the NetBIOS name; they can
// also log on as name@dns. Without it the computer is in a workgroup.
func WithDomain(netBIOS, dns string) Option {
	return optionFunc(func(o *options) { o.wire.Domain, o.wire.DNSDomain = netBIOS, dns })
}

// WithoutPrincipalNames refuses logons as name@suffix.
func WithoutPrincipalNames() Option {
	return optionFunc(func(o *options) { o.wire.NoPrincipalNames = true })
}

// WithoutRawKerberos takes Kerberos in SPNEGO only.
func WithoutRawKerberos() Option { return optionFunc(func(o *options) { o.wire.NoRawKerberos = true }) }

// WithAddress sets where the host listens, a free port of 127.0.0.1 by default.
func WithAddress(address string) Option {
	return optionFunc(func(o *options) { o.wire.Address = address })
}

// WithoutListener opens no socket: only Dial reaches the host.
func WithoutListener() Option { return optionFunc(func(o *options) { o.wire.NoListener = true }) }
