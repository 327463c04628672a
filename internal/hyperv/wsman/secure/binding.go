package secure

import (
	"crypto"
	"crypto/md5"
	_ "crypto/sha256" // hashes of ChannelBinding
	_ "crypto/sha512" // hashes of ChannelBinding
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
)

// bindingPrefix names the kind of binding within its data (RFC 5929 4).
const bindingPrefix = "tls-server-end-point:"

// ErrNoBinding says that RFC 5929 4.1 defines no hash, and so no channel binding, for the signature
// of the host's certificate, as for Ed25519. Such a connection is not used: an attacker in between
// could choose the certificate, and a logon that is not bound can be passed on to the host.
var ErrNoBinding = errors.New("the signature of the host's certificate allows no channel binding")

// ChannelBinding returns the tls-server-end-point data of a TLS connection (RFC 5929 4): the host's
// certificate, hashed. It fails with [ErrNoBinding].
//
// A Windows host has no certificate without a hash: the certificates that
// Schannel serves are signed with RSA or ECDSA.
func ChannelBinding(state tls.ConnectionState) ([]byte, error) {
	if len(state.PeerCertificates) == 0 {
		return nil, fmt.Errorf("%w: there is none", ErrNoBinding)
	}
	leaf := state.PeerCertificates[0]
	hash, ok := bindingHash(leaf.SignatureAlgorithm)
	if !ok {
		return nil, fmt.Errorf("%w: %v", ErrNoBinding, leaf.SignatureAlgorithm)
	}
	h := hash.New()
	h.Write(leaf.Raw)
	return h.Sum([]byte(bindingPrefix)), nil
}

// bindingHash returns the hash of the certificate's signature, with MD5 and
// SHA-1 replaced by SHA-256 (RFC 5929 4.1).
func bindingHash(a x509.SignatureAlgorithm) (crypto.Hash, bool) {
	switch a {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.ECDSAWithSHA256, x509.DSAWithSHA256:
		return crypto.SHA256, true
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return crypto.SHA384, true
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return crypto.SHA512, true
	default:
		return 0, false
	}
}

// bindingDigest returns the MD5 of the gss_channel_bindings_struct that holds binding as its
// application data and no addresses (RFC 4121 4.1.1.2).
func bindingDigest(binding []byte) []byte {
	b := make([]byte, 16, 20+len(binding))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(binding))) //nolint:gosec // prefix and hash: at most 85 bytes
	sum := md5.Sum(append(b, binding...))
	return sum[:]
}
