// Package freeport gives tests ports that nobody else takes: not before the test listens on one, and
// not after its server has ended. A port that the system has chosen is soon chosen again, by a test
// beside this one, whose server then answers in the place of one that is down.
package freeport

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// Ports come from below those that systems choose from: Linux begins at 32768, Windows and macOS at
// 49152.
const first, past = 20000, 32000

// tried counts the ports that this process has looked at. It begins anywhere, as other processes do.
var tried atomic.Uint32

func init() { tried.Store(rand.Uint32N(past - first)) } //nolint:gosec // G404: any beginning will do

// On returns a port for TCP that is free on all of the addresses, which are 127.0.0.1 if there are
// none. Until the end of the test it is given to nobody else.
func On(t testing.TB, addresses ...string) int {
	t.Helper()
	if len(addresses) == 0 {
		addresses = []string{"127.0.0.1"}
	}
	for range past - first {
		port := first + int(tried.Add(1)%(past-first))
		if reserve(t, port) && isFree(t.Context(), port, addresses) {
			return port
		}
	}
	t.Fatalf("no port is free on all of %q", addresses)
	return 0
}

// reserve takes the port of UDP with that number, for which no test has a use: the mark by which
// tests in other processes see that the number is given out.
func reserve(t testing.TB, port int) bool {
	t.Helper()
	mark, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", at("127.0.0.1", port))
	if err != nil {
		return false
	}
	t.Cleanup(func() { _ = mark.Close() })
	return true
}

// isFree reports whether nobody listens on the port. It does not listen itself: a program that is
// started in that moment would hold a copy of the socket for a while, and the port would be in use.
func isFree(ctx context.Context, port int, addresses []string) bool {
	for _, address := range addresses {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", at(address, port)); err == nil {
			_ = conn.Close()
			return false
		}
	}
	return true
}

func at(address string, port int) string { return net.JoinHostPort(address, strconv.Itoa(port)) }
