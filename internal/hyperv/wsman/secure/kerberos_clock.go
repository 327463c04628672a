package secure

import (
	"sync"
	"time"

	"github.com/go-krb5/krb5/types"
	"github.com/go-krb5/x/encoding/asn1"
)

// clock never returns the same time twice. An acceptor takes a second authenticator of the same
// client, service, time and microsecond for a replay (RFC 4120 3.2.2, 3.2.3), and the answer to one
// of them fits the other. The system clock does not keep them apart: on Windows it moves in steps
// of up to 16 ms.
type clock struct {
	mu   sync.Mutex
	last time.Time
}

// authenticatorClock is shared by all users and KDCs of the process, because two of them may be the
// same.
var authenticatorClock clock

// next returns the present in microseconds, or the first microsecond after all that were returned
// before. If the system clock is set back by less than hosts tolerate, next does not follow; if it
// is set back further, no host accepts the earlier times any more.
func (c *clock) next() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().UTC().Truncate(time.Microsecond)
	if ahead := c.last.Sub(now); ahead >= 0 && ahead < maxSkew {
		now = c.last.Add(time.Microsecond)
	}
	c.last = now
	return now
}

// microseconds of the second, as cusec carries them.
func microseconds(t time.Time) int { return t.Nanosecond() / int(time.Microsecond) }

// newAuthenticator is [types.NewAuthenticator] by this clock.
func newAuthenticator(realm string, name types.PrincipalName) (types.Authenticator, error) {
	a, err := types.NewAuthenticator(realm, name)
	a.CTime = authenticatorClock.next()
	a.Cusec = microseconds(a.CTime)
	return a, err
}

// preauthenticationTime is PA-ENC-TS-ENC (RFC 4120 5.2.7.2) by this clock.
func preauthenticationTime() ([]byte, error) {
	now := authenticatorClock.next()
	return asn1.Marshal(types.PAEncTSEnc{PATimestamp: now, PAUSec: microseconds(now)})
}
