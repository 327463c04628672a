package hyperv_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-krb5/krb5/iana/etypeID"
	"github.com/go-krb5/krb5/iana/nametype"
	"github.com/go-krb5/krb5/keytab"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// ticketRealm is a realm without a KDC: the keys of one service, and a ticket for it.
type ticketRealm struct {
	keys        *keytab.Keytab
	credentials hyperv.KerberosConfig
}

func newTicketRealm(t *testing.T) ticketRealm {
	t.Helper()
	const realm, service = "HYPERV.TEST", "HTTP/hyperv.test"
	keys := keytab.New()
	must(t, keys.AddEntry(service, realm, "service password", time.Now(), 1, etypeID.AES256_CTS_HMAC_SHA1_96))
	folder := t.TempDir()
	conf, cache := filepath.Join(folder, "krb5.conf"), filepath.Join(folder, "ccache")
	must(t, os.WriteFile(conf, []byte("[libdefaults]\ndefault_realm = "+realm+"\ndns_lookup_kdc = false\n"), 0o600))
	must(t, os.WriteFile(cache, ticketCache(t, keys, realm, service), 0o600))
	return ticketRealm{keys, hyperv.KerberosConfig{SPN: service, ConfigPath: conf, CCachePath: cache}}
}

// ticketCache is a ticket for a service, in a ticket cache of version 4.
func ticketCache(t *testing.T, keys *keytab.Keytab, realm, service string) []byte {
	t.Helper()
	start, name := time.Now().UTC(), types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, "backup")
	end := start.Add(time.Hour)
	ticket, key, err := messages.NewTicket(name, realm, types.NewPrincipalName(nametype.KRB_NT_SRV_INST, service), realm,
		types.NewKrbFlags(), keys, etypeID.AES256_CTS_HMAC_SHA1_96, 1, start, start, end, end)
	must(t, err)
	sealed, err := ticket.Marshal()
	must(t, err)

	number := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	data := func(b []byte) []byte { return append(number(len(b)), b...) }
	principal := func(kind int, names ...string) []byte {
		b := append(append(number(kind), number(len(names))...), data([]byte(realm))...)
		for _, n := range names {
			b = append(b, data([]byte(n))...)
		}
		return b
	}
	b := append([]byte{5, 4, 0, 0}, principal(1, "backup")...) // whose cache it is
	b = append(append(b, principal(1, "backup")...), principal(2, strings.Split(service, "/")...)...)
	b = append(binary.BigEndian.AppendUint16(b, uint16(key.KeyType)), data(key.KeyValue)...)
	for _, at := range []int64{start.Unix(), start.Unix(), end.Unix(), 0} {
		b = append(b, number(int(at))...)
	}
	b = append(b, make([]byte, 1+4+4+4)...) // is a session key, flags, addresses, authorization data
	return append(append(b, data(sealed)...), data(nil)...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
