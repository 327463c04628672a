package winrmsim

import (
	"bytes"
	"crypto/hmac"
	"encoding/asn1"
)

// Object identifiers of the mechanisms, DER encoded with tag and length.
var (
	oidSPNEGO     = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}
	oidKerberos   = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
	oidMSKerberos = asn1.ObjectIdentifier{1, 2, 840, 48018, 1, 2, 2}
	oidNTLM       = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 2, 2, 10}
)

// negTokenInit is the first token of SPNEGO (RFC 4178 4.2.1).
type negTokenInit struct {
	MechTypes   []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
	ReqFlags    asn1.BitString          `asn1:"explicit,optional,tag:1"`
	MechToken   []byte                  `asn1:"explicit,optional,tag:2"`
	MechListMIC []byte                  `asn1:"explicit,optional,tag:3"`
}

// negTokenResp is every other token of SPNEGO (RFC 4178 4.2.2).
type negTokenResp struct {
	State         asn1.Enumerated       `asn1:"explicit,optional,tag:0,default:-1"`
	SupportedMech asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
	ResponseToken []byte                `asn1:"explicit,optional,tag:2"`
	MechListMIC   []byte                `asn1:"explicit,optional,tag:3"`
}

// States of a negotiation.
const (
	stateCompleted  = 0
	stateIncomplete = 1
)

// gssToken takes a token in the frame of RFC 2743 3.1 apart.
func gssToken(token []byte) (mechanism asn1.ObjectIdentifier, inner []byte, ok bool) {
	var frame asn1.RawValue
	rest, err := asn1.Unmarshal(token, &frame)
	if err != nil || len(rest) > 0 || frame.Class != asn1.ClassApplication || frame.Tag != 0 {
		return nil, nil, false
	}
	inner, err = asn1.Unmarshal(frame.Bytes, &mechanism)
	return mechanism, inner, err == nil
}

func isGSSToken(token []byte, mechanism asn1.ObjectIdentifier) bool {
	oid, _, ok := gssToken(token)
	return ok && oid.Equal(mechanism)
}

// spnegoAcceptor negotiates NTLM or Kerberos and passes their tokens on.
type spnegoAcceptor struct {
	server       *Server
	kerberosOnly bool
	inner        acceptor
	mechanism    asn1.ObjectIdentifier
	types        []byte // DER of the mechanism list that the MIC is over
	done         bool
}

func (s *spnegoAcceptor) user() string { return s.inner.user() }

func (s *spnegoAcceptor) wrap(plain []byte) (signature, sealed []byte, err error) {
	if !s.done {
		return nil, nil, errOutOfOrder
	}
	return s.inner.wrap(plain)
}

func (s *spnegoAcceptor) unwrap(signature, sealed []byte) ([]byte, error) {
	if !s.done {
		return nil, errOutOfOrder
	}
	return s.inner.unwrap(signature, sealed)
}

func (s *spnegoAcceptor) step(in []byte) (out []byte, done bool, err error) {
	switch {
	case s.done:
		return nil, false, errOutOfOrder
	case s.inner == nil:
		return s.first(in)
	}
	var wrapper asn1.RawValue
	rest, err := asn1.Unmarshal(in, &wrapper)
	if err != nil || len(rest) > 0 || wrapper.Class != asn1.ClassContextSpecific || wrapper.Tag != 1 {
		return nil, false, errMalformedToken
	}
	resp := negTokenResp{State: -1}
	if rest, err := asn1.Unmarshal(wrapper.Bytes, &resp); err != nil || len(rest) > 0 {
		return nil, false, errMalformedToken
	}
	return s.pass(resp.ResponseToken, resp.MechListMIC, false)
}

// first chooses the mechanism. The client's optimistic token counts only for the
// mechanism that it prefers.
func (s *spnegoAcceptor) first(in []byte) (out []byte, done bool, err error) {
	_, inner, ok := gssToken(in)
	if !ok {
		return nil, false, errMalformedToken
	}
	var wrapper asn1.RawValue
	if _, err := asn1.Unmarshal(inner, &wrapper); err != nil || wrapper.Class != asn1.ClassContextSpecific || wrapper.Tag != 0 {
		return nil, false, errMalformedToken
	}
	var offer negTokenInit
	if _, err := asn1.Unmarshal(wrapper.Bytes, &offer); err != nil {
		return nil, false, errMalformedToken
	}
	// DER has one form, so this is what the client signed.
	if s.types, err = asn1.Marshal(offer.MechTypes); err != nil {
		return nil, false, err
	}
	for i, mechanism := range offer.MechTypes {
		if s.inner = s.accept(mechanism); s.inner == nil {
			continue
		}
		s.mechanism = mechanism
		if i > 0 || len(offer.MechToken) == 0 {
			out, err = s.respond(negTokenResp{State: stateIncomplete, SupportedMech: mechanism})
			return out, false, err
		}
		return s.pass(offer.MechToken, offer.MechListMIC, true)
	}
	return nil, false, errMalformedToken
}

// accept makes the acceptor of a mechanism, nil if the host does not have it.
func (s *spnegoAcceptor) accept(mechanism asn1.ObjectIdentifier) acceptor {
	switch {
	case (mechanism.Equal(oidKerberos) || mechanism.Equal(oidMSKerberos)) && s.server.config.Keytab != nil:
		return s.server.newKerberos()
	case mechanism.Equal(oidNTLM) && !s.kerberosOnly:
		return s.server.newNTLM()
	}
	return nil
}

// pass gives a token to the mechanism and frames its answer.
func (s *spnegoAcceptor) pass(token, mic []byte, first bool) (out []byte, done bool, err error) {
	answer, done, err := s.inner.step(token)
	if err != nil {
		return nil, false, err
	}
	resp := negTokenResp{State: stateIncomplete, ResponseToken: answer}
	if first {
		resp.SupportedMech = s.mechanism
	}
	if done {
		resp.State, s.done = stateCompleted, true
		if n, ok := s.inner.(*ntlmAcceptor); ok && mic != nil {
			if resp.MechListMIC, err = n.exchangeMIC(s.types, mic); err != nil {
				return nil, false, err
			}
		}
	}
	out, err = s.respond(resp)
	return out, done, err
}

// exchangeMIC checks the client's code over the mechanism list and makes the
// host's. Both key streams start again afterwards.
func (n *ntlmAcceptor) exchangeMIC(types, mic []byte) ([]byte, error) {
	if !hmac.Equal(mic, n.in.mac(types)) {
		return nil, errBadSeal
	}
	own := n.out.mac(types)
	if err := n.in.restart(); err != nil {
		return nil, err
	}
	return own, n.out.restart()
}

func (s *spnegoAcceptor) respond(resp negTokenResp) ([]byte, error) {
	sequence, err := asn1.Marshal(resp)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: bytes.Clone(sequence)})
}
