package interop_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/interop/wine"
)

// The logon of the current user of Windows, as far as Wine has it, against gss-ntlmssp: the
// acceptor accepts messages that the security packages have sealed, over one connection, and
// refuses a wrong password. Wine leaves NTLM to Samba's ntlm_auth, whose tokens pyspnego refuses.
func TestTheirAcceptorsOurSSPI(t *testing.T) {
	t.Parallel()
	if os.Getenv("HYPERV_TEST_WINE") != "1" || runtime.GOOS != "linux" {
		t.Skip("HYPERV_TEST_WINE is not 1")
	}
	w, err := wine.Find("../..")
	if err != nil {
		t.Skip(err)
	}
	program := filepath.Join(t.TempDir(), "interop.test.exe")
	if err := w.Build(t.Context(), true, "./internal/interop", program); err != nil {
		t.Fatal(err)
	}
	for _, securityPackage := range []string{"NTLM", "Negotiate"} {
		for _, secret := range []string{password, "wrong"} {
			t.Run(securityPackage+" "+secret, func(t *testing.T) {
				t.Parallel()
				p, port := acceptor(t, "gss", []string{ntlmUserFile(t)}, nil)
				domain, name, _ := strings.Cut(user, `\`)
				c := w.Command(t.Context(), wine.Logon{Package: securityPackage, Domain: domain, User: name, Password: secret},
					program, "-test.run", "^TestWindowsClient$", "-test.v")
				c.Env = append(c.Env, "HYPERV_WINE_PORT="+strconv.Itoa(port))
				out, err := c.CombinedOutput()
				if secret == "wrong" {
					if err == nil {
						t.Errorf("a wrong password was good enough\n%s", out)
					}
					p.says(t, "refused", 1)
					quiet(t, p)
					return
				}
				if err != nil || !strings.Contains(string(out), "--- PASS: TestWindowsClient") {
					t.Fatalf("%v\n%s", err, out)
				}
				p.says(t, "sealed", 4)
				p.says(t, "established", 1)
				p.says(t, "connection", 1)
			})
		}
	}
}
