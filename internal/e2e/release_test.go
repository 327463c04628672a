//go:build linux

package e2e_test

import (
	"archive/zip"
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	// envRelease names the folder into which goreleaser has built.
	envRelease = "HYPERV_TEST_RELEASE"

	verifyPage   = "../../docs/guides/verify-a-release.md"
	needsNetwork = "# needs the network\n"
)

// release is a release that lies in a folder of the test, signed with a key that
// exists for this test alone.
type release struct {
	t       *testing.T
	dir     string
	version string
	env     []string
}

func newRelease(t *testing.T) release {
	t.Helper()
	built := os.Getenv(envRelease)
	if built == "" {
		t.Skip(envRelease + " is not set: make release-verify sets it")
	}
	for _, program := range []string{"bash", "gpg", "jq", "sha256sum", "unzip"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the page needs %s", program)
		}
	}
	r := release{t: t, dir: filepath.Join(t.TempDir(), "dist", "release")}
	dist := filepath.Dir(r.dir)
	home, err := os.MkdirTemp("", "gpg") //nolint:usetesting // short: the agent's socket lies in it
	must(t, err)
	r.env = append(os.Environ(), "GNUPGHOME="+home, "LC_ALL=C", "DIST="+dist, "BUILT="+built)
	t.Cleanup(func() {
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		_ = os.RemoveAll(home)
	})
	r.run(".", `mkdir -p "$DIST"; cp "$BUILT"/*.zip "$BUILT"/*.cdx.json "$DIST"`)
	r.run(".", `gpg --batch --quiet --passphrase '' --quick-generate-key 'throw-away <release@example.com>' ed25519 sign 1d`)
	r.run("../..", `tools/release/finish.sh "$DIST" release@example.com`)
	sums, err := filepath.Glob(filepath.Join(r.dir, "*_SHA256SUMS"))
	must(t, err)
	name := strings.TrimSuffix(filepath.Base(sums[0]), "_SHA256SUMS")
	r.version = strings.TrimPrefix(name, "terraform-provider-hyperv_")
	r.env = append(r.env, "version="+r.version)
	return r
}

// try runs shell commands in a folder.
func (r release) try(dir, commands string) (string, error) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "bash", "-euo", "pipefail", "-c", commands)
	cmd.Dir, cmd.Env = dir, r.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r release) run(dir, commands string) string {
	r.t.Helper()
	out, err := r.try(dir, commands)
	if err != nil {
		r.t.Fatalf("%s\n%v\n%s", commands, err, out)
	}
	return out
}

// list is a list of checksums: names of files.
func (r release) list(suffix string) []string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "terraform-provider-hyperv_"+r.version+suffix))
	must(r.t, err)
	var names []string
	for line := range strings.Lines(string(text)) {
		names = append(names, strings.Fields(line)[1])
	}
	return slices.Sorted(slices.Values(names))
}

func (r release) files(pattern string) []string {
	r.t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.dir, pattern))
	must(r.t, err)
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	return paths
}

// verification returns the commands of the page that need no network, by
// heading.
func verification(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(verifyPage)
	must(t, err)
	commands, offline, online := map[string]string{}, 0, 0
	for section := range strings.SplitSeq(string(page), "\n## ") {
		heading, _, _ := strings.Cut(section, "\n")
		for i, block := range strings.Split(section, "```") {
			text, isShell := strings.CutPrefix(block, "sh\n")
			switch {
			case i%2 == 0 || !isShell:
			case strings.HasPrefix(text, needsNetwork):
				online++
			default:
				commands[heading], offline = text, offline+1
			}
		}
	}
	if offline != 3 || online != 2 || len(commands) != offline {
		t.Fatalf("%d blocks of commands under %d headings and %d that need the network, want 3, 3 and 2", offline, len(commands), online)
	}
	return commands
}

func TestRelease_verifies(t *testing.T) {
	t.Parallel()
	r, commands := newRelease(t), verification(t)

	if out := r.run(r.dir, commands["Signature"]); strings.Count(out, "Good signature") != 2 {
		t.Errorf("the signatures of two lists are not good:\n%s", out)
	}
	out := r.run(r.dir, commands["Checksums"])
	for _, file := range append(r.files("*.zip"), r.files("*.cdx.json")...) {
		if !strings.Contains(out, file+": OK") {
			t.Errorf("%s is not checked:\n%s", file, out)
		}
	}
	contains(t, r.run(r.dir, commands["Content"]), "github.com/masterzen/winrm v0.0.0-2", "dep github.com/masterzen/winrm")
	must(t, os.RemoveAll(filepath.Join(r.dir, "provider")))

	everything := slices.DeleteFunc(r.files("*"), func(name string) bool {
		return strings.HasSuffix(name, ".sig") || strings.HasSuffix(name, "_checksums.txt")
	})
	if diff := cmp.Diff(everything, r.list("_checksums.txt")); diff != "" {
		t.Errorf("checksums.txt does not name everything (-files +list):\n%s", diff)
	}
	registry := slices.Sorted(slices.Values(append(r.files("terraform-provider-hyperv_*.zip"), r.files("*_manifest.json")...)))
	if diff := cmp.Diff(registry, r.list("_SHA256SUMS")); diff != "" {
		t.Errorf("SHA256SUMS is not what the Registry takes (-files +list):\n%s", diff)
	}
}

// A change on the way is detected by the commands of the page.
func TestRelease_changed(t *testing.T) {
	t.Parallel()
	r, commands := newRelease(t), verification(t)
	for _, tc := range []struct{ file, heading string }{
		{"hyperv-conformance_*_windows_amd64.zip", "Checksums"},
		{"terraform-provider-hyperv_*_linux_arm64.zip", "Checksums"},
		{"hyperv-conformance_*_linux_amd64.cdx.json", "Checksums"},
		{"*_checksums.txt", "Signature"},
		{"*_SHA256SUMS", "Signature"},
	} {
		path := filepath.Join(r.dir, r.files(tc.file)[0])
		whole, err := os.ReadFile(path)
		must(t, err)
		changed := bytes.Clone(whole)
		changed[len(changed)/2] ^= 1
		must(t, os.WriteFile(path, changed, 0o600))
		if out, err := r.try(r.dir, commands[tc.heading]); err == nil {
			t.Errorf("%s was changed, and %q does not see it:\n%s", tc.file, tc.heading, out)
		}
		must(t, os.WriteFile(path, whole, 0o600))
	}
	for _, text := range commands {
		r.run(r.dir, text) // and all of it is in order again
	}
}

// An SBOM names the modules of the program in the archive beside it, and no other.
func TestRelease_content(t *testing.T) {
	t.Parallel()
	r := newRelease(t)
	archives := r.files("*.zip")
	if len(archives) != 14 {
		t.Errorf("%d archives, want 8 of the provider and 6 of the conformance kit: %q", len(archives), archives)
	}
	for _, archive := range archives {
		info := programOf(t, filepath.Join(r.dir, archive))
		want := map[string]string{}
		for _, m := range info.Deps {
			want[m.Path] = m.Version
		}
		want["std"] = info.GoVersion
		got := componentsOf(t, filepath.Join(r.dir, strings.TrimSuffix(archive, ".zip")+".cdx.json"))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: the SBOM differs from the program (-program +SBOM):\n%s", archive, diff)
		}
	}
}

// programOf reads what the linker wrote into the one program of an archive.
func programOf(t *testing.T, archive string) *buildinfo.BuildInfo {
	t.Helper()
	z, err := zip.OpenReader(archive)
	must(t, err)
	defer z.Close()
	for _, f := range z.File {
		if !strings.HasPrefix(f.Name, "terraform-provider-hyperv_v") && !strings.HasPrefix(f.Name, "hyperv-conformance") {
			continue // a document
		}
		content, err := f.Open()
		must(t, err)
		program, err := io.ReadAll(content)
		must(t, err)
		info, err := buildinfo.Read(bytes.NewReader(program))
		must(t, err)
		return info
	}
	t.Fatalf("%s holds no program", archive)
	return nil
}

// componentsOf returns the versions of the components of an SBOM, by name.
func componentsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var sbom struct {
		BOMFormat  string `json:"bomFormat"`
		Components []struct{ Name, Version string }
	}
	must(t, json.Unmarshal(text, &sbom))
	if sbom.BOMFormat != "CycloneDX" {
		t.Errorf("%s is of the format %q", file, sbom.BOMFormat)
	}
	all := map[string]string{}
	for _, c := range sbom.Components {
		all[c.Name] = c.Version
	}
	return all
}
