package main

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
)

// counter counts what reaches the endpoint.
type counter struct {
	output  string // of every command
	deleted func() // called when a shell was deleted; may be nil

	connections, requests, refused atomic.Int64
	received, sent                 atomic.Int64
	actions                        [actionCount]atomic.Int64
	ids                            atomic.Int64
}

func newCounter(output string) *counter { return &counter{output: output} }

// totals is one line of all counts. A refused request is one that came without
// credentials, as most clients send their first.
func (c *counter) totals() string {
	var line strings.Builder
	_, _ = fmt.Fprintf(&line, "%d connections, %d requests, %d refused, %d bytes received, %d bytes sent",
		c.connections.Load(), c.requests.Load(), c.refused.Load(), c.received.Load(), c.sent.Load())
	for i, a := range actions {
		_, _ = fmt.Fprintf(&line, ", %d %s", c.actions[i].Load(), a.name)
	}
	return line.String()
}

// listener counts the connections of another one, and the bytes on them.
func (c *counter) listener(l net.Listener) net.Listener { return countedListener{l, c} }

type countedListener struct {
	net.Listener
	c *counter
}

// Accept implements net.Listener.
func (l countedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.c.connections.Add(1)
	return countedConn{conn, l.c}, nil
}

type countedConn struct {
	net.Conn
	c *counter
}

// Read implements net.Conn.
func (c countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.c.received.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.c.sent.Add(int64(n))
	return n, err
}
