package secure

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-krb5/krb5/crypto"
	"github.com/go-krb5/krb5/crypto/etype"
	"github.com/go-krb5/krb5/iana/nametype"
	"github.com/go-krb5/krb5/iana/patype"
	"github.com/go-krb5/krb5/keytab"
	"github.com/go-krb5/krb5/types"
)

// loginCredentials are those that a login proves: a principal with a password or a key table.
type loginCredentials struct {
	name     types.PrincipalName
	realm    string
	password string
	keytab   *keytab.Keytab // nil: password
}

// Format keeps the secret out of every print.
func (*loginCredentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(kerberosName)) }

// maxIterations bounds the work that an unauthenticated answer can demand.
const maxIterations = 1 << 18

// ErrWeakKey says that fewer iterations than the default were asked for when the password is made
// into a key: 4096 (RFC 3962 4) or 32768 (RFC 8009 4). The number is not authenticated, and an
// attacker who lowers it can guess the password faster from data that is sealed with that key.
var ErrWeakKey = errors.New("the KDC asks for a key of the password that is easily guessed")

// keyFor picks the key that the KDC asks for, the first of its types that is AES and for which we
// have a key. The version number kvno is zero for a password.
func (c *loginCredentials) keyFor(offered types.PADataSequence) (key kerberosKey, kvno int, err error) {
	infos, err := keyInfos(offered)
	if err != nil {
		return kerberosKey{}, 0, err
	}
	err = fmt.Errorf("%w: the user", ErrNoAES)
	for _, info := range infos {
		if !slices.Contains(kerberosTypes, info.EType) {
			continue
		}
		if key, kvno, err = c.key(info); err == nil {
			return key, kvno, nil
		}
	}
	return kerberosKey{}, 0, err
}

// keyForType returns the key that opens an answer sealed with encryption type t.
func (c *loginCredentials) keyForType(t int32, offered types.PADataSequence) (kerberosKey, error) {
	if !slices.Contains(kerberosTypes, t) {
		return kerberosKey{}, fmt.Errorf("%w: encryption type %d", ErrNoAES, t)
	}
	infos, err := keyInfos(offered)
	if err != nil {
		return kerberosKey{}, err
	}
	info := types.ETypeInfo2Entry{EType: t}
	if i := slices.IndexFunc(infos, func(e types.ETypeInfo2Entry) bool { return e.EType == t }); i >= 0 {
		info = infos[i]
	}
	key, _, err := c.key(info)
	return key, err
}

// keyInfos reads which keys the KDC knows of the principal, and how they are salted.
func keyInfos(offered types.PADataSequence) ([]types.ETypeInfo2Entry, error) {
	for _, pa := range offered {
		if pa.PADataType != patype.PA_ETYPE_INFO2 {
			continue
		}
		var infos types.ETypeInfo2
		if err := infos.Unmarshal(pa.PADataValue); err != nil {
			return nil, fmt.Errorf("%w: ETYPE-INFO2", ErrMalformed)
		}
		return infos, nil
	}
	return nil, nil
}

// key returns the newest key in the key table, whichever version the KDC names: tables made by hand
// seldom have the right number. A password has no version.
func (c *loginCredentials) key(info types.ETypeInfo2Entry) (key kerberosKey, kvno int, err error) {
	if c.keytab != nil {
		key, kvno, err := c.keytab.GetEncryptionKey(c.name, c.realm, 0, info.EType)
		if err != nil {
			return kerberosKey{}, 0, fmt.Errorf("key table: no key of encryption type %d for %s@%s", info.EType, c.name.PrincipalNameString(), c.realm)
		}
		k, err := newKerberosKey(key)
		return k, kvno, err
	}
	k, err := c.derive(info)
	return k, 0, err
}

// derive makes the key from the password (RFC 3962 4, RFC 8009 4).
func (c *loginCredentials) derive(info types.ETypeInfo2Entry) (kerberosKey, error) {
	algorithm, err := crypto.GetEtype(info.EType)
	if err != nil {
		return kerberosKey{}, err
	}
	params, err := keyParams(algorithm, info.S2KParams)
	if err != nil {
		return kerberosKey{}, err
	}
	salt := info.Salt
	if salt == "" {
		salt = c.name.GetSalt(c.realm)
	}
	value, err := algorithm.StringToKey(c.password, salt, params)
	if err != nil {
		return kerberosKey{}, fmt.Errorf("key of the password: %w", err)
	}
	return newKerberosKey(types.EncryptionKey{KeyType: info.EType, KeyValue: value})
}

// keyParams returns the iterations that the KDC asks for, in hex, or the default of the algorithm.
func keyParams(algorithm etype.EType, asked []byte) (string, error) {
	byDefault := algorithm.GetDefaultStringToKeyParams()
	if len(asked) == 0 {
		return byDefault, nil
	}
	params := hex.EncodeToString(asked)
	if len(asked) != 4 || binary.BigEndian.Uint32(asked)-1 >= maxIterations {
		return "", fmt.Errorf("%w: iterations of the password's key", ErrMalformed)
	}
	if params < byDefault {
		return "", fmt.Errorf("%w: %d iterations", ErrWeakKey, binary.BigEndian.Uint32(asked))
	}
	return params, nil
}

// splitUser cuts a user name at its domain, as far as that can be a realm.
func splitUser(user string) (name, suffix string) {
	if domain, name, ok := strings.Cut(user, `\`); ok {
		if strings.Contains(domain, ".") {
			return name, domain
		}
		return name, ""
	}
	if i := strings.LastIndexByte(user, '@'); i >= 0 {
		return user[:i], user[i+1:]
	}
	return user, ""
}

// parsePrincipal finds name and realm of the user in any of the forms DOMAIN
//
// ame, name@realm and name. A NetBIOS domain is not a realm and says nothing here; a local account
// of the host is unknown to every KDC.
func parsePrincipal(user, realm, defaultRealm string) (types.PrincipalName, string, error) {
	name, suffix := splitUser(user)
	switch {
	case name == "":
		return types.PrincipalName{}, "", fmt.Errorf("kerberos: no user name")
	case suffix == hostAccounts:
		return types.PrincipalName{}, "", fmt.Errorf("kerberos: %s is an account of the host's own, to which no KDC gives tickets; name a user of the domain, or log on by NTLM", user)
	case realm == "" && suffix != "":
		// Realms of Windows are domain names in capitals.
		realm = strings.ToUpper(suffix)
	case realm == "":
		realm = defaultRealm
	case suffix != "" && !strings.EqualFold(suffix, realm):
		return types.PrincipalName{}, "", fmt.Errorf("kerberos: the user's suffix %q is not the realm %q; give the account name alone", suffix, realm)
	}
	if realm == "" {
		return types.PrincipalName{}, "", fmt.Errorf("kerberos: no realm: set it, name the user as user@REALM, or set default_realm in krb5.conf")
	}
	return types.NewPrincipalName(nametype.KRB_NT_PRINCIPAL, name), realm, nil
}
