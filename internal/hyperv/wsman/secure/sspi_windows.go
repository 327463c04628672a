package secure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/user"
	"sync"

	"golang.org/x/sys/windows"
)

const windowsName = "Windows"

// How to log on. A build for tests under Wine, where no user is logged on, changes these: see
// sspi_wine_windows.go.
var (
	securityPackage  = "Negotiate"
	identity         *secIdentity // nil: the current user
	neededAttributes = uint32(contextSafe)
)

// currentUser logs on as the user who is logged on to this machine, or as whom a task or service
// runs. Negotiate takes Kerberos for a host that a domain controller knows by the target's name,
// and NTLM for others.
type currentUser struct {
	name, target *uint16 // of the security package and of the service
	maxToken     uint32
}

// NewCurrentUser returns the mechanism for the host with the given service principal name. It does
// not ask a domain controller yet.
func NewCurrentUser(spn string) (Mechanism, error) {
	if _, err := parseSPN(spn); err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	target, err := windows.UTF16PtrFromString(spn)
	if err != nil {
		return nil, fmt.Errorf("windows: SPN %q: %w", spn, err)
	}
	name, err := windows.UTF16PtrFromString(securityPackage)
	if err != nil {
		return nil, err
	}
	size, err := maxToken(name)
	if err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	return &currentUser{name: name, target: target, maxToken: size}, nil
}

// CurrentUserName returns the user who logs on, as DOMAIN\user, empty if Windows does not name one.
func CurrentUserName() string {
	if identity != nil {
		return windows.UTF16PtrToString(identity.domain) + `\` + windows.UTF16PtrToString(identity.user)
	}
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// String names the mechanism.
func (*currentUser) String() string { return windowsName }

// NewContext starts a context for one connection. The context is closed along
// with the connection, because LSA keeps a handle for it.
func (u *currentUser) NewContext(binding []byte) (Context, error) {
	credentials, err := acquire(u.name, identity)
	if err != nil {
		return nil, fmt.Errorf("windows: %w", err)
	}
	return &windowsContext{currentUser: *u, credentials: credentials, bindings: channelBindings(binding)}, nil
}

// contextState is the progress of a context.
type contextState int

const (
	stateNew    contextState = iota
	stateBegun               // the handle is valid, and the host has to answer
	stateReady               // messages can be sealed
	stateBroken              // it can only be closed
	stateClosed
)

// windowsContext is a context of the package that Negotiate has chosen.
type windowsContext struct {
	currentUser

	bindings []byte // nil without TLS

	mu                  sync.Mutex // a step may last longer than Next waits for it
	credentials, handle secHandle
	state               contextState
	begun               bool // the handle is to be deleted
	trailer             uint32
}

// Next asks LSA, which may have to ask a domain controller and does not know of ctx: Next stops
// waiting when ctx ends, and the step goes on.
func (x *windowsContext) Next(ctx context.Context, in []byte) (out []byte, established bool, err error) {
	type outcome struct {
		out   []byte
		ready bool
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		out, err := x.step(in)
		done <- outcome{out, x.state == stateReady, err}
	}()
	select {
	case o := <-done:
		if o.err != nil {
			return nil, false, fmt.Errorf("windows: %w", o.err)
		}
		return o.out, o.ready, nil
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
}

func (x *windowsContext) step(in []byte) ([]byte, error) {
	var buffers []secBuffer
	switch {
	case x.state == stateNew && in == nil:
	case x.state == stateBegun && in != nil:
		buffers = append(buffers, buffer(bufferToken, in))
	case x.state == stateReady: // a host that sends another token has not accepted the last one
		return nil, ErrRejected
	default:
		return nil, fmt.Errorf("%w: no answer from the host", ErrMalformed)
	}
	if x.bindings != nil {
		buffers = append(buffers, buffer(bufferChannelBindings, x.bindings))
	}
	out, attributes, more, err := initialize(&x.credentials, &x.handle, x.begun, x.target, buffers, x.maxToken)
	if err == nil {
		x.state, x.begun = stateBegun, true
		if !more {
			err = x.finish(attributes)
		}
	}
	if err != nil {
		x.state = stateBroken
		return nil, err
	}
	return out, nil
}

// finish checks that the context has the attributes that were requested. Kerberos has to have
// proven the host; NTLM never does, whatever the attribute says.
func (x *windowsContext) finish(attributes uint32) error {
	err := sufficient(attributes, neededAttributes, packageOf(&x.handle))
	if err != nil {
		return err
	}
	x.trailer, err = trailerSize(&x.handle)
	x.state = stateReady
	return err
}

// Wrap seals plain in the form of WinRM: the token in front of the data.
func (x *windowsContext) Wrap(plain []byte) (signature, sealed []byte, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state != stateReady {
		return nil, nil, fmt.Errorf("windows: %w: no context", ErrWeakContext)
	}
	signature, sealed, err = encrypt(&x.handle, make([]byte, x.trailer), bytes.Clone(plain))
	if err != nil {
		x.state = stateBroken
		return nil, nil, fmt.Errorf("windows: %w", err)
	}
	return signature, sealed, nil
}

// Unwrap opens the messages that the host has sealed, in order. A message that was only signed is
// refused.
func (x *windowsContext) Unwrap(signature, sealed []byte) ([]byte, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.state != stateReady {
		return nil, fmt.Errorf("windows: %w: no context", ErrTampered)
	}
	plain, quality, err := decrypt(&x.handle, bytes.Clone(signature), bytes.Clone(sealed))
	switch {
	case err == nil && quality == 0:
		return plain, nil
	case err == nil:
		err = fmt.Errorf("%w: signed, but not sealed", ErrTampered)
	case !errors.Is(err, ErrContextEnded):
		err = fmt.Errorf("%w: %w", ErrTampered, err)
	}
	x.state = stateBroken // key stream and sequence number are lost
	return nil, fmt.Errorf("windows: %w", err)
}

// Close releases the handles that LSA keeps, after a step that may still be under way.
func (x *windowsContext) Close() error {
	if x.mu.TryLock() {
		x.free()
	} else {
		go func() { x.mu.Lock(); x.free() }()
	}
	return nil
}

func (x *windowsContext) free() {
	defer x.mu.Unlock()
	if x.state == stateClosed {
		return
	}
	x.state = stateClosed
	if x.begun {
		deleteContext(&x.handle)
	}
	release(&x.credentials)
}

// Format keeps keys out of every print.
func (*windowsContext) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(windowsName)) }
