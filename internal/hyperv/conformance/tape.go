package conformance

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// exchange is a request and its answer as they went over the wire, before the
// seal and after it.
type exchange struct {
	operation       string
	request, answer string
	http            *RecordedHTTP // made without the client
	start           time.Time
	took            time.Duration
}

// tape is a log handler that keeps the envelopes that a client logs.
type tape struct {
	mu  sync.Mutex
	all []*exchange
}

// Enabled implements slog.Handler.
func (*tape) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (t *tape) WithAttrs([]slog.Attr) slog.Handler { return t }

// WithGroup implements slog.Handler.
func (t *tape) WithGroup(string) slog.Handler { return t }

// Handle implements slog.Handler. The kit sends one request after the other, so
// an answer belongs to the request before it.
func (t *tape) Handle(_ context.Context, r slog.Record) error {
	if r.Level != wsman.LevelTrace {
		return nil
	}
	var operation, envelope string
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "operation":
			operation = a.Value.String()
		case "envelope":
			envelope = a.Value.String()
		}
		return true
	})
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.Message == "ws-management request" {
		t.all = append(t.all, &exchange{operation: operation, request: envelope, start: r.Time})
	} else if n := len(t.all); n > 0 {
		t.all[n-1].answer, t.all[n-1].took = envelope, r.Time.Sub(t.all[n-1].start)
	}
	return nil
}

func (t *tape) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// since returns copies of the exchanges from number n on.
func (t *tape) since(n int) []exchange {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []exchange
	for _, e := range t.all[min(n, len(t.all)):] {
		list = append(list, *e)
	}
	return list
}

// last returns the answer to the request that was sent last.
func (t *tape) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		return ""
	}
	return t.all[len(t.all)-1].answer
}

// note adds an exchange that was made without the client.
func (t *tape) note(e exchange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, &e)
}
