package conformance

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// Resender sends recorded requests to another host.
type Resender struct {
	k       *kit
	mask    *mask
	release func()
}

// NewResender prepares to send to the host of the options; nothing is sent yet.
func NewResender(o Options) (*Resender, error) {
	k := &kit{options: o, tape: &tape{}, log: slog.New(slog.DiscardHandler)}
	o.Config.Logger = k.log
	wire, release, err := hyperv.WireConfig(o.Config, o.Host)
	if err != nil {
		return nil, err
	}
	if k.client, err = wsman.New(wire); err != nil {
		release()
		return nil, err
	}
	k.wire = wire
	return &Resender{k: k, mask: &mask{names: map[string]string{}, counts: map[string]int{}}, release: release}, nil
}

// Close closes the connections.
func (r *Resender) Close() {
	r.k.client.Close()
	r.release()
}

// To returns the value of the header To of messages to the host.
func (r *Resender) To() string { return r.k.letter("", "", "").to }

// Send sends an envelope as the client does and returns the answer.
func (r *Resender) Send(ctx context.Context, envelope string) (string, error) {
	_, body, err := r.k.client.Send(ctx, []byte(envelope))
	return string(body), err
}

// errHandshake: a logon cannot be repeated from a recording.
var errHandshake = errors.New("a logon cannot be sent again")

// Hit sends a request that was recorded without the client. The outcome is
// returned in the form in which it would be recorded.
func (r *Resender) Hit(ctx context.Context, what RecordedHTTP, body string) (RecordedHTTP, string, error) {
	if body == "" && what.Method == http.MethodPost {
		body = noMessage
	}
	h := hit{method: what.Method, path: what.Path, contentType: what.ContentType, identify: what.Identify, chunked: what.Chunked, utf16: what.UTF16, body: []byte(body)}
	var p page
	var err error
	switch what.Logon {
	case Handshake:
		err = errHandshake
	case Clear:
		p, err = r.k.sealedHit(ctx, func(secure.Context) (hit, error) { return h, nil })
	case BrokenSeal:
		p, err = r.k.sealedHit(ctx, func(sec secure.Context) (hit, error) { return brokenlySealed(sec, r.k.harmless()) })
	case Stranger:
		p, err = r.k.status(ctx, h)
	}
	what.Status, what.AnswerBytes = p.status, len(p.body)
	return what, readable(p.body), err
}

// Mask replaces in an answer everything that would be replaced in a recording.
func (r *Resender) Mask(answer string) string { return r.mask.markup(answer) }

// MaskText replaces a text as Mask does.
func (r *Resender) MaskText(s string) string { return r.mask.value(s) }
