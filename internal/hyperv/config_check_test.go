package hyperv_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	const canary = "pa55word"
	ntlm := func(change func(*hyperv.Config)) hyperv.Config {
		c := hyperv.Config{HTTPS: true, Auth: hyperv.AuthNTLM, Username: "u", Password: canary}
		change(&c)
		return c
	}
	for name, tt := range map[string]struct {
		change func(*hyperv.Config)
		want   []hyperv.Field
	}{
		"ntlm":                    {func(*hyperv.Config) {}, nil},
		"ntlm over http":          {func(c *hyperv.Config) { c.HTTPS = false }, nil},
		"ntlm, unverified":        {func(c *hyperv.Config) { c.Insecure = true }, nil},
		"no user, no password":    {func(c *hyperv.Config) { c.Username, c.Password = "", "" }, []hyperv.Field{hyperv.FieldUsername, hyperv.FieldPassword}},
		"another way":             {func(c *hyperv.Config) { c.Auth = "credssp" }, []hyperv.Field{hyperv.FieldAuth}},
		"a port too large":        {func(c *hyperv.Config) { c.Port = 65536 }, []hyperv.Field{hyperv.FieldPort}},
		"basic":                   {func(c *hyperv.Config) { c.Auth = hyperv.AuthBasic }, nil},
		"basic over http":         {func(c *hyperv.Config) { c.Auth, c.HTTPS = hyperv.AuthBasic, false }, []hyperv.Field{hyperv.FieldAuth}},
		"basic, unverified":       {func(c *hyperv.Config) { c.Auth, c.Insecure = hyperv.AuthBasic, true }, []hyperv.Field{hyperv.FieldInsecure}},
		"certificate without one": {func(c *hyperv.Config) { c.Auth = hyperv.AuthCertificate }, []hyperv.Field{hyperv.FieldClientCertificate, hyperv.FieldClientKey}},
		"certificate over http": {
			func(c *hyperv.Config) { c.Auth, c.HTTPS = hyperv.AuthCertificate, false },
			[]hyperv.Field{hyperv.FieldAuth, hyperv.FieldClientCertificate, hyperv.FieldClientKey},
		},
		"certificate, unverified": {
			func(c *hyperv.Config) { c.Auth, c.Insecure = hyperv.AuthCertificate, true },
			[]hyperv.Field{hyperv.FieldInsecure, hyperv.FieldClientCertificate, hyperv.FieldClientKey},
		},
		"an authority of nothing":  {func(c *hyperv.Config) { c.CACertificate = []byte("x") }, []hyperv.Field{hyperv.FieldCACertificate}},
		"a certificate of nothing": {func(c *hyperv.Config) { c.ClientCertificate, c.ClientKey = []byte("x"), []byte(canary) }, []hyperv.Field{hyperv.FieldClientCertificate}},
		"kerberos":                 {func(c *hyperv.Config) { c.Auth = hyperv.AuthKerberos }, nil},
		"kerberos, two sources":    {func(c *hyperv.Config) { c.Auth, c.Kerberos.KeytabPath = hyperv.AuthKerberos, "k" }, []hyperv.Field{hyperv.FieldKerberos}},
		"kerberos, a cache names it": {func(c *hyperv.Config) {
			c.Auth, c.Username, c.Password, c.Kerberos.CCachePath = hyperv.AuthKerberos, "", "", "c"
		}, nil},
		"kerberos, a keytab not": {func(c *hyperv.Config) {
			c.Auth, c.Username, c.Password, c.Kerberos.KeytabPath = hyperv.AuthKerberos, "", "", "k"
		}, []hyperv.Field{hyperv.FieldUsername}},
		"the current user":                          {func(c *hyperv.Config) { currentUser(c) }, onWindows()},
		"the current user, by another service name": {func(c *hyperv.Config) { currentUser(c).Kerberos.SPN = "WSMAN/h" }, onWindows()},
		"the current user, and a name":              {func(c *hyperv.Config) { currentUser(c).Username = "u" }, onWindows(hyperv.FieldUsername)},
		"the current user, and a password":          {func(c *hyperv.Config) { currentUser(c).Password = canary }, onWindows(hyperv.FieldPassword)},
		"the current user, and a realm":             {func(c *hyperv.Config) { currentUser(c).Kerberos.Realm = "R" }, onWindows(hyperv.FieldKerberos)},
		"a user of no domain":                       {func(c *hyperv.Config) { c.Username = `\u` }, []hyperv.Field{hyperv.FieldUsername}},
		"a domain of no user":                       {func(c *hyperv.Config) { c.Username = `.\` }, []hyperv.Field{hyperv.FieldUsername}},
		"a suffix of no user":                       {func(c *hyperv.Config) { c.Username = `@lab.example` }, []hyperv.Field{hyperv.FieldUsername}},
		"a user of no suffix":                       {func(c *hyperv.Config) { c.Username = `u@` }, []hyperv.Field{hyperv.FieldUsername}},
		"a doubled backslash":                       {func(c *hyperv.Config) { c.Username = `LAB\\u` }, []hyperv.Field{hyperv.FieldUsername}},
		"a user read from a file":                   {func(c *hyperv.Config) { c.Username = "LAB\\u\n" }, []hyperv.Field{hyperv.FieldUsername}},
		"a user with a hidden character":            {func(c *hyperv.Config) { c.Username = "LAB\\u\u200b" }, []hyperv.Field{hyperv.FieldUsername}},
		"a user of the host":                        {func(c *hyperv.Config) { c.Username = `.\yılmaz` }, nil},
		"a colon, with basic":                       {func(c *hyperv.Config) { c.Auth, c.Username = hyperv.AuthBasic, "u:p" }, []hyperv.Field{hyperv.FieldUsername}},
		"a user by name and suffix":                 {func(c *hyperv.Config) { c.Username = `a.b@lab.example` }, nil},
		"kerberos, a user of no suffix":             {func(c *hyperv.Config) { c.Auth, c.Username = hyperv.AuthKerberos, `u@` }, []hyperv.Field{hyperv.FieldUsername}},
		"a realm for ntlm":                          {func(c *hyperv.Config) { c.Kerberos.Realm = "R" }, []hyperv.Field{hyperv.FieldKerberos}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := ntlm(tt.change)
			var got []hyperv.Field
			for _, e := range cfg.Check() {
				got = append(got, e.Field)
				if e.Wrong == "" || !strings.HasSuffix(e.Fix, ".") || strings.HasSuffix(e.Wrong, ".") || strings.Contains(e.Error(), canary) {
					t.Errorf("text: %v", e)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if fleet, err := hyperv.NewFleet(cfg); len(tt.want) > 0 {
				if err == nil {
					t.Error("NewFleet took it")
				}
			} else if err == nil {
				fleet.Close()
			} else if cfg.Auth != hyperv.AuthKerberos { // which reads files
				t.Error(err)
			}
		})
	}
}

// currentUser makes c log the current user on.
func currentUser(c *hyperv.Config) *hyperv.Config {
	c.Auth, c.Username, c.Password = hyperv.AuthWindows, "", ""
	return c
}

// onWindows is what is wrong beside the system, if that is not Windows.
func onWindows(fields ...hyperv.Field) []hyperv.Field {
	if runtime.GOOS == "windows" {
		return fields
	}
	return append([]hyperv.Field{hyperv.FieldAuth}, fields...)
}
