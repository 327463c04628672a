package conformance

import (
	"context"
	"net/http"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// wantStatus makes a check that is held when a request without a logon gets
// that status.
func wantStatus(h hit, status int) func(*kit, context.Context) verdict {
	return func(k *kit, ctx context.Context) verdict {
		p, err := k.status(ctx, h)
		if err != nil {
			return trouble(err)
		}
		return when(p.status == status, "HTTP status %d", p.status)
	}
}

func (k *kit) identifyHidesVersion(ctx context.Context) verdict {
	p, err := k.status(ctx, hit{identify: true, contentType: secure.SOAPType, body: k.harmless()})
	if err != nil {
		return trouble(err)
	}
	version := parse(string(p.body)).find("ProductVersion")
	if p.status != http.StatusOK || version == nil {
		return contradicted("HTTP status %d without a version", p.status)
	}
	return when(!strings.Contains(version.value(), k.shortVersion()), "HTTP status %d", p.status)
}

// shortVersion is the part that an answer with a version would contain.
func (k *kit) shortVersion() string { return orElse(k.version, "10.") }

// sealedHit logs on and then sends one message in a way that the client never
// sends it.
func (k *kit) sealedHit(ctx context.Context, prepare func(secure.Context) (hit, error)) (page, error) {
	b, err := k.dialHTTP(ctx)
	if err != nil {
		return page{}, err
	}
	defer b.close()
	sec, err := k.wire.Mechanism.NewContext(b.binding)
	if err != nil {
		return page{}, err
	}
	if err := k.logOn(ctx, b, sec); err != nil {
		return page{}, err
	}
	h, err := prepare(sec)
	if err != nil {
		return page{}, err
	}
	return k.do(ctx, b, h)
}

// clear sends a message in the clear after the logon.
func (k *kit) clear(ctx context.Context) (page, error) {
	return k.sealedHit(ctx, func(secure.Context) (hit, error) {
		return hit{contentType: secure.SOAPType, body: []byte(k.letterToSystem().String()), after: Clear}, nil
	})
}

func (k *kit) unsealedRefused(ctx context.Context) verdict {
	p, err := k.clear(ctx)
	if err != nil {
		return trouble(err)
	}
	return when(p.status != http.StatusOK, "HTTP status %d", p.status)
}

func (k *kit) unsealedStatus(ctx context.Context) verdict {
	p, err := k.clear(ctx)
	if err != nil {
		return trouble(err)
	}
	return when(p.status == http.StatusInternalServerError && len(p.body) == 0, "HTTP status %d with a body of %d bytes", p.status, len(p.body))
}

// brokenlySealed makes a request with a message that was damaged after it was
// sealed.
func brokenlySealed(sec secure.Context, message []byte) (hit, error) {
	signature, sealed, err := sec.Wrap(message)
	if err != nil {
		return hit{}, err
	}
	sealed[len(sealed)/2] ^= 1
	return hit{
		contentType: secure.SealedContentType(secure.ProtocolSPNEGO), after: BrokenSeal,
		body: secure.EncodeSealed(secure.ProtocolSPNEGO, len(message), signature, sealed),
	}, nil
}

func (k *kit) brokenSeal(ctx context.Context) verdict {
	p, err := k.sealedHit(ctx, func(sec secure.Context) (hit, error) {
		return brokenlySealed(sec, k.harmless())
	})
	if err != nil {
		return trouble(err)
	}
	return when(p.status == http.StatusBadRequest, "HTTP status %d", p.status)
}

func (k *kit) mediaType(ctx context.Context) verdict {
	p, err := k.sealedHit(ctx, func(secure.Context) (hit, error) {
		return hit{contentType: "text/plain", body: []byte(noMessage), after: Clear}, nil
	})
	if err != nil {
		return trouble(err)
	}
	return when(p.status == http.StatusUnsupportedMediaType, "HTTP status %d", p.status)
}

// noMessage is a body that is not XML. It is not recorded.
const noMessage = "hello"
