package wsman

import "sync/atomic"

// Stats counts what a client has done so far.
type Stats struct {
	// Exchanges are HTTP requests, those of handshakes included.
	Exchanges int64
	// BytesSent and BytesReceived are the bytes on the connections, those of TLS included.
	BytesSent, BytesReceived int64
	// Handshakes are the security contexts that were begun.
	Handshakes int64
	// Connections are the connections that were made.
	Connections int64
}

type counters struct {
	exchanges, sent, received, handshakes, connections atomic.Int64
}

// Stats returns the counts.
func (c *Client) Stats() Stats {
	n := &c.session.wire.counters
	return Stats{
		Exchanges:     n.exchanges.Load(),
		BytesSent:     n.sent.Load(),
		BytesReceived: n.received.Load(),
		Handshakes:    n.handshakes.Load(),
		Connections:   n.connections.Load(),
	}
}
