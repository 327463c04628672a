package secure

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/go-krb5/krb5/config"
	"github.com/go-krb5/krb5/iana/asn1apptag"
	"github.com/go-krb5/krb5/iana/errorcode"
)

const (
	kdcPort      = "88"
	kdcTimeout   = 5 * time.Second // for each KDC
	maxKDCAnswer = 1 << 20
)

// dialer connects to a KDC.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// kdcClient talks to the KDCs of any realm, over TCP: tickets of users in many
// groups do not fit into a datagram, and every KDC serves TCP.
type kdcClient struct {
	config *config.Config
	dial   dialer
}

// exchange sends a request to the realm's KDCs, one after the other until one answers. A KRB-ERROR
// comes back as *KDCError.
func (c *kdcClient) exchange(ctx context.Context, realm, spn string, request []byte) ([]byte, error) {
	addresses, err := c.addresses(ctx, realm)
	if err != nil {
		return nil, err
	}
	failed := fmt.Errorf("realm %s: %w", realm, ErrNoKDC)
	for _, address := range addresses {
		answer, err := c.ask(ctx, address, request)
		if err == nil && isKRBError(answer) {
			err = parseKDCError(answer, realm, spn)
			if kdc := (*KDCError)(nil); errors.As(err, &kdc) && kdc.Code != errorcode.KDC_ERR_SVC_UNAVAILABLE {
				return nil, err
			}
		}
		if err == nil {
			return answer, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		failed = fmt.Errorf("%w; %w", failed, err)
	}
	return nil, failed
}

// addresses lists the realm's KDCs: those of krb5.conf, else those of DNS.
func (c *kdcClient) addresses(ctx context.Context, realm string) ([]string, error) {
	var list []string
	for _, r := range c.config.Realms {
		if r.Realm != realm {
			continue
		}
		for _, kdc := range r.KDC {
			if address, ok := kdcAddress(kdc); ok {
				list = append(list, address)
			}
		}
	}
	if len(list) > 0 {
		return list, nil
	}
	if !c.config.LibDefaults.DNSLookupKDC {
		return nil, fmt.Errorf("realm %s: %w: krb5.conf names none", realm, ErrNoKDC)
	}
	_, records, err := net.DefaultResolver.LookupSRV(ctx, "kerberos", "tcp", realm)
	if err != nil {
		return nil, fmt.Errorf("realm %s: %w: krb5.conf names none: %w", realm, ErrNoKDC, err)
	}
	for _, record := range records {
		host := strings.TrimSuffix(record.Target, ".")
		list = append(list, net.JoinHostPort(host, strconv.Itoa(int(record.Port))))
	}
	return list, nil
}

// kdcAddress completes the value of a kdc line: host, host:port, or an IPv6
// address with or without brackets. A KDC behind an HTTPS proxy cannot be
// reached.
func kdcAddress(s string) (string, bool) {
	s = strings.TrimSuffix(strings.TrimSpace(s), "*")
	s = strings.TrimPrefix(s, "tcp/")
	if s == "" || strings.Contains(s, "/") {
		return "", false
	}
	// A bare IPv6 address comes from the parser with ":88" glued to it only if it
	// had no colon at all, so colons without brackets are the address itself.
	if strings.Count(s, ":") > 1 && !strings.HasPrefix(s, "[") {
		return net.JoinHostPort(s, kdcPort), true
	}
	if host, port, err := net.SplitHostPort(s); err == nil {
		return net.JoinHostPort(host, port), true
	}
	return net.JoinHostPort(strings.Trim(s, "[]"), kdcPort), true
}

// ask sends one request over one connection (RFC 4120 7.2.2).
func (c *kdcClient) ask(ctx context.Context, address string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	// The end of the context closes the connection and so ends every wait on it.
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		stop()
		_ = conn.Close()
	}()
	answer, err := roundTrip(conn, request)
	switch {
	case err != nil && ctx.Err() != nil: // which closed the connection
		return nil, fmt.Errorf("KDC %s: no answer within %s", address, kdcTimeout)
	case err != nil:
		return nil, fmt.Errorf("KDC %s: %w", address, err)
	}
	return answer, nil
}

func roundTrip(conn io.ReadWriter, request []byte) ([]byte, error) {
	message := binary.BigEndian.AppendUint32(nil, uint32(len(request))) //nolint:gosec // ours
	if _, err := conn.Write(append(message, request...)); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 || n > maxKDCAnswer {
		return nil, fmt.Errorf("%w: answer of %d bytes", ErrMalformed, n)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// isKRBError looks at the application tag.
func isKRBError(b []byte) bool { return len(b) > 0 && b[0] == 0x60|asn1apptag.KRBError }
