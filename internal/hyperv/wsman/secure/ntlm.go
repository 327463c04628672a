package secure

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
)

// NTLMConfig says who logs on with NTLM.
type NTLMConfig struct {
	// User is DOMAIN
	//
	// ame, name@suffix, .
	//
	// ame for a local account of the host, or name for one that the host is to find.
	User string
	// Password of the user.
	Password string `json:"-"`
	// SPN names the service, for example HTTP/host. Empty: the service is not named.
	SPN string
}

// Format prints the name of the mechanism for every verb.
func (NTLMConfig) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(ntlmName)) }

// LogValue hides the password.
func (NTLMConfig) LogValue() slog.Value { return slog.StringValue(ntlmName) }

const ntlmName = "NTLM"

// NTLM logs on with NTLMv2 and seals with extended session security. It has
// neither NTLMv1 nor a handshake without MIC: see [ntlmChallenge.check].
type NTLM struct {
	user, domain string
	hash         []byte // of the password, which itself is not kept
	spn          string
}

// hostAccounts in place of a domain stands for the local account database of the host.
const hostAccounts = "."

// NewNTLM makes the mechanism for one user.
func NewNTLM(c NTLMConfig) *NTLM {
	user, domain := c.User, ""
	// A user principal name goes into the user field whole, with no domain. Unverified on a real
	// host (ntlm-suffix-domain): that the host finds the domain of the suffix.
	if d, u, ok := strings.Cut(c.User, `\`); ok {
		user, domain = u, d
	}
	return &NTLM{user: user, domain: domain, hash: ntHash(c.Password), spn: c.SPN}
}

// String names the mechanism.
func (NTLM) String() string { return ntlmName }

// Format prints the name of the mechanism for every verb.
func (NTLM) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(ntlmName)) }

// LogValue names the mechanism.
func (NTLM) LogValue() slog.Value { return slog.StringValue(ntlmName) }

// NewContext starts a context for one connection.
func (n NTLM) NewContext(binding []byte) (Context, error) {
	return &ntlmContext{mech: n, binding: bytes.Clone(binding)}, nil
}

// ntlmContext is an NTLM context: negotiate, challenge, authenticate.
type ntlmContext struct {
	mech      NTLM
	binding   []byte
	negotiate []byte
	answered  bool
	out, in   *ntlmHalf // nil until the challenge is answered
	broken    bool
}

// Format keeps keys out of every print.
func (*ntlmContext) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(ntlmName)) }

func (x *ntlmContext) Next(ctx context.Context, in []byte) (out []byte, established bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	switch {
	case x.answered:
		// A host that sends another token after the answer has not accepted it.
		return nil, false, fmt.Errorf("ntlm: %w", ErrRejected)
	case in == nil && x.negotiate == nil:
		x.negotiate = negotiateMessage()
		return bytes.Clone(x.negotiate), false, nil
	case x.negotiate == nil || in == nil:
		return nil, false, fmt.Errorf("ntlm: %w: no challenge", ErrMalformed)
	}
	x.answered = true
	out, err = x.authenticate(in)
	if err != nil {
		return nil, false, fmt.Errorf("ntlm: %w", err)
	}
	return out, true, nil
}

// authenticate answers the challenge (MS-NLMP 3.1.5.1.2).
func (x *ntlmContext) authenticate(challenge []byte) ([]byte, error) {
	c, err := parseChallenge(challenge)
	if err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	random := make([]byte, 8+16)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	nonce, sessionKey := random[:8], random[8:]

	domain := x.mech.domain
	if domain == hostAccounts {
		if domain = c.info.computer(); domain == "" { // without the name, any domain could be meant
			return nil, fmt.Errorf("%w: the host does not tell its name", ErrMalformed)
		}
	}
	info := c.info.reply(x.binding, x.mech.spn)
	response, baseKey := ntlmv2Response(ntowfv2(x.mech.hash, x.mech.user, domain), c.nonce, nonce, c.info.timestamp(), info.encode())
	m := authenticateMessage{
		flags:        c.flags & ntlmFlags,
		domain:       domain,
		user:         x.mech.user,
		response:     response,
		encryptedKey: rc4Once(baseKey, sessionKey),
	}
	out := m.encode()
	if len(out) > maxNTLMMessage {
		return nil, fmt.Errorf("%w: names too long", ErrMalformed)
	}
	m.sign(out, sessionKey, x.negotiate, challenge)
	x.out, x.in = newNTLMHalf(sessionKey, clientToServer), newNTLMHalf(sessionKey, serverToClient)
	return out, nil
}

func (x *ntlmContext) Wrap(plain []byte) (signature, sealed []byte, err error) {
	if x.out == nil || x.broken {
		return nil, nil, fmt.Errorf("ntlm: %w: no context", ErrWeakContext)
	}
	signature, sealed = x.out.seal(plain)
	return signature, sealed, nil
}

func (x *ntlmContext) Unwrap(signature, sealed []byte) ([]byte, error) {
	if x.in == nil || x.broken {
		return nil, fmt.Errorf("ntlm: %w: no context", ErrTampered)
	}
	plain, ok := x.in.open(signature, sealed)
	if !ok {
		// Key stream and sequence number are lost: nothing later can be opened.
		x.broken = true
		return nil, fmt.Errorf("ntlm: %w", ErrTampered)
	}
	return plain, nil
}
