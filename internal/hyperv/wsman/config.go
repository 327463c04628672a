package wsman

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Defaults of a [Config].
const (
	defaultMaxConns       = 5                // the WMI plug-in allows 15 operations per user
	defaultMaxAnswer      = 4 << 20          // four times an envelope of maxEnvelopeSize in UTF-16
	defaultRequestTimeout = 60 * time.Second // MaxTimeoutms of a host (MS-WSMV 2.2.4.10)
	defaultLocale         = "en-US"
)

// Config describes one host and how to log on to it. Exactly one of Mechanism,
// Basic and Certificate is set.
type Config struct {
	// Endpoint is the host. Its credentials are the client certificate alone.
	Endpoint *winrm.Endpoint
	// Mechanism makes the security contexts of NTLM or Kerberos.
	Mechanism secure.Mechanism
	// Basic are the credentials of Basic authentication, over verified https only.
	Basic *BasicCredentials
	// Certificate logs on with the client certificate of Endpoint, over verified
	// https only.
	Certificate bool
	// Account is shared by clients with the same credentials and limits their logons; if nil, the
	// client has its own.
	Account *Account
	// Confirm returns the read that confirms a connection before the first message that changes
	// something; false as long as that read is not known. If it is nil or returns false, the last
	// token of the logon is sent alone, and the node stays unknown.
	Confirm func() (Confirmation, bool)
	// MaxConns bounds the connections, and so the concurrent requests; 5 if zero.
	MaxConns int
	// MaxAnswer bounds an answer in bytes; 4 MiB if zero.
	MaxAnswer int64
	// RequestTimeout is how long the host may take for one exchange; 60 s if zero.
	// The client waits a little longer than that.
	RequestTimeout time.Duration
	// Locale is the language asked for; en-US if empty.
	Locale string
	// Logger gets one line per request at level Debug, and the envelopes at
	// [LevelTrace]; none if nil.
	Logger *slog.Logger
	// Dial makes the connections; TCP if nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// BasicCredentials are a user name and a password of Basic authentication. They
// print as REDACTED.
type BasicCredentials struct {
	// User is the name of a local account of the host.
	User string
	// Password is its password.
	Password string
}

// String hides the credentials.
func (BasicCredentials) String() string { return "REDACTED" }

// GoString hides the credentials.
func (BasicCredentials) GoString() string { return "REDACTED" }

// LogValue hides the credentials.
func (BasicCredentials) LogValue() slog.Value { return slog.StringValue("REDACTED") }

// header returns the value of the authorization header.
func (b BasicCredentials) header() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(b.User+":"+b.Password))
}

// withDefaults fills in what is zero.
func (cfg Config) withDefaults() Config {
	if cfg.MaxConns == 0 {
		cfg.MaxConns = defaultMaxConns
	}
	if cfg.MaxAnswer == 0 {
		cfg.MaxAnswer = defaultMaxAnswer
	}
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = defaultRequestTimeout
	}
	if cfg.Locale == "" {
		cfg.Locale = defaultLocale
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Account == nil {
		cfg.Account = NewAccount(false)
	}
	if cfg.Confirm == nil {
		cfg.Confirm = func() (Confirmation, bool) { return Confirmation{}, false }
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{KeepAlive: keepAlive}).DialContext
	}
	return cfg
}

// validate refuses a configuration that cannot work, or that [CheckChannel] refuses.
func (cfg Config) validate() error {
	if cfg.Endpoint == nil || cfg.Endpoint.Host == "" {
		return errors.New("no host")
	}
	modes := 0
	for _, set := range []bool{cfg.Mechanism != nil, cfg.Basic != nil, cfg.Certificate} {
		if set {
			modes++
		}
	}
	switch {
	case modes != 1:
		return errors.New("exactly one kind of authentication is needed")
	case cfg.MaxConns < 0 || cfg.MaxAnswer < 0 || cfg.RequestTimeout < 0:
		return errors.New("a negative limit")
	}
	return CheckChannel(cfg.Basic != nil, cfg.Certificate, cfg.Endpoint.HTTPS, cfg.Endpoint.Insecure)
}

// CheckChannel returns the reason why an authentication that seals no messages
// must not be used on a channel, nil if it may. With insecure, the certificate
// of the host is not verified.
func CheckChannel(basic, certificate, https, insecure bool) error {
	switch {
	case basic && !https:
		return errors.New("with basic authentication over http, password and messages would cross the network in the clear")
	case basic && insecure:
		return errors.New("with basic authentication and a certificate that is not verified, the password would go to any machine that answers")
	case certificate && !https:
		return errors.New("a client certificate exists in TLS only")
	case certificate && insecure:
		return errors.New("with a client certificate no message is sealed, and without verifying the host's certificate each would go to any machine that answers")
	}
	return nil
}
