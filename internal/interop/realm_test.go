package interop_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
)

const (
	realmName   = "HYPERV.TEST"
	serviceHost = "host.hyperv.test"
)

// etypes are the encryption types of Kerberos by their number.
var etypes = map[int]string{
	17: "aes128-cts-hmac-sha1-96",
	18: "aes256-cts-hmac-sha1-96",
	19: "aes128-cts-hmac-sha256-128",
	20: "aes256-cts-hmac-sha384-192",
}

// realm is an MIT KDC on a port of the loopback interface. User admin and service
// HTTP/host.hyperv.test have keys of AES-256, adminN and HTTP/hostN.hyperv.test of
// encryption type N.
type realm struct {
	dir    string
	conf   string // krb5.conf
	keytab string // of all services and of the users
	env    []string
}

func (r *realm) path(name string) string { return filepath.Join(r.dir, name) }

// startRealm makes the database and starts the KDC.
func startRealm(t *testing.T) *realm {
	t.Helper()
	needProgram(t, "kinit")
	for _, tool := range []string{"kdb5_util", "kadmin.local", "krb5kdc"} {
		if sbin(tool) == "" {
			t.Skipf("%s is not installed; see setup.sh", tool)
		}
	}
	dir := t.TempDir()
	port := freeport.On(t)
	r := &realm{dir: dir, conf: filepath.Join(dir, "krb5.conf"), keytab: filepath.Join(dir, "keytab")}
	files := map[string]string{
		"krb5.conf": fmt.Sprintf("[libdefaults]\n default_realm = %[1]s\n dns_lookup_kdc = false\n rdns = false\n dns_canonicalize_hostname = false\n udp_preference_limit = 1\n"+
			"[realms]\n %[1]s = {\n  kdc = 127.0.0.1:%[2]d\n }\n", realmName, port),
		"kdc.conf": fmt.Sprintf("[realms]\n %[1]s = {\n  database_name = %[3]s/principal\n  key_stash_file = %[3]s/stash\n  kdc_listen = \"\"\n  kdc_tcp_listen = 127.0.0.1:%[2]d\n"+
			"  master_key_type = aes256-cts-hmac-sha1-96\n  supported_enctypes = aes256-cts-hmac-sha1-96:normal\n }\n", realmName, port, dir),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.env = []string{
		"KRB5_CONFIG=" + r.conf, "KRB5_KDC_PROFILE=" + r.path("kdc.conf"),
		"KRB5_KTNAME=" + r.keytab, "KRB5CCNAME=FILE:" + r.path("ccache"), "KRB5RCACHENAME=dfl:", "KRB5RCACHEDIR=" + dir,
	}
	run(t, r.env, sbin("kdb5_util"), "create", "-s", "-r", realmName, "-P", "master")
	r.admin(t, "addprinc +requires_preauth -pw "+password+" admin", "addprinc -randkey HTTP/"+serviceHost, "ktadd -norandkey HTTP/"+serviceHost, "ktadd -norandkey admin")
	for n, name := range etypes {
		service := fmt.Sprintf("HTTP/host%d.hyperv.test", n)
		r.admin(t, fmt.Sprintf("addprinc +requires_preauth -e %s:normal -pw %s admin%d", name, password, n),
			fmt.Sprintf("addprinc -randkey -e %s:normal %s", name, service), "ktadd -norandkey "+service)
	}
	background(t, r.env, sbin("krb5kdc"), "-n", "-r", realmName)
	waitFor(t, fmt.Sprintf("127.0.0.1:%d", port))
	return r
}

func (r *realm) admin(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		out := run(t, r.env, sbin("kadmin.local"), "-q", c)
		if strings.Contains(out, "while ") {
			t.Fatalf("kadmin.local: %s", out)
		}
	}
}

// kinit fills the realm's ticket cache and returns its path.
func (r *realm) kinit(t *testing.T, options ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	path := filepath.Join(t.TempDir(), "ccache")
	c := exec.CommandContext(ctx, "kinit", append(options, "-c", path, "admin")...)
	c.Env = append(slices.Clone(os.Environ()), r.env...)
	c.Stdin = strings.NewReader(password + "\n")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("kinit: %v\n%s", err, out)
	}
	return path
}

// sbin finds a program for administrators, whose folder is not on every path.
func sbin(name string) string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	return ""
}

func portOf(t *testing.T, l net.Listener) int {
	t.Helper()
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("%v is no TCP address", l.Addr())
	}
	return a.Port
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	eventually(t, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}
