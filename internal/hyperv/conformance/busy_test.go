package conformance_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/conformance"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// lateConn tells its writer late that everything is written, as a busy machine does.
type lateConn struct{ net.Conn }

// Write implements net.Conn.
func (c lateConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	time.Sleep(200 * time.Millisecond)
	return n, err
}

// TestBusyMachine: claims about what follows a logon on its connection are asked on a busy machine
// too.
func TestBusyMachine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := hypervsim.RunT(t, arrange(".vhdx", hypervsim.WithoutListener())...)
		o := options(sim, ".vhdx")
		o.Config.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := sim.Dial(ctx, network, address)
			return lateConn{conn}, err
		}
		o.Only = []string{"unsealed-refused", "broken-seal-status", "http-media-type"}
		r, err := conformance.Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range o.Only {
			if f := only(t, r, id); f.Result != conformance.Held {
				t.Errorf("%s: %s: %s%s", id, f.Result, f.Seen, f.Why)
			}
		}
	})
}
