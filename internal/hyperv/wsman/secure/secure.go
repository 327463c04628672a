package secure

import (
	"context"
	"errors"
)

// Mechanism makes security contexts for one set of credentials. It is safe for
// concurrent use and never prints its secrets.
type Mechanism interface {
	// NewContext starts a context for one connection. The binding is the tls-server-end-point data
	// of the TLS connection beneath it, nil without TLS.
	NewContext(binding []byte) (Context, error)
	// String names the mechanism, nothing else.
	String() string
}

// Context is the client half of one security context. A context that is an [io.Closer] holds a
// resource outside of this process and is closed with its connection.
type Context interface {
	// Next takes the host's token, nil at first, and returns the next one. The
	// result established reports that Wrap works; a token that comes with it is
	// sent along with the first sealed message.
	Next(ctx context.Context, in []byte) (out []byte, established bool, err error)
	// Wrap seals plain. The signature goes in front of the ciphertext.
	Wrap(plain []byte) (signature, sealed []byte, err error)
	// Unwrap opens the messages that the host has sealed, in the order in which it sealed them.
	Unwrap(signature, sealed []byte) ([]byte, error)
}

// Errors of security contexts, for [errors.Is].
var (
	// ErrWeakContext: the host, or someone on the way, offers a context that
	// does not seal, or whose handshake is not protected.
	ErrWeakContext = errors.New("the host does not offer message sealing with integrity")
	// ErrRejected: the host refused the credentials.
	ErrRejected = errors.New("the host rejected the credentials")
	// ErrMalformed: a token or a sealed body is not what the protocol defines.
	ErrMalformed = errors.New("malformed security token")
	// ErrTampered: a sealed message fails its integrity check or is out of order.
	ErrTampered = errors.New("sealed message fails its integrity check")
)
