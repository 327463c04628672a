package secure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/go-krb5/krb5/config"
	"github.com/go-krb5/krb5/messages"
)

const kerberosName = "Kerberos"

// ticketMargin is how long a ticket must still hold to be used for a new context.
const ticketMargin = 2 * time.Minute

// KerberosConfig says who logs on with Kerberos, and how. Exactly one of Password,
// KeytabPath and CachePath is set; with none, the environment's KRB5CCNAME counts.
type KerberosConfig struct {
	// User is name, name@REALM or DOMAIN\name. With a key table it may be empty: the
	// first principal in it. With a ticket cache it may be empty: the one in it.
	User string
	// Password of the user.
	Password string `json:"-"`
	// KeytabPath is a file with keys of the user.
	KeytabPath string
	// CachePath is a file with tickets of the user, as kinit leaves it. It is read
	// again whenever its tickets have run out.
	CachePath string
	// Realm of the user. Empty: the user's suffix, or default_realm.
	Realm string
	// SPN of the host's service. Empty: HTTP/ and the host's name.
	SPN string
	// ConfPath is krb5.conf. Empty: the environment's KRB5_CONFIG or /etc/krb5.conf.
	ConfPath string
	// Lookup reads the environment. Nil: there is none.
	Lookup func(string) (string, bool)
	// Dial connects to KDCs. Nil: a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Format prints the name of the mechanism for every verb.
func (KerberosConfig) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }

// LogValue hides the password.
func (KerberosConfig) LogValue() slog.Value { return slog.StringValue(kerberosName) }

// Kerberos holds the tickets of one user. Every host takes its mechanism from
// [Kerberos.ForHost]; they share one login. It is safe for concurrent use.
type Kerberos struct {
	config    *config.Config
	referring *config.Config // as config, with canonicalization: KDCs refer only those who ask
	kdc       *kdcClient
	spn       string
	cachePath string            // of a ticket cache, else
	secret    *loginCredentials // a secret to log on with

	// turn admits one user of the KDC at a time, so that many hosts at once make one
	// login and not many. What follows belongs to whoever has it.
	turn     chan struct{}
	tgt      grantedTicket
	tickets  map[string]grantedTicket
	rejected error
}

// NewKerberos checks the configuration and reads its files. It does not log on yet.
func NewKerberos(c KerberosConfig) (*Kerberos, error) {
	lookup := c.Lookup
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	conf, err := loadKrb5Conf(c.ConfPath, lookup)
	if err != nil {
		return nil, err
	}
	restrict(conf)
	referring := *conf
	referring.LibDefaults.Canonicalize = true

	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	k := &Kerberos{
		config: conf, referring: &referring, spn: c.SPN,
		kdc:     &kdcClient{config: conf, dial: dial},
		turn:    make(chan struct{}, 1),
		tickets: map[string]grantedTicket{},
	}
	if c.SPN != "" {
		if _, err := parseSPN(c.SPN); err != nil {
			return nil, fmt.Errorf("kerberos: %w", err)
		}
	}
	return k, k.setCredentials(c, lookup)
}

// restrict leaves what this client does: AES, no delegation, no addresses, no renewal.
func restrict(c *config.Config) {
	d := &c.LibDefaults
	d.DefaultTktEnctypeIDs, d.DefaultTGSEnctypeIDs, d.PermittedEnctypeIDs = kerberosTypes, kerberosTypes, kerberosTypes
	d.Forwardable, d.Proxiable, d.Canonicalize = false, false, false
	d.NoAddresses = true
	d.RenewLifetime = 0
}

func (k *Kerberos) setCredentials(c KerberosConfig, lookup func(string) (string, bool)) error {
	given := 0
	for _, s := range []string{c.Password, c.KeytabPath, c.CachePath} {
		if s != "" {
			given++
		}
	}
	cache := c.CachePath
	if given == 0 {
		cache, _ = lookup("KRB5CCNAME")
	}
	switch {
	case given > 1:
		return errors.New("kerberos: give one of password, key table and ticket cache")
	case c.Password != "":
		return k.setLogin(c, &loginCredentials{password: c.Password})
	case c.KeytabPath != "":
		return k.setKeytab(c)
	case cache != "":
		return k.setCache(c, cache)
	}
	return errors.New("kerberos: no password, key table or ticket cache")
}

func (k *Kerberos) setLogin(c KerberosConfig, l *loginCredentials) (err error) {
	l.name, l.realm, err = parsePrincipal(c.User, c.Realm, k.config.LibDefaults.DefaultRealm)
	k.secret = l
	return err
}

func (k *Kerberos) setKeytab(c KerberosConfig) error {
	path, err := filePath(c.KeytabPath, "key table")
	if err != nil {
		return err
	}
	table, err := loadKeytab(path)
	if err != nil {
		return err
	}
	if c.User == "" {
		first := table.Entries[0].Principal
		c.User = strings.Join(first.Components, "/")
		if c.Realm == "" {
			c.Realm = first.Realm
		}
	}
	return k.setLogin(c, &loginCredentials{keytab: table})
}

func (k *Kerberos) setCache(c KerberosConfig, name string) error {
	path, err := filePath(name, "ticket cache")
	if err != nil {
		return err
	}
	cache, err := loadTicketCache(path)
	if err != nil {
		return err
	}
	k.cachePath = path
	if c.User == "" {
		return nil
	}
	want, realm, err := parsePrincipal(c.User, c.Realm, cache.DefaultPrincipal.Realm)
	if err != nil {
		return err
	}
	have := cache.DefaultPrincipal
	if !strings.EqualFold(want.PrincipalNameString(), have.PrincipalName.PrincipalNameString()) || !strings.EqualFold(realm, have.Realm) {
		return fmt.Errorf("kerberos: the ticket cache is that of %s@%s, not of %s@%s",
			have.PrincipalName.PrincipalNameString(), have.Realm, want.PrincipalNameString(), realm)
	}
	return nil
}

// ForHost is the mechanism for one host. Kerberos knows hosts by name: an address
// needs the SPN set.
func (k *Kerberos) ForHost(host string) (Mechanism, error) {
	s := k.spn
	if s == "" {
		host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
		if _, err := netip.ParseAddr(host); err == nil {
			return nil, fmt.Errorf("kerberos: %s is an address; use the host's full name, or set the SPN", host)
		}
		s = "HTTP/" + host
	}
	spn, err := parseSPN(s)
	if err != nil {
		return nil, fmt.Errorf("kerberos: %w", err)
	}
	if spn.realm == "" {
		parts := spn.name.NameString
		spn.realm = k.config.ResolveRealm(strings.ToLower(parts[1]))
	}
	return &kerberosHost{kerberos: k, spn: spn}, nil
}

// Close forgets the tickets and the secret. Contexts in use go on.
func (k *Kerberos) Close() {
	k.turn <- struct{}{}
	defer func() { <-k.turn }()
	k.tgt, k.tickets = grantedTicket{}, map[string]grantedTicket{}
	k.secret, k.cachePath = nil, ""
	k.rejected = errors.New("closed")
}

// String names the mechanism.
func (Kerberos) String() string { return kerberosName }

// Format prints the name of the mechanism for every verb.
func (Kerberos) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }

// LogValue names the mechanism.
func (Kerberos) LogValue() slog.Value { return slog.StringValue(kerberosName) }

// kerberosHost is the mechanism for one service.
type kerberosHost struct {
	kerberos *Kerberos
	spn      servicePrincipal
}

func (h *kerberosHost) NewContext(binding []byte) (Context, error) {
	return &kerberosContext{
		ticket:  func(ctx context.Context) (kerberosTicket, error) { return h.kerberos.ticketFor(ctx, h.spn) },
		spn:     h.spn.String(),
		binding: bytes.Clone(binding),
	}, nil
}

// String names the mechanism.
func (kerberosHost) String() string { return kerberosName }

// Format prints the name of the mechanism for every verb.
func (kerberosHost) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }

// ticketFor is a valid ticket for the service, from memory if there is one.
func (k *Kerberos) ticketFor(ctx context.Context, spn servicePrincipal) (kerberosTicket, error) {
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return kerberosTicket{}, context.Cause(ctx)
	}
	if k.rejected != nil {
		return kerberosTicket{}, k.rejected
	}
	if t := k.tickets[spn.String()]; t.freshFor(ticketMargin) {
		return t.kerberosTicket, nil
	}
	if err := k.ensureTGT(ctx, spn); err != nil {
		return kerberosTicket{}, err
	}
	// The cache just read may have held the service's ticket as well.
	t := k.tickets[spn.String()]
	if !t.freshFor(ticketMargin) {
		var err error
		if t, err = k.serviceTicket(ctx, k.tgt, spn); err != nil {
			return kerberosTicket{}, err
		}
		k.tickets[spn.String()] = t
	}
	return t.kerberosTicket, nil
}

// ensureTGT gets a ticket-granting ticket unless there is a valid one. Bad
// credentials are tried once: a second try can only help to lock the account.
func (k *Kerberos) ensureTGT(ctx context.Context, spn servicePrincipal) error {
	if k.tgt.freshFor(ticketMargin) {
		return nil
	}
	if k.secret == nil {
		return k.readCache(spn)
	}
	tgt, err := k.login(ctx, k.secret)
	if err != nil {
		if kdc := (*KDCError)(nil); errors.As(err, &kdc) && kdc.badCredentials() {
			k.rejected = err
		}
		return err
	}
	k.tgt = tgt
	return nil
}

// readCache takes the valid tickets from the ticket cache: for the service, or to get
// one with.
func (k *Kerberos) readCache(spn servicePrincipal) error {
	cache, err := loadTicketCache(k.cachePath)
	if err != nil {
		return err
	}
	home := krbtgt(cache.DefaultPrincipal.Realm)
	var ended time.Time
	for _, c := range cache.GetEntries() {
		forService := c.Server.PrincipalName.Equal(spn.name)
		if !forService && !c.Server.PrincipalName.Equal(home) || !slices.Contains(kerberosTypes, c.Key.KeyType) {
			continue
		}
		var ticket messages.Ticket
		key, err := newKerberosKey(c.Key)
		if err != nil || ticket.Unmarshal(c.Ticket) != nil || len(ticket.SName.NameString) == 0 {
			continue
		}
		t := grantedTicket{
			kerberosTicket{ticket: ticket, key: key, realm: c.Client.Realm, name: c.Client.PrincipalName}, c.EndTime,
		}
		switch {
		case !t.freshFor(ticketMargin):
			ended = c.EndTime
		case forService:
			k.tickets[spn.String()] = t
		default:
			k.tgt = t
		}
	}
	if k.tgt.freshFor(ticketMargin) || k.tickets[spn.String()].freshFor(ticketMargin) {
		return nil
	}
	if !ended.IsZero() {
		return fmt.Errorf("%w: %s ended at %s", ErrTicketExpired, k.cachePath, ended.UTC().Format(time.RFC3339))
	}
	return fmt.Errorf("%w: %s", ErrTicketExpired, k.cachePath)
}
