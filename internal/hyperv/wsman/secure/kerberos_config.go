package secure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/go-krb5/krb5/config"
)

// KerberosConfig says who logs on with Kerberos, and how. Exactly one of Password,
// KeytabPath and CachePath is set; with none, the environment's KRB5CCNAME counts.
type KerberosConfig struct {
	// User is name, name@REALM or DOMAIN
	//
	// ame. It may be empty with a key table, which stands for the first principal in it, and with a
	// ticket cache, which stands for the principal in it.
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
	// ConfPath is krb5.conf. Empty: the environment's KRB5_CONFIG, or, except on Windows,
	// /etc/krb5.conf. KDCs that it does not name are looked up in DNS.
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

// restrict limits the configuration to what this client does: AES, no delegation, no addresses, no
// renewal.
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
	want, realm, err := parsePrincipal(c.User, c.Realm, cache.client.realm)
	if err != nil {
		return err
	}
	have := cache.client
	if !strings.EqualFold(want.PrincipalNameString(), have.name.PrincipalNameString()) || !strings.EqualFold(realm, have.realm) {
		return fmt.Errorf("kerberos: the ticket cache is that of %s@%s, not of %s@%s",
			have.name.PrincipalNameString(), have.realm, want.PrincipalNameString(), realm)
	}
	return nil
}
