package hyperv

import (
	"log/slog"
	"os"
	"strings"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Ports of WinRM's listeners.
const (
	portHTTP  = 5985
	portHTTPS = 5986
)

// connector makes the clients of the hosts that share one [Config].
type connector struct {
	cfg      Config
	kerberos *secure.Kerberos // nil for other ways to authenticate
	account  *wsman.Account   // nil where no password goes to a host: one per host
}

func newConnector(cfg Config) (*connector, error) {
	if err := cfg.valid(); err != nil {
		return nil, err
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c := &connector{cfg: cfg}
	var err error
	switch cfg.Auth {
	case AuthNTLM, AuthBasic:
		c.account = wsman.NewAccount(cfg.localAccount())
	case AuthKerberos:
		c.kerberos, err = newKerberos(cfg)
	case AuthCertificate, AuthWindows:
	}
	return c, err
}

// localAccount reports whether each host has its own account by this name. WinRM accepts Basic for
// local accounts only. A user name without a domain is looked up by the host, which may find it in
// its domain: it counts as a domain account, because that is tried less often.
func (c Config) localAccount() bool {
	return c.Auth == AuthBasic || strings.HasPrefix(c.Username, `.\`)
}

// WireConfig returns the configuration with which a client of WS-Management
// reaches host, for programs that speak to it below this package. The function
// release frees the resources that it holds.
func WireConfig(cfg Config, host string) (wire wsman.Config, release func(), err error) {
	c, err := newConnector(cfg)
	if err != nil {
		return wsman.Config{}, nil, err
	}
	if wire, err = c.wire(bare(host)); err != nil {
		c.close()
		return wsman.Config{}, nil, err
	}
	return wire, c.close, nil
}

// connect makes the client of one host, whose connections are confirmed by the
// read that confirm returns. It dials nothing.
func (c *connector) connect(host string, confirm func() (wsman.Confirmation, bool)) (*wsman.Client, error) {
	cfg, err := c.wire(host)
	if err != nil {
		return nil, err
	}
	cfg.Confirm = confirm
	return wsman.New(cfg)
}

func (c *connector) wire(host string) (wsman.Config, error) {
	cfg := wsman.Config{
		Endpoint: c.endpoint(host), MaxConns: c.cfg.MaxConcurrentRequests,
		RequestTimeout: c.cfg.RequestTimeout, Logger: c.cfg.Logger.With("host", host), Dial: c.cfg.Dial, Account: c.account,
	}
	switch c.cfg.Auth {
	case AuthNTLM:
		cfg.Mechanism = secure.NewNTLM(secure.NTLMConfig{User: c.cfg.Username, Password: c.cfg.Password, SPN: servicePrincipal(unzoned(host))})
	case AuthKerberos:
		mechanism, err := c.kerberos.ForHost(unzoned(host))
		if err != nil {
			return wsman.Config{}, err
		}
		cfg.Mechanism = mechanism
	case AuthBasic:
		cfg.Basic = &wsman.BasicCredentials{User: c.cfg.Username, Password: c.cfg.Password}
	case AuthCertificate:
		cfg.Certificate = true
	case AuthWindows:
		mechanism, err := secure.NewCurrentUser(c.cfg.currentUserTarget(host))
		if err != nil {
			return wsman.Config{}, err
		}
		cfg.Mechanism = mechanism
	}
	return cfg, nil
}

func (c *connector) endpoint(host string) *winrm.Endpoint {
	port := c.cfg.Port
	switch {
	case port != 0:
	case c.cfg.HTTPS:
		port = portHTTPS
	default:
		port = portHTTP
	}
	e := winrm.NewEndpoint(host, port, c.cfg.HTTPS, c.cfg.Insecure, c.cfg.CACertificate, c.cfg.ClientCertificate, c.cfg.ClientKey, c.cfg.RequestTimeout)
	e.TLSServerName = c.cfg.TLSServerName
	return e
}

func (c *connector) close() {
	if c.kerberos != nil {
		c.kerberos.Close()
	}
}

// servicePrincipal returns the name under which a host's WinRM is known. Hosts
// with extended protection compare it in NTLM too.
func servicePrincipal(host string) string {
	return "HTTP/" + strings.TrimSuffix(strings.ToLower(host), ".")
}

// currentUserTarget is the service principal that the logon of the current user asks
// for. Windows falls back to NTLM without a word for one that no domain controller
// knows.
func (c Config) currentUserTarget(host string) string {
	if c.Kerberos.SPN != "" {
		return c.Kerberos.SPN
	}
	return servicePrincipal(unzoned(host))
}

func newKerberos(cfg Config) (*secure.Kerberos, error) {
	if cfg.LookupEnv == nil {
		cfg.LookupEnv = os.LookupEnv
	}
	return secure.NewKerberos(secure.KerberosConfig{
		User: cfg.Username, Password: cfg.Password, Realm: cfg.Kerberos.Realm, SPN: cfg.Kerberos.SPN,
		ConfPath: cfg.Kerberos.ConfigPath, CachePath: cfg.Kerberos.CCachePath, KeytabPath: cfg.Kerberos.KeytabPath,
		Lookup: cfg.LookupEnv, // without cfg.Dial: KDCs are not hosts
	})
}
