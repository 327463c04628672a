package secure_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-krb5/krb5/asn1tools"
	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/iana"
	"github.com/go-krb5/krb5/iana/asn1apptag"
	"github.com/go-krb5/krb5/iana/errorcode"
	"github.com/go-krb5/krb5/iana/keyusage"
	"github.com/go-krb5/krb5/iana/msgtype"
	"github.com/go-krb5/krb5/iana/patype"
	"github.com/go-krb5/krb5/messages"
	"github.com/go-krb5/krb5/types"
	"github.com/go-krb5/x/encoding/asn1"
)

const (
	testRealm = "CORP.TEST"
	testUser  = "admin"
	testHost  = "host.corp.test"
	testSPN   = "HTTP/" + testHost
)

// fakeKDC is a key distribution center in memory. One user and one service exist in
// its realm; other services are refused, or referred to another realm.
type fakeKDC struct {
	realm               string
	etype               int32
	password            string
	spn                 string
	life                time.Duration
	skew                time.Duration     // how far its clock is ahead
	refer               map[string]string // SPN to realm
	peers               map[string]*fakeKDC
	s2k                 string        // iterations of the password's key, in hex
	terse               bool          // the answer to a login does not repeat the salt
	open                bool          // no preauthentication
	replayAS, replayTGS bool          // repeat the first answer
	fail                int32         // error code for every request
	silent              chan struct{} // if not nil, requests are never answered
	judging             time.Duration // how long it takes to judge the proof of a password

	krbtgt  types.EncryptionKey
	service types.EncryptionKey
	trust   map[string]types.EncryptionKey // keys shared with other realms

	authenticated func(types.Authenticator)                             // if not nil, told of every authenticator
	forge         func(*messages.KDCRepFields, *messages.EncKDCRepPart) // if not nil, changes the reply

	logins, tickets atomic.Int64

	mu              sync.Mutex // guards what follows
	lastAS, lastTGS []byte
}

func newFakeKDC(etype int32) *fakeKDC {
	s2k := "00001388"
	if etype == 19 || etype == 20 {
		s2k = "00009c40"
	}
	return &fakeKDC{
		realm: testRealm, etype: etype, password: testPassword, spn: testSPN, s2k: s2k, life: 10 * time.Hour,
		krbtgt: randomKey(etype), service: randomKey(etype), trust: map[string]types.EncryptionKey{},
	}
}

func randomKey(etype int32) types.EncryptionKey {
	size := map[int32]int{17: 16, 18: 32, 19: 16, 20: 32, 23: 16}[etype]
	k := types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, size)}
	_, _ = rand.Read(k.KeyValue)
	return k
}

// dial connects to the KDC; every realm is served, by peers.
func (k *fakeKDC) dial(_ context.Context, _, address string) (net.Conn, error) {
	serving := k
	if host, _, err := net.SplitHostPort(address); err == nil && k.peers[host] != nil {
		serving = k.peers[host]
	}
	client, server := net.Pipe()
	go func() {
		defer func() { _ = server.Close() }()
		var size [4]byte
		if _, err := io.ReadFull(server, size[:]); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(server, request); err != nil {
			return
		}
		if serving.silent != nil {
			<-serving.silent
			return
		}
		answer := serving.answer(request)
		_, _ = server.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
	}()
	return client, nil
}

func (k *fakeKDC) answer(request []byte) []byte {
	if k.fail != 0 {
		return k.err(k.fail, nil)
	}
	var as messages.ASReq
	if as.Unmarshal(request) == nil {
		return k.as(as)
	}
	var tgs messages.TGSReq
	if err := tgs.Unmarshal(request); err != nil {
		panic(err)
	}
	return k.tgs(tgs)
}

func (k *fakeKDC) err(code int32, data []byte) []byte {
	e := messages.NewKRBError(types.PrincipalName{NameType: 2, NameString: []string{"krbtgt", k.realm}}, k.realm, code, "text")
	e.EData = data
	return must(e.Marshal())
}

// userKeys holds the keys of passwords, each made once: that takes long on a busy machine,
// and a KDC has five seconds to answer.
var userKeys sync.Map

func (k *fakeKDC) userKey() types.EncryptionKey {
	et := must(crypto.GetEtype(k.etype))
	// The KDC has its own salt and iteration count: the client must not guess either. Counts
	// that no client should accept are not used for the key either.
	params := k.s2k
	if len(params) != 8 || params == "00000000" || params > "00040000" {
		params = et.GetDefaultStringToKeyParams()
	}
	made := fmt.Sprint(k.etype, k.realm, k.password, params)
	v, ok := userKeys.Load(made)
	if !ok {
		v = must(et.StringToKey(k.password, "SALT"+k.realm, params))
		userKeys.Store(made, v)
	}
	key, _ := v.([]byte)
	return types.EncryptionKey{KeyType: k.etype, KeyValue: slices.Clone(key)}
}

func (k *fakeKDC) padata() []byte {
	info := types.ETypeInfo2{
		{EType: 23},
		{EType: k.etype, Salt: "SALT" + k.realm, S2KParams: must(hex.DecodeString(k.s2k))},
	}
	return must(asn1.Marshal(types.PADataSequence{
		{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: []byte{}},
		{PADataType: patype.PA_ETYPE_INFO2, PADataValue: must(asn1.Marshal(info, marshalOptions...))},
	}, marshalOptions...))
}

var marshalOptions = []asn1.MarshalOpt{asn1.WithMarshalSlicePreserveTypes(true), asn1.WithMarshalSliceAllowStrings(true)}

func (k *fakeKDC) as(r messages.ASReq) []byte {
	if slices.Contains(r.ReqBody.EType, 23) {
		panic("the client asks for RC4")
	}
	if len(r.ReqBody.CName.NameString) != 1 || !strings.EqualFold(r.ReqBody.CName.NameString[0], testUser) || !strings.EqualFold(r.ReqBody.Realm, k.realm) {
		return k.err(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, nil)
	}
	i := slices.IndexFunc(r.PAData, func(p types.PAData) bool { return p.PADataType == patype.PA_ENC_TIMESTAMP })
	if i < 0 && !k.open {
		return k.err(errorcode.KDC_ERR_PREAUTH_REQUIRED, k.padata())
	}
	k.logins.Add(1)
	time.Sleep(k.judging)
	if !k.open {
		var sealed types.EncryptedData
		if err := sealed.Unmarshal(r.PAData[i].PADataValue); err != nil {
			panic(err)
		}
		if _, err := crypto.DecryptEncPart(sealed, k.userKey(), keyusage.AS_REQ_PA_ENC_TIMESTAMP); err != nil {
			return k.err(errorcode.KDC_ERR_PREAUTH_FAILED, nil)
		}
	}
	// Like Windows, it answers with names in its own spelling.
	name, service := types.NewPrincipalName(1, testUser), types.NewPrincipalName(2, "krbtgt/"+k.realm)
	fields := k.grant(r.ReqBody, name, k.realm, service, k.krbtgt, k.userKey(), keyusage.AS_REP_ENCPART)
	fields.MsgType = msgtype.KRB_AS_REP
	if k.terse {
		fields.PAData = nil
	}
	rep := messages.ASRep{KDCRepFields: fields}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.replayAS || k.lastAS == nil {
		k.lastAS = must(rep.Marshal())
	}
	return k.lastAS
}

func (k *fakeKDC) tgs(r messages.TGSReq) []byte {
	k.tickets.Add(1)
	var ap messages.APReq
	if err := ap.Unmarshal(r.PAData[0].PADataValue); err != nil {
		panic(err)
	}
	key := k.krbtgt
	if ap.Ticket.Realm != k.realm {
		key = k.trust[ap.Ticket.Realm]
	}
	part := openTicket(ap.Ticket, key)
	if err := ap.DecryptAuthenticator(part.Key); err != nil {
		return k.err(errorcode.KRB_AP_ERR_BAD_INTEGRITY, nil)
	}
	if !proves(ap.Authenticator, r.ReqBody, part.Key) {
		return k.err(errorcode.KRB_AP_ERR_INAPP_CKSUM, nil)
	}
	if k.authenticated != nil {
		k.authenticated(ap.Authenticator)
	}
	name := r.ReqBody.SName
	to := k.service
	realm, referred := k.refer[name.PrincipalNameString()]
	switch {
	case referred:
		name, to = types.PrincipalName{NameType: 2, NameString: []string{"krbtgt", realm}}, k.trust[realm]
	case name.NameString[0] == "krbtgt" && k.trust[name.NameString[1]].KeyValue != nil:
		to = k.trust[name.NameString[1]]
	case !strings.HasPrefix(name.PrincipalNameString(), k.spn):
		return k.err(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, nil)
	}
	fields := k.grant(r.ReqBody, part.CName, part.CRealm, name, to, part.Key, keyusage.TGS_REP_ENCPART_SESSION_KEY)
	fields.MsgType = msgtype.KRB_TGS_REP
	rep := messages.TGSRep{KDCRepFields: fields}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.replayTGS || k.lastTGS == nil {
		k.lastTGS = must(rep.Marshal())
	}
	return k.lastTGS
}

// proves checks that the authenticator belongs to the request (RFC 4120 3.3.2).
func proves(a types.Authenticator, body messages.KDCReqBody, key types.EncryptionKey) bool {
	et := must(crypto.GetEtype(key.KeyType))
	return a.Cksum.CksumType == et.GetHashID() &&
		et.VerifyChecksum(key.KeyValue, must(body.Marshal()), a.Cksum.Checksum, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
}

// cached is an entry of a ticket cache.
type cached struct {
	service string
	life    time.Duration
}

// cache writes a ticket cache (version 4, big-endian) of the user.
func (k *fakeKDC) cache(tb testing.TB, entries ...cached) string {
	tb.Helper()
	path := writeFile(tb, "ccache", nil)
	k.writeCache(tb, path, entries...)
	return path
}

func (k *fakeKDC) writeCache(tb testing.TB, path string, entries ...cached) {
	tb.Helper()
	var b []byte
	data := func(v []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...) }
	principal := func(nameType uint32, realm string, names ...string) {
		b = binary.BigEndian.AppendUint32(b, nameType)
		b = binary.BigEndian.AppendUint32(b, uint32(len(names)))
		data([]byte(realm))
		for _, n := range names {
			data([]byte(n))
		}
	}
	b = append(b, 5, 4, 0, 12, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0)
	principal(1, k.realm, testUser)
	for _, e := range entries {
		to := k.service
		if strings.HasPrefix(e.service, "krbtgt/") {
			to = k.krbtgt
		}
		name := types.NewPrincipalName(2, e.service)
		now := time.Now()
		session := randomKey(k.etype)
		part := messages.EncTicketPart{
			Flags: types.NewKrbFlags(), Key: session, CRealm: k.realm, CName: types.NewPrincipalName(1, testUser),
			AuthTime: now.UTC(), StartTime: now.UTC(), EndTime: now.Add(e.life).UTC(),
		}
		sealed := asn1tools.AddASNAppTag(must(asn1.Marshal(part, marshalOptions...)), asn1apptag.EncTicketPart)
		ticket := messages.Ticket{TktVNO: iana.PVNO, Realm: k.realm, SName: name, EncPart: must(crypto.GetEncryptedData(sealed, to, keyusage.KDC_REP_TICKET, 1))}
		principal(1, k.realm, testUser)
		principal(2, k.realm, name.NameString...)
		b = binary.BigEndian.AppendUint16(b, uint16(session.KeyType))
		data(session.KeyValue)
		for _, at := range []time.Time{now, now, now.Add(e.life), {}} {
			b = binary.BigEndian.AppendUint32(b, uint32(max(at.Unix(), 0)))
		}
		b = append(b, 0, 0, 0, 0, 0) // is_skey, flags
		b = append(b, 0, 0, 0, 0)    // addresses
		b = append(b, 0, 0, 0, 0)    // authorization data
		data(must(ticket.Marshal()))
		data(nil)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
}

// grant makes a ticket for the service that has the key to.
func (k *fakeKDC) grant(body messages.KDCReqBody, cname types.PrincipalName, crealm string, sname types.PrincipalName, to, reply types.EncryptionKey, usage uint32) messages.KDCRepFields {
	now := time.Now().UTC().Add(k.skew).Truncate(time.Second)
	session := randomKey(k.etype)
	ticket := messages.EncTicketPart{
		Flags: types.NewKrbFlags(), Key: session, CRealm: crealm, CName: cname,
		AuthTime: now, StartTime: now, EndTime: now.Add(k.life),
	}
	b := asn1tools.AddASNAppTag(must(asn1.Marshal(ticket, marshalOptions...)), asn1apptag.EncTicketPart)
	part := messages.EncKDCRepPart{
		Key: session, LastReqs: []messages.LastReq{{LRType: 0, LRValue: now}}, Nonce: body.Nonce, Flags: types.NewKrbFlags(),
		AuthTime: now, StartTime: now, EndTime: now.Add(k.life), SRealm: k.realm, SName: sname,
	}
	fields := messages.KDCRepFields{
		PVNO: iana.PVNO, CRealm: crealm, CName: cname,
		PAData: []types.PAData{{PADataType: patype.PA_ETYPE_INFO2, PADataValue: k.etypeInfo()}},
		Ticket: messages.Ticket{TktVNO: iana.PVNO, Realm: k.realm, SName: sname, EncPart: must(crypto.GetEncryptedData(b, to, keyusage.KDC_REP_TICKET, 1))},
	}
	if k.forge != nil {
		k.forge(&fields, &part)
	}
	fields.EncPart = must(crypto.GetEncryptedData(must(part.Marshal()), reply, usage, 1))
	return fields
}

func (k *fakeKDC) etypeInfo() []byte {
	return must(asn1.Marshal(types.ETypeInfo2{{EType: k.etype, Salt: "SALT" + k.realm, S2KParams: must(hex.DecodeString(k.s2k))}}, marshalOptions...))
}

func openTicket(t messages.Ticket, key types.EncryptionKey) messages.EncTicketPart {
	var part messages.EncTicketPart
	b := must(crypto.DecryptEncPart(t.EncPart, key, keyusage.KDC_REP_TICKET))
	if err := part.Unmarshal(b); err != nil {
		panic(err)
	}
	return part
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// confFor writes a krb5.conf that names one KDC for each realm.
func confFor(tb testing.TB, realms ...string) string {
	tb.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "[libdefaults]\n default_realm = %s\n dns_lookup_kdc = false\n[realms]\n", realms[0])
	for _, r := range realms {
		fmt.Fprintf(&b, " %s = {\n  kdc = %s\n }\n", r, r)
	}
	return writeFile(tb, "krb5.conf", b.Bytes())
}
