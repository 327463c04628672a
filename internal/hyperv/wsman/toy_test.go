package wsman_test

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// toy is a mechanism with a three-legged handshake and a seal that is easy to
// check and easy to break. It stands in for NTLM: its last token goes along
// with the first message.
type toy struct{ password string }

func (toy) String() string { return "toy" }

func (m toy) NewContext([]byte) (secure.Context, error) {
	return &toyContext{password: m.password}, nil
}

// ticket is a mechanism that shows a ticket and is done once the host has proven that it could read
// the ticket, like Kerberos. No password is in it.
type ticket struct{ toy }

func (ticket) NewContext([]byte) (secure.Context, error) { return &ticketContext{}, nil }

type ticketContext struct{ toyContext }

func (c *ticketContext) Next(_ context.Context, in []byte) ([]byte, bool, error) {
	if in == nil {
		return []byte("hello"), false, nil
	}
	return nil, string(in) == "proven", nil
}

type toyContext struct {
	password string
	step     int
	toyKey
}

func (c *toyContext) Next(_ context.Context, in []byte) ([]byte, bool, error) {
	c.step++
	switch {
	case c.step == 1:
		return []byte("hello"), false, nil
	case string(in) == "weak":
		return nil, false, secure.ErrWeakContext
	}
	return []byte("proof " + c.password), true, nil
}

func (c *toyContext) Wrap(plain []byte) (signature, sealed []byte, err error) {
	signature, sealed = c.seal(plain)
	return signature, sealed, nil
}

func (c *toyContext) Unwrap(signature, sealed []byte) ([]byte, error) {
	return c.open(signature, sealed)
}

// toyKey seals by flipping bits; its signature is a counter and a sum.
type toyKey struct{ out, in uint32 }

func (k *toyKey) seal(plain []byte) (signature, sealed []byte) {
	signature = binary.LittleEndian.AppendUint32(nil, k.out)
	k.out++
	return append(signature, sum(plain)), flip(plain)
}

func (k *toyKey) open(signature, sealed []byte) ([]byte, error) {
	plain := flip(sealed)
	want := append(binary.LittleEndian.AppendUint32(nil, k.in), sum(plain))
	k.in++
	if !bytes.Equal(signature, want) {
		return nil, secure.ErrTampered
	}
	return plain, nil
}

func flip(b []byte) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[i] = b[i] ^ 0x5a
	}
	return out
}

func sum(b []byte) (n byte) {
	for _, c := range b {
		n += c
	}
	return n
}
