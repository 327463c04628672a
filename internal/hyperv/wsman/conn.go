package wsman

import (
	"net"
	"sync"
)

// maxOpening is how many of the first bytes of a peer are kept: enough for the version that a
// ServerHello chooses.
const maxOpening = 11

// countedConn counts bytes and remembers the first bytes of the peer.
type countedConn struct {
	net.Conn

	counters *counters

	mu      sync.Mutex
	opening []byte
}

// newCountedConn counts what passes over a connection, which it makes orderly.
func newCountedConn(conn net.Conn, n *counters) *countedConn {
	return &countedConn{Conn: Orderly(conn), counters: n}
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.counters.received.Add(int64(n))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opening = append(c.opening, b[:min(n, maxOpening-len(c.opening))]...)
	return n, err
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.counters.sent.Add(int64(n))
	return n, err
}

// began returns the first bytes of the peer.
func (c *countedConn) began() tlsOpening {
	c.mu.Lock()
	defer c.mu.Unlock()
	return tlsOpening(c.opening)
}

// tlsOpening holds the first bytes of a peer (RFC 8446 5.1): type of the
// record, version, length, then the record.
type tlsOpening []byte

const (
	recordAlert     = 0x15
	recordHandshake = 0x16
	serverHello     = 2
	tls12           = 3 // the second byte of 1.2, and of 1.3 in this place
)

// Numbers of alerts (RFC 8446 6).
const (
	alertHandshakeFailure = 40
	alertProtocolVersion  = 70
)

// isTLS reports whether it is a record of TLS.
func (o tlsOpening) isTLS() bool {
	return len(o) >= 2 && (o[0] == recordAlert || o[0] == recordHandshake) && o[1] == 3
}

// alert returns the number of the alert, 0 if it is not an alert.
func (o tlsOpening) alert() byte {
	const description = 6
	if !o.isTLS() || o[0] != recordAlert || len(o) <= description {
		return 0
	}
	return o[description]
}

// isOld reports whether a ServerHello chooses a version before TLS 1.2.
func (o tlsOpening) isOld() bool {
	const kind, version = 5, 10
	return o.isTLS() && o[0] == recordHandshake && len(o) > version && o[kind] == serverHello && o[version] < tls12
}
