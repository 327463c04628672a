package wsman

import (
	"net"
	"time"
)

// maxWrite is how long an answer waits for the end of the write of its request. A host can answer,
// and refuse, before it has read everything.
const maxWrite = time.Second

// Orderly returns a connection that hands over what it reads only once its writer knows that its
// bytes are out. http.Transport closes a connection whose answer came 50 ms before that, and on a
// busy machine the writer goes on late: amid a logon, which is bound to the connection, that is the
// end of the logon.
func Orderly(conn net.Conn) net.Conn {
	return &orderlyConn{Conn: conn, writing: make(chan struct{}, 1)}
}

type orderlyConn struct {
	net.Conn

	writing chan struct{} // full while a write is under way
}

// Read implements net.Conn.
func (c *orderlyConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && len(c.writing) > 0 {
		c.awaitWrite()
	}
	return n, err
}

// Write implements net.Conn.
func (c *orderlyConn) Write(b []byte) (int, error) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	return c.Conn.Write(b)
}

// awaitWrite waits until no write is under way, for maxWrite at most.
func (c *orderlyConn) awaitWrite() {
	timer := time.NewTimer(maxWrite)
	defer timer.Stop()
	select {
	case c.writing <- struct{}{}:
		<-c.writing
	case <-timer.C:
	}
}
