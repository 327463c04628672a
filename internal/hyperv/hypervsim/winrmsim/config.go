package winrmsim

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/go-krb5/krb5/keytab"
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

// DefaultUser and DefaultPassword log on to a host that was given no user.
const (
	DefaultUser     = `HYPERV\admin`
	DefaultPassword = "Passw0rd!"
)

// Config describes a server: where it listens, who may log on and how, and the
// limits of its service. DefaultConfig fills it in.
type Config struct {
	// Address is where the server listens, host:port.
	Address string
	// NoListener opens no socket: only Dial reaches the server.
	NoListener bool
	// ComputerName is the NetBIOS name of the computer. Domain and DNSDomain name
	// the domain of which it is a member; they are empty in a workgroup.
	ComputerName, Domain, DNSDomain string
	// Locale is the language of the texts of faults.
	Locale string

	// Users may log on: DefaultUser without any.
	Users []Account
	// Accounts judges their passwords; one of the server's own if nil. Users of a
	// database that others share keep the passwords that they have there.
	Accounts *Accounts
	// Schemes are announced and accepted; nil stands for those that the rest of
	// the configuration makes possible.
	Schemes []Scheme
	// Basic makes the scheme Basic possible.
	Basic bool
	// Keytab makes Kerberos possible, for the services in it.
	Keytab *keytab.Keytab
	// NoPrincipalNames refuses logons as name@suffix.
	NoPrincipalNames bool
	// NoRawKerberos takes Kerberos in SPNEGO only.
	NoRawKerberos bool
	// TLS serves https with a certificate of the server's own authority.
	TLS bool
	// TLSSort is the kind of TLS that is served, or the way in which it fails.
	TLSSort TLSSort
	// ClientAuthorities sign the certificates whose bearers are ClientUser.
	ClientAuthorities *x509.CertPool
	ClientUser        string
	// StrictBinding refuses contexts on TLS that carry no channel binding
	// (CbtHardeningLevel Strict). Wrong ones are refused in any case.
	StrictBinding bool
	// AllowUnencrypted lets messages pass in the clear without TLS.
	AllowUnencrypted bool

	// Answer changes the text of an answer before it is sealed, given the envelope
	// that it answers; nil changes none.
	Answer func(request, answer string) string

	// FaultForm is the form of every fault; FaultFormAny leaves it to the layer
	// that the fault comes from.
	FaultForm FaultForm
	// MaxEnvelopeKB is MaxEnvelopeSizekb, MaxBatchItems is MaxBatchItems.
	MaxEnvelopeKB, MaxBatchItems int
	// PlainEnumeration ignores OptimizeEnumeration.
	PlainEnumeration bool
	// SingleItemPage answers an optimized Enumerate with one item and a context.
	SingleItemPage bool
	// Quota is how many operations one user may have under way at once.
	Quota int
	// QuotaCode is the WSManFault code for one operation more.
	QuotaCode uint32
	// EnumerationIdle is how long an enumeration may lie idle.
	EnumerationIdle time.Duration
	// IdleTimeout is the time after which an idle connection is closed. It is
	// measured by time.Now, not by Clock.
	IdleTimeout time.Duration

	// Clock is the clock of the server.
	Clock func() time.Time
	// Log gets requests at debug level and refused ones at warning level.
	Log *slog.Logger
}

// Codes of the fault for a user who has too many operations under way.
const (
	QuotaPerUser    = codeQuotaPerUser    // Windows Server 2012 and later
	QuotaOperations = codeQuotaOperations // Windows Server 2008
)

// DefaultConfig is a recent host on a free port of 127.0.0.1: WinRM's defaults
// (MS-WSMV 2.2.4.10).
func DefaultConfig() Config {
	return Config{
		Address:         "127.0.0.1:0",
		ComputerName:    "HYPERV01",
		Locale:          "en-US",
		MaxEnvelopeKB:   500,
		MaxBatchItems:   32000,
		Quota:           15,
		QuotaCode:       QuotaPerUser,
		EnumerationIdle: 240 * time.Second,
		IdleTimeout:     120 * time.Second,
		Clock:           time.Now,
		Log:             slog.New(slog.DiscardHandler),
	}
}

// complete fills in the fields that follow from the others and refuses combinations that cannot
// work.
func (c *Config) complete() error {
	if len(c.Users) == 0 {
		c.Users = []Account{{Domain: "HYPERV", Name: "admin", Password: DefaultPassword}}
	}
	if c.Accounts == nil {
		c.Accounts = NewAccounts()
	}
	for _, a := range c.Users {
		c.Accounts.set(a, false)
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if c.ClientAuthorities != nil && !c.TLS {
		return errors.New("hypervsim: client certificates need TLS")
	}
	if slices.Contains(c.Schemes, SchemeKerberos) && c.Keytab == nil {
		return errors.New("hypervsim: the scheme Kerberos needs a keytab")
	}
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return errors.New("hypervsim: the address to listen on has no port")
	}
	if c.Schemes == nil {
		c.Schemes = c.possibleSchemes()
	}
	return nil
}

func (c *Config) possibleSchemes() []Scheme {
	schemes := []Scheme{SchemeNegotiate}
	if c.Keytab != nil {
		schemes = append(schemes, SchemeKerberos)
	}
	if c.Basic {
		schemes = append(schemes, SchemeBasic)
	}
	if c.ClientAuthorities != nil {
		schemes = append(schemes, SchemeCertificate)
	}
	return schemes
}

// Account is a user who may log on.
type Account struct {
	Domain, Name, Password string
	// NoRights: the service lets the account log on, and refuses all it asks for.
	NoRights bool
	// Blind is a namespace in which, and below which, the account sees nothing and
	// may call nothing; empty: none.
	Blind string
}

// String is the name of the account, without its password.
func (a Account) String() string {
	if a.Domain == "" {
		return a.Name
	}
	return a.Domain + `\` + a.Name
}

// GoString implements fmt.GoStringer.
func (a Account) GoString() string { return a.String() }
