package wsman

import (
	"context"
	"log/slog"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
)

// LevelTrace is the level at which envelopes are logged. HTTP headers are never
// logged, because they hold credentials.
const LevelTrace = slog.Level(-8)

// trace logs one line about an exchange.
func (c *Client) trace(ctx context.Context, r request, e envelope, status int, took time.Duration, err error) {
	if !c.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := append(r.attrs(), slog.String("message_id", e.id), slog.Int("status", status), slog.Duration("duration", took))
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "ws-management request", attrs...)
}

// traceBody logs an envelope.
func (c *Client) traceBody(ctx context.Context, what string, r request, text func() string) {
	if c.logger.Enabled(ctx, LevelTrace) {
		c.logger.LogAttrs(ctx, LevelTrace, "ws-management "+what, append(r.attrs(), slog.String("envelope", text()))...)
	}
}

func (r request) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("operation", r.op)}
	if _, class, ok := cim.SplitResourceURI(r.reference.ResourceURI); ok {
		attrs = append(attrs, slog.String("class", class))
	}
	if r.method != "" {
		attrs = append(attrs, slog.String("method", r.method))
	}
	return attrs
}
