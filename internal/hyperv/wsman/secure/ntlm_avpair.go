package secure

import (
	"encoding/binary"
	"fmt"
)

// Identifiers of target information (MS-NLMP 2.2.2.1).
const (
	avEOL            = 0
	avComputer       = 1 // NetBIOS name of the host
	avFlags          = 6
	avTimestamp      = 7
	avTargetName     = 9
	avChannelBinding = 10

	avFlagMIC = 0x00000002 // the authenticate message has a MIC
)

type avPair struct {
	id    uint16
	value []byte
}

type avPairs []avPair

// parseAvPairs reads a list up to its end mark. No bytes at all are an empty list.
func parseAvPairs(b []byte) (avPairs, error) {
	if len(b) == 0 {
		return nil, nil
	}
	var pairs avPairs
	for len(b) >= 4 {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		b = b[4:]
		if id == avEOL {
			return pairs, nil
		}
		if n > len(b) {
			break
		}
		pairs = append(pairs, avPair{id, b[:n]})
		b = b[n:]
	}
	return nil, fmt.Errorf("%w: target information without end", ErrMalformed)
}

func (p avPairs) encode() []byte {
	var b []byte
	for _, pair := range append(p, avPair{id: avEOL}) {
		b = binary.LittleEndian.AppendUint16(b, pair.id)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(pair.value))) //nolint:gosec // ours, or read from 16 bits
		b = append(b, pair.value...)
	}
	return b
}

func (p avPairs) find(id uint16) []byte {
	for _, pair := range p {
		if pair.id == id {
			return pair.value
		}
	}
	return nil
}

// timestamp returns the host's time, nil when the list has none.
func (p avPairs) timestamp() []byte {
	if t := p.find(avTimestamp); len(t) == 8 {
		return t
	}
	return nil
}

// computer returns the host's NetBIOS name, empty when the list has none.
func (p avPairs) computer() string { return fromUTF16LE(p.find(avComputer)) }

// reply returns the target information of the response: that of the host except its flags, with the
// promise of a MIC, the binding and the name of the service (MS-NLMP 3.1.5.1.2). Without a TLS
// connection there is no binding pair, rather than a zero one: hosts take a zero one for a wrong
// binding.
func (p avPairs) reply(binding []byte, spn string) avPairs {
	out := make(avPairs, 0, len(p)+3)
	for _, pair := range p {
		switch pair.id {
		case avFlags, avTargetName, avChannelBinding: // replaced by our own
		default:
			out = append(out, pair)
		}
	}
	out = append(out, avPair{avFlags, binary.LittleEndian.AppendUint32(nil, avFlagMIC)})
	if binding != nil {
		out = append(out, avPair{avChannelBinding, bindingDigest(binding)})
	}
	if spn != "" {
		out = append(out, avPair{avTargetName, utf16le(spn)})
	}
	return out
}
