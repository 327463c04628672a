package conformance

import (
	"context"
	"encoding/asn1"
	"fmt"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

var (
	oidSPNEGO   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 2}
	oidKerberos = asn1.ObjectIdentifier{1, 2, 840, 113554, 1, 2, 2}
)

// inSPNEGO offers Kerberos alone, with its first token, and passes the tokens of
// the context on (RFC 4178 4.2).
type inSPNEGO struct{ secure.Context }

// Next implements secure.Context.
func (s inSPNEGO) Next(ctx context.Context, in []byte) (out []byte, established bool, err error) {
	if in != nil {
		if in, err = fromSPNEGO(in); err != nil {
			return nil, false, err
		}
	}
	out, established, err = s.Context.Next(ctx, in)
	if err != nil || out == nil {
		return nil, established, err
	}
	out, err = toSPNEGO(out)
	return out, established, err
}

// toSPNEGO makes a NegTokenInit in the frame of RFC 2743 3.1.
func toSPNEGO(token []byte) ([]byte, error) {
	offer, err := asn1.Marshal(struct {
		MechTypes []asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
		MechToken []byte                  `asn1:"explicit,tag:2"`
	}{[]asn1.ObjectIdentifier{oidKerberos}, token})
	if err != nil {
		return nil, err
	}
	choice, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: offer})
	if err != nil {
		return nil, err
	}
	oid, err := asn1.Marshal(oidSPNEGO)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassApplication, Tag: 0, IsCompound: true, Bytes: append(oid, choice...)})
}

// fromSPNEGO takes the token out of a NegTokenResp.
func fromSPNEGO(b []byte) ([]byte, error) {
	var (
		choice asn1.RawValue
		resp   struct {
			State         asn1.Enumerated       `asn1:"explicit,optional,tag:0"`
			SupportedMech asn1.ObjectIdentifier `asn1:"explicit,optional,tag:1"`
			ResponseToken []byte                `asn1:"explicit,optional,tag:2"`
			MechListMIC   []byte                `asn1:"explicit,optional,tag:3"`
		}
	)
	if _, err := asn1.Unmarshal(b, &choice); err != nil || choice.Class != asn1.ClassContextSpecific || choice.Tag != 1 {
		return nil, fmt.Errorf("%w: not an answer of SPNEGO", secure.ErrMalformed)
	}
	if _, err := asn1.Unmarshal(choice.Bytes, &resp); err != nil || len(resp.ResponseToken) == 0 {
		return nil, fmt.Errorf("%w: no token in SPNEGO", secure.ErrMalformed)
	}
	return resp.ResponseToken, nil
}
