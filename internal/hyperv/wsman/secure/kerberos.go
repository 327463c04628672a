package secure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/go-krb5/krb5/config"
)

const kerberosName = "Kerberos"

// Kerberos holds the tickets of one user. The mechanisms that
// [Kerberos.ForHost] makes for hosts share one login. It is safe for concurrent
// use.
type Kerberos struct {
	config    *config.Config
	kdc       *kdcClient
	spn       string // empty: the SPN of each host
	cachePath string
	secret    *loginCredentials // nil: the cache has the tickets

	// turn admits one goroutine to the KDC at a time, so that many hosts at once make one login and
	// not many. The fields below belong to the goroutine that holds it.
	turn    chan struct{}
	login   *login // the one under way, or the last one that failed; nil if neither
	tgt     grantedTicket
	tickets map[string]grantedTicket
	closed  bool
}

var errClosed = errors.New("kerberos: closed")

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
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	k := &Kerberos{
		config: conf, spn: c.SPN,
		kdc:     &kdcClient{config: conf, dial: dial},
		turn:    make(chan struct{}, 1),
		tickets: map[string]grantedTicket{},
	}
	if c.SPN != "" {
		if _, err := parseSPN(c.SPN); err != nil {
			return nil, fmt.Errorf("kerberos: %w", err)
		}
	}
	if err := k.setCredentials(c, lookup); err != nil {
		return nil, err
	}
	return k, nil
}

// ForHost returns the mechanism for one host. Kerberos knows hosts by name: an address needs the
// SPN set.
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
	k.secret, k.cachePath, k.closed = nil, "", true
	if k.login != nil {
		k.login.cancel()
	}
}

// String names the mechanism.
func (*Kerberos) String() string { return kerberosName }

// Format prints the name of the mechanism for every verb.
func (*Kerberos) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }

// LogValue names the mechanism.
func (*Kerberos) LogValue() slog.Value { return slog.StringValue(kerberosName) }

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
func (*kerberosHost) String() string { return kerberosName }

// Format prints the name of the mechanism for every verb.
func (*kerberosHost) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }
