package secure_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// The hashes of RFC 5929 4.1.
func TestChannelBinding(t *testing.T) {
	t.Parallel()
	raw := []byte("a certificate")
	h256, h384, h512 := sha256.Sum256(raw), sha512.Sum384(raw), sha512.Sum512(raw)
	tests := map[x509.SignatureAlgorithm][]byte{
		x509.MD5WithRSA:       h256[:],
		x509.SHA1WithRSA:      h256[:],
		x509.ECDSAWithSHA1:    h256[:],
		x509.SHA256WithRSA:    h256[:],
		x509.SHA256WithRSAPSS: h256[:],
		x509.ECDSAWithSHA256:  h256[:],
		x509.SHA384WithRSA:    h384[:],
		x509.SHA384WithRSAPSS: h384[:],
		x509.ECDSAWithSHA384:  h384[:],
		x509.SHA512WithRSA:    h512[:],
		x509.SHA512WithRSAPSS: h512[:],
		x509.ECDSAWithSHA512:  h512[:],
	}
	for algorithm, sum := range tests {
		state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{
			{Raw: raw, SignatureAlgorithm: algorithm},
			{Raw: []byte("its authority"), SignatureAlgorithm: x509.SHA512WithRSA},
		}}
		want := append([]byte("tls-server-end-point:"), sum...)
		got, err := secure.ChannelBinding(state)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v: %v (-want +got):\n%s", algorithm, err, diff)
		}
	}
	none := map[string]tls.ConnectionState{
		"no certificate": {},
		"Ed25519":        {PeerCertificates: []*x509.Certificate{{Raw: raw, SignatureAlgorithm: x509.PureEd25519}}},
		"unknown":        {PeerCertificates: []*x509.Certificate{{Raw: raw}}},
	}
	for name, state := range none {
		if got, err := secure.ChannelBinding(state); !errors.Is(err, secure.ErrNoBinding) || got != nil {
			t.Errorf("%s: %q, %v, want ErrNoBinding", name, got, err)
		}
	}
}
