package hyperv

import (
	"context"
	"log/slog"
	"net"
	"time"
)

// Auth is a way to authenticate to a host.
type Auth string

// The ways to authenticate.
const (
	AuthNTLM        Auth = "ntlm"
	AuthKerberos    Auth = "kerberos"
	AuthBasic       Auth = "basic"
	AuthCertificate Auth = "certificate"
	AuthWindows     Auth = "windows" // the current user, on Windows only
)

// LongestRequestTimeout is the longest sensible RequestTimeout of a [Config]: no host takes as long
// over a request, and what is added to it still fits into a duration.
const LongestRequestTimeout = 24 * time.Hour

// Config describes how to reach the hosts that share one set of credentials.
type Config struct {
	// Port of the WinRM listener; 0 means 5986 with HTTPS and 5985 without.
	Port int
	// HTTPS selects TLS. Without it NTLM or Kerberos seals every body.
	HTTPS bool
	// Insecure leaves the host's certificate unverified; bodies are sealed then.
	Insecure bool

	Auth     Auth
	Username string // DOMAIN\user, user@REALM or user
	Password string

	// PEM texts: own CA bundle, client certificate and its key.
	CACertificate, ClientCertificate, ClientKey []byte
	// TLSServerName is the name that the host's certificate must carry when it
	// is not the name of the host.
	TLSServerName string
	Kerberos      KerberosConfig

	// RequestTimeout bounds one WS-Management request, never a job; see [LongestRequestTimeout].
	RequestTimeout time.Duration
	// Limits per host.
	MaxConcurrentCompactions, MaxConcurrentRequests int

	// Only tests in real time set these. TakeOverAfter bounds how long an attachment of another
	// holder is left alone before a compaction is tried on it; 0 means 150 s, which is longer than
	// a living holder needs to detach. CleanUpFor bounds the time for putting a host in order after
	// a run that was not interrupted; 0 means five minutes.
	TakeOverAfter, CleanUpFor time.Duration

	// ClusterNodes are the addresses of the nodes of failover clusters, by the
	// names of the nodes, where those do not resolve in the domain of the cluster.
	ClusterNodes map[string]string

	// LookupEnv reads the environment for KRB5_CONFIG and KRB5CCNAME; nil means
	// the environment of the process.
	LookupEnv func(name string) (string, bool)
	// Logger takes one line per request; nil discards them.
	Logger *slog.Logger
	// Dial makes connections in place of the network; nil means TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// KerberosConfig holds what Kerberos needs beyond a user name and a password.
type KerberosConfig struct {
	Realm      string // default: from Username or krb5.conf
	SPN        string // default: HTTP/<host>; AuthWindows uses it too
	ConfigPath string // default: KRB5_CONFIG, then /etc/krb5.conf
	CCachePath string // ticket cache to use in place of a password
	KeytabPath string // keytab to use in place of a password
}

// String hides all secrets, whichever verb prints c.
func (c Config) String() string {
	return "hyperv.Config{" + string(c.Auth) + "}"
}

// GoString hides all secrets from %#v.
func (c Config) GoString() string { return c.String() }

// LogValue hides all secrets from structured logs.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
