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

// The logon of the current user of Windows, as far as Wine has it, against the acceptors of others:
// one accepts messages that the security packages have sealed, over one connection, and both refuse
// a wrong password. Wine leaves NTLM to Samba's ntlm_auth, which leaves out the four zeros at the
// end of a response (MS-NLMP 3.3.2, temp). pyspnego makes the response anew, with them, and so
// refuses a good one; if it no longer does, it belongs to those that accept.
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
	for _, tt := range []struct {
		impl, securityPackage, secret string
		accepts                       bool
	}{
		{"gss", "NTLM", password, true},
		{"gss", "NTLM", "wrong", false},
		{"gss", "Negotiate", password, true},
		{"gss", "Negotiate", "wrong", false},
		{"pyspnego", "NTLM", password, false},
		{"pyspnego", "Negotiate", "wrong", false},
	} {
		t.Run(strings.Join([]string{tt.impl, tt.securityPackage, tt.secret}, " "), func(t *testing.T) {
			t.Parallel()
			p, port := acceptor(t, tt.impl, []string{ntlmUserFile(t)}, nil)
			domain, name, _ := strings.Cut(user, `\`)
			c := w.Command(t.Context(), wine.Logon{Package: tt.securityPackage, Domain: domain, User: name, Password: tt.secret},
				program, "-test.run", "^TestWindowsClient$", "-test.v")
			c.Env = append(c.Env, "HYPERV_WINE_PORT="+strconv.Itoa(port))
			out, err := c.CombinedOutput()
			if !tt.accepts {
				if err == nil {
					t.Errorf("the acceptor let in whom it should refuse\n%s", out)
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
