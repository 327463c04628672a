package secure

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
)

// ticketCache is the content of a file of tickets, in the format of MIT
// Kerberos, versions 3 and 4.
type ticketCache struct {
	client  cachePrincipal
	entries []cacheEntry
}

type cachePrincipal struct {
	name  types.PrincipalName
	realm string
}

type cacheEntry struct {
	client, server cachePrincipal
	key            types.EncryptionKey
	end            time.Time
	ticket         []byte
}

// maxCacheFile is far larger than the tickets of any user.
const maxCacheFile = 16 << 20

func loadTicketCache(path string) (*ticketCache, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("ticket cache: %w", err)
	}
	c, err := parseTicketCache(b)
	if err != nil {
		return nil, fmt.Errorf("ticket cache %s: %w", path, err)
	}
	return c, nil
}

func parseTicketCache(b []byte) (*ticketCache, error) {
	if len(b) > maxCacheFile {
		return nil, errDamagedFile
	}
	r := cacheReader{rest: b}
	switch version := r.uint16(); version {
	case 0x0503:
	case 0x0504:
		r.take(int(r.uint16())) // the clock offset of a KDC, and future tags
	default:
		return nil, fmt.Errorf("%w: not a file of tickets that is in use today", ErrMalformed)
	}
	r.version3 = b[1] == 3
	c := &ticketCache{client: r.principal()}
	for len(r.rest) > 0 && !r.failed {
		c.entries = append(c.entries, r.entry())
	}
	if r.failed {
		return nil, errDamagedFile
	}
	return c, nil
}

var errDamagedFile = fmt.Errorf("%w: damaged file", ErrMalformed)

// cacheReader reads big-endian fields. Once a field goes beyond the end, it has failed
// and gives zeros.
type cacheReader struct {
	rest     []byte
	version3 bool
	failed   bool
}

func (r *cacheReader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.failed = nil, true
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *cacheReader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *cacheReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// data is a field with its length in front.
func (r *cacheReader) data() []byte { return r.take(int(r.uint32())) }

func (r *cacheReader) principal() cachePrincipal {
	p := cachePrincipal{name: types.PrincipalName{NameType: int32(r.uint32())}} //nolint:gosec // signed in the file
	count := r.uint32()
	p.realm = string(r.data())
	for range count {
		if r.failed {
			break
		}
		p.name.NameString = append(p.name.NameString, string(r.data()))
	}
	return p
}

func (r *cacheReader) entry() cacheEntry {
	e := cacheEntry{client: r.principal(), server: r.principal()}
	e.key.KeyType = int32(r.uint16())
	if r.version3 {
		r.take(2) // the type once more
	}
	e.key.KeyValue = r.data()
	r.take(8) // when the user logged on, and from when the ticket holds
	e.end = time.Unix(int64(r.uint32()), 0)
	r.take(4 + 1 + 4) // until when it is renewable, whether for a session key, flags
	for range 2 {     // addresses, authorization data
		for range r.uint32() {
			if r.failed {
				break
			}
			r.take(2)
			r.data()
		}
	}
	e.ticket = r.data()
	r.data() // a second ticket
	return e
}

// granted returns the entry as a ticket that can be used.
func (e cacheEntry) granted() (grantedTicket, error) {
	key, err := newKerberosKey(e.key)
	if err != nil {
		return grantedTicket{}, err
	}
	var ticket messages.Ticket
	if err := ticket.Unmarshal(e.ticket); err != nil || len(ticket.SName.NameString) == 0 {
		return grantedTicket{}, fmt.Errorf("%w: ticket", ErrMalformed)
	}
	t := kerberosTicket{ticket: ticket, key: key, realm: e.client.realm, name: e.client.name}
	return grantedTicket{t, e.end}, nil
}

// readCache takes the valid tickets from the ticket cache: for the service, or for getting one for
// it.
func (k *Kerberos) readCache(spn servicePrincipal) error {
	cache, err := loadTicketCache(k.cachePath)
	if err != nil {
		return err
	}
	home := krbtgt(cache.client.realm)
	reason := ErrTicketExpired
	for _, e := range cache.entries {
		forService := e.server.name.Equal(spn.name)
		if !forService && !e.server.name.Equal(home) {
			continue
		}
		t, err := e.granted()
		switch {
		case err != nil:
			reason = err
		case !t.fresh():
			reason = fmt.Errorf("%w: ended at %s", ErrTicketExpired, t.end.UTC().Format(time.RFC3339))
		case forService:
			k.tickets[spn.String()] = t
		default:
			k.tgt = t
		}
	}
	if k.tgt.fresh() || k.tickets[spn.String()].fresh() {
		return nil
	}
	return fmt.Errorf("ticket cache %s: %w", k.cachePath, reason)
}
