package wsman_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// lateConn tells its writer late that everything is written, as a busy machine does.
type lateConn struct{ net.Conn }

// Write implements net.Conn.
func (c lateConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	time.Sleep(200 * time.Millisecond)
	return n, err
}

// TestBusyMachineKeepsItsConnection: an answer that is there before the writer of its request goes
// on costs neither the handshake nor the connection.
func TestBusyMachineKeepsItsConnection(t *testing.T) {
	t.Parallel()
	for _, secured := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h, change := newFakeHost(t, echo), func(*wsman.Config) {}
			if secured {
				p := newKeyPair(t, "hv1.example")
				h.open, change = true, https(p)
				h.startTLS(&tls.Config{Certificates: []tls.Certificate{p.certificate}})
			} else {
				h.start()
			}
			c := h.client(change, func(cfg *wsman.Config) {
				cfg.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
					conn, err := h.listener.dial(ctx, network, address)
					return lateConn{conn}, err
				}
			})
			for range 3 {
				mustGet(t.Context(), t, c, "1")
			}
			if conns, handshakes, _ := h.totals(); conns != 1 || handshakes != 1 {
				t.Errorf("https %t: %d connections, %d handshakes, want 1 each", secured, conns, handshakes)
			}
			c.Close()
			synctest.Wait()
		})
	}
}

// TestRefusalBeforeTheRequestIsRead: a host that answers and reads no further is heard all the same.
func TestRefusalBeforeTheRequestIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		defer l.Close()
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadFull(conn, make([]byte, 100))
			_, _ = io.WriteString(conn, "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\n\r\n")
		}()
		c, err := wsman.New(wsman.Config{Endpoint: &winrm.Endpoint{Host: "h", Port: 5985}, Mechanism: toy{}, Dial: l.dial})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		_, err = c.Get(t.Context(), jobReference("1"))
		if e, ok := errors.AsType[*wsman.HTTPError](err); !ok || e.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("Get = %v, want status 413", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it was heard after %s", took)
		}
	})
}
