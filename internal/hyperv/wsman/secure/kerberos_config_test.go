package secure_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-krb5/krb5/keytab"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

func TestKerberosKeytab(t *testing.T) {
	t.Parallel()
	for name, etype := range aesTypes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kdc := newFakeKDC(etype)
			// The key table of a password and the default salt.
			table := keytab.New()
			if err := table.AddEntry(testUser, testRealm, testPassword, time.Now(), 3, etype); err != nil {
				t.Fatal(err)
			}
			table.Entries[0].Key = kdc.userKey()
			b, err := table.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{writeFile(t, "u.keytab", b), "FILE:" + writeFile(t, "u.keytab", b)} {
				for _, user := range []string{"", testUser, testUser + "@" + testRealm} {
					config := passwordConfig(t, kdc)
					config.User, config.Password, config.KeytabPath = user, "", path
					host := &kerberosAcceptor{service: kdc.service}
					x := establishKerberos(t, newKerberos(t, config), nil, host)
					exchange(t, x, host.wrap, host.unwrap)
				}
			}
		})
	}
}

func TestKerberosForHost(t *testing.T) {
	t.Parallel()
	config := passwordConfig(t, newFakeKDC(18))
	k := newKerberos(t, config)
	for _, address := range []string{"192.0.2.1", "2001:db8::1", "[2001:db8::1]", "fe80::1%eth0"} {
		if m, err := k.ForHost(address); err == nil || m != nil || !strings.Contains(err.Error(), "full name") {
			t.Errorf("ForHost(%q) = %v, %v, want a clear error", address, m, err)
		}
	}
	for _, host := range []string{"HOST.corp.TEST", "host.corp.test."} {
		m, err := k.ForHost(host)
		if err != nil {
			t.Fatal(err)
		}
		x, err := m.NewContext(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next(t.Context(), nil); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	config.SPN = testSPN
	if _, err := newKerberos(t, config).ForHost("192.0.2.1"); err != nil {
		t.Errorf("address with an SPN: %v", err)
	}
	config.SPN = "nonsense"
	if _, err := secure.NewKerberos(config); err == nil {
		t.Error("the SPN \"nonsense\" was taken")
	}
}

func TestKerberosConfig(t *testing.T) {
	t.Parallel()
	conf := confFor(t, testRealm)
	damaged := writeFile(t, "damaged", []byte{5, 4, 0, 12, 0, 1, 0, 8, 0xff})
	old := writeFile(t, "old", []byte{5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	env := func(pairs ...string) func(string) (string, bool) {
		return func(name string) (string, bool) {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1], true
				}
			}
			return "", false
		}
	}
	tests := map[string]struct {
		config secure.KerberosConfig
		want   string // within the error; empty: none
	}{
		"password":            {secure.KerberosConfig{User: "u", Password: "p", ConfPath: conf}, ""},
		"KRB5_CONFIG":         {secure.KerberosConfig{User: "u", Password: "p", Lookup: env("KRB5_CONFIG", "/nonexistent"+string(os.PathListSeparator)+conf)}, ""},
		"no configuration":    {secure.KerberosConfig{User: "u@REALM", Password: "p"}, ""},
		"missing file":        {secure.KerberosConfig{User: "u", Password: "p", ConfPath: "/nonexistent"}, "krb5.conf"},
		"missing files":       {secure.KerberosConfig{User: "u", Password: "p", Lookup: env("KRB5_CONFIG", "/nonexistent")}, "krb5.conf"},
		"nothing":             {secure.KerberosConfig{User: "u", ConfPath: conf}, "no password"},
		"two":                 {secure.KerberosConfig{User: "u", Password: "p", KeytabPath: "k", ConfPath: conf}, "one of"},
		"no user":             {secure.KerberosConfig{Password: "p", ConfPath: conf}, "no user"},
		"no keytab":           {secure.KerberosConfig{User: "u", KeytabPath: "/nonexistent", ConfPath: conf}, "key table"},
		"damaged keytab":      {secure.KerberosConfig{User: "u", KeytabPath: damaged, ConfPath: conf}, "damaged"},
		"damaged cache":       {secure.KerberosConfig{CachePath: damaged, ConfPath: conf}, "damaged"},
		"old cache":           {secure.KerberosConfig{CachePath: old, ConfPath: conf}, "in use today"},
		"keyring":             {secure.KerberosConfig{ConfPath: conf, Lookup: env("KRB5CCNAME", "KEYRING:persistent:0")}, "KEYRING"},
		"KCM":                 {secure.KerberosConfig{ConfPath: conf, Lookup: env("KRB5CCNAME", "KCM:")}, "KCM"},
		"directory":           {secure.KerberosConfig{CachePath: "DIR:/run/user/0/krb5cc", ConfPath: conf}, "DIR"},
		"account of the host": {secure.KerberosConfig{User: `.\u`, Password: "p", ConfPath: conf}, "host's own"},
		"another realm":       {secure.KerberosConfig{User: "u@ONE", Realm: "TWO", Password: "p", ConfPath: conf}, "suffix"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, err := secure.NewKerberos(tt.config)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, %v, want an error with %q", k, err, tt.want)
			}
		})
	}
}

// Files that krb5.conf includes count, as do sections that come twice.
func TestKerberosIncludes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{
		"krb5.conf":         "# comment\nincludedir " + dir + "/d\n\n[libdefaults]\n dns_lookup_kdc = no\n[realms]\n X.TEST = {\n  kdc = x\n }\ninclude " + dir + "/more\n[realms]\n Y.TEST = {\n  kdc = y\n }\n",
		"more":              "[domain_realm]\n .x.test = X.TEST\n",
		"d/realm.conf":      "[realms]\n " + testRealm + " = {\n  kdc = kdc.corp.test\n }\n",
		"d/default":         "[libdefaults]\n default_realm = " + testRealm + "\n",
		"d/ignored.bak":     "nonsense [\n",
		"d/.hidden.conf":    "nonsense [\n",
		"loop.conf":         "include " + dir + "/loop.conf\n",
		"missing.conf":      "include " + dir + "/none\n",
		"libdefaults.conf":  "[libdefaults]\n nonsense\n",
		"unsupported.conf":  "[libdefaults]\n default_realm = " + testRealm + "\n[realms]\n " + testRealm + " = {\n  kdc = k\n  auth_to_local_names = {\n   a = b\n  }\n }\n",
		"d/subdirectory/xx": "",
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kdc := newFakeKDC(18)
	config := passwordConfig(t, kdc)
	config.ConfPath = filepath.Join(dir, "krb5.conf")
	establishKerberos(t, newKerberos(t, config), nil, &kerberosAcceptor{service: kdc.service})

	for name, want := range map[string]string{"loop.conf": "nested", "libdefaults.conf": "nonsense", "unsupported.conf": ""} {
		config.ConfPath = filepath.Join(dir, name)
		_, err := secure.NewKerberos(config)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	config.ConfPath = filepath.Join(dir, "missing.conf")
	if _, err := secure.NewKerberos(config); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing.conf: %v, want ErrNotExist: systems say that in their own words", err)
	}
}
