package wsman

import (
	"log/slog"
	"time"

	"github.com/masterzen/winrm"
)

// Client asks one host. It is safe for concurrent use.
type Client struct {
	endpoint       *winrm.Endpoint
	session        *session
	requestTimeout time.Duration
	locale         string
	logger         *slog.Logger
}

// New checks cfg and dials nothing.
func New(cfg Config) (*Client, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s, err := newSession(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		endpoint:       cfg.Endpoint,
		session:        s,
		requestTimeout: cfg.RequestTimeout,
		locale:         cfg.Locale,
		logger:         cfg.Logger,
	}
	s.ask = c.ask
	return c, nil
}

// Close closes the idle connections at once, and those of running requests as
// soon as their answers have arrived.
func (c *Client) Close() { c.session.close() }
