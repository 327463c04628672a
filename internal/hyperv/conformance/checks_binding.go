package conformance

import (
	"bytes"
	"context"
	"errors"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// withBinding logs on with a channel binding other than that of the certificate. It counts as a
// failed logon, so it is only done where that does not matter, and after a logon that was right.
func (k *kit) withBinding(ctx context.Context, change func([]byte) []byte) verdict {
	if k.options.Config.Auth != hyperv.AuthNTLM || !k.wire.Endpoint.HTTPS {
		return notTested("only asked over https with NTLM")
	}
	if k.options.Fixtures == nil {
		return notTested("a failed logon would count against the account")
	}
	if err := k.logOnOnce(ctx, k.wire.Mechanism.NewContext); err != nil {
		return trouble(err)
	}
	err := k.logOnOnce(ctx, func(binding []byte) (secure.Context, error) { return k.wire.Mechanism.NewContext(change(binding)) })
	auth, refused := errors.AsType[*wsman.AuthError](err)
	switch {
	case err == nil:
		return contradicted("the logon was taken")
	case refused && errors.Is(auth, secure.ErrRejected):
		return held("the logon was refused; with the binding of the certificate it was taken a moment before")
	}
	return trouble(err)
}

func (k *kit) bindingWrong(ctx context.Context) verdict {
	return k.withBinding(ctx, func(b []byte) []byte {
		wrong := bytes.Clone(b)
		wrong[len(wrong)-1] ^= 1
		return wrong
	})
}

func (k *kit) bindingMissing(ctx context.Context) verdict {
	if k.options.Fixtures != nil && k.options.Fixtures.ChannelBinding != "Strict" {
		return notTested("CbtHardeningLevel is not known to be Strict")
	}
	return k.withBinding(ctx, func([]byte) []byte { return nil })
}
