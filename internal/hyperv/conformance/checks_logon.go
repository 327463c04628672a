package conformance

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// ntlmSuffix asks about a logon as user@suffix. A wrong password looks the same
// as a form that the host does not take, and a failed logon counts against the
// account. So a user of the domain of the host first logs on as configured; only
// with credentials that were good a moment ago the other form is tried, once.
func (k *kit) ntlmSuffix(ctx context.Context) verdict {
	if k.options.Config.Auth != hyperv.AuthNTLM {
		return notTested("only asked with NTLM")
	}
	domain, name, apart := strings.Cut(k.options.Config.Username, `\`)
	switch hasSuffix := strings.Contains(k.options.Config.Username, "@"); {
	case apart && !hasSuffix:
	case !apart && hasSuffix:
		if _, err := k.client.Identify(ctx); err != nil {
			return trouble(err)
		}
		return held("logged on")
	default:
		return notTested("only asked of a user of a domain")
	}
	of, err := k.domainOfHost(ctx)
	if err != nil {
		return trouble(err)
	}
	if !of.has(domain) {
		return notTested("the user is not known to be of the domain of the host, so there is no suffix to try")
	}
	if err := k.logOnAs(ctx, k.options.Config.Username); err != nil {
		return trouble(err)
	}
	switch err := k.logOnAs(ctx, name+"@"+of.dnsDomain); {
	case err == nil:
		return held("logged on")
	case errors.Is(err, secure.ErrRejected):
		return contradicted("the logon was refused; with the domain in front it was good a moment before")
	default:
		return trouble(err)
	}
}

// logOnAs logs on anew, with the configured password and another user name, and
// sends a message.
func (k *kit) logOnAs(ctx context.Context, user string) error {
	cfg := k.options.Config
	cfg.Username, cfg.Logger = user, k.wire.Logger
	wire, release, err := hyperv.WireConfig(cfg, k.options.Host)
	if err != nil {
		return err
	}
	defer release()
	client, err := wsman.New(wire)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.Identify(ctx)
	return err
}

// domainOfHost reads the names of the domain in the challenge that a host sends before any logon.
// The logon is not continued, which does not count as a failed one.
func (k *kit) domainOfHost(ctx context.Context) (challengeNames, error) {
	b, err := k.dialHTTP(ctx)
	if err != nil {
		return challengeNames{}, err
	}
	defer b.close()
	sec, err := k.wire.Mechanism.NewContext(b.binding)
	if err != nil {
		return challengeNames{}, err
	}
	token, _, err := sec.Next(ctx, nil)
	if err != nil {
		return challengeNames{}, &wsman.AuthError{Err: err}
	}
	p, err := k.do(ctx, b, hit{token: token, contentType: secure.SOAPType})
	if err != nil {
		return challengeNames{}, err
	}
	names, ok := readChallenge(negotiateToken(p.header))
	if !ok {
		return challengeNames{}, &wsman.AuthError{Err: secure.ErrMalformed}
	}
	return names, nil
}

// challengeNames holds the names in an NTLM challenge. In a workgroup the
// computer is its own domain.
type challengeNames struct{ computer, domain, dnsDomain string }

// has reports whether a user named with that domain is one of the domain.
func (n challengeNames) has(domain string) bool {
	if n.domain == "" || n.dnsDomain == "" || strings.EqualFold(n.domain, n.computer) {
		return false
	}
	return strings.EqualFold(domain, n.domain) || strings.EqualFold(domain, n.dnsDomain)
}

// readChallenge reads the target information of a CHALLENGE_MESSAGE (MS-NLMP
// 2.2.1.2, 2.2.2.1).
func readChallenge(b []byte) (challengeNames, bool) {
	const infoAt, computer, domain, dnsDomain = 40, 1, 2, 4
	if len(b) < infoAt+8 || binary.LittleEndian.Uint32(b[8:]) != 2 {
		return challengeNames{}, false
	}
	size, offset := uint64(binary.LittleEndian.Uint16(b[infoAt:])), uint64(binary.LittleEndian.Uint32(b[infoAt+4:]))
	if offset+size > uint64(len(b)) {
		return challengeNames{}, false
	}
	info := b[offset : offset+size]
	pairs := map[uint16]string{}
	for len(info) >= 4 {
		id, n := binary.LittleEndian.Uint16(info), int(binary.LittleEndian.Uint16(info[2:]))
		if id == 0 || len(info) < 4+n {
			break
		}
		pairs[id], info = utf16LE(info[4:4+n]), info[4+n:]
	}
	return challengeNames{computer: pairs[computer], domain: pairs[domain], dnsDomain: pairs[dnsDomain]}, true
}

func utf16LE(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// kerberosRaw asks about the form in which the client sends Kerberos tokens. When the host refuses
// it, the same is sent with SPNEGO around it: a host that takes that has shown that the ticket is
// good. The KDC granted it for a good password, so refusals by the host count against no account.
func (k *kit) kerberosRaw(ctx context.Context) verdict {
	if k.options.Config.Auth != hyperv.AuthKerberos {
		return notTested("only asked with Kerberos")
	}
	_, err := k.client.Identify(ctx)
	if err == nil {
		return held("logged on")
	}
	if _, ok := errors.AsType[*wsman.AuthError](err); !ok {
		return trouble(err)
	}
	if inSPNEGO := k.logOnInSPNEGO(ctx); inSPNEGO != nil {
		return notTested("the logon failed, and with SPNEGO around the token too: %s", summary(inSPNEGO))
	}
	again := k.logOnOnce(ctx, k.wire.Mechanism.NewContext)
	if _, ok := errors.AsType[*wsman.AuthError](again); !ok {
		return notTested("the logon failed once, but not again: %s", summary(again))
	}
	return contradicted("the token was refused, and taken with SPNEGO around it")
}

func (k *kit) logOnInSPNEGO(ctx context.Context) error {
	return k.logOnOnce(ctx, func(binding []byte) (secure.Context, error) {
		sec, err := k.wire.Mechanism.NewContext(binding)
		return inSPNEGO{sec}, err
	})
}

// logOnOnce establishes a security context on a connection of its own.
func (k *kit) logOnOnce(ctx context.Context, newContext func(binding []byte) (secure.Context, error)) error {
	b, err := k.dialHTTP(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	sec, err := newContext(b.binding)
	if err != nil {
		return err
	}
	return k.logOn(ctx, b, sec)
}
