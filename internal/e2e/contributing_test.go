//go:build linux

package e2e_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
)

// The host to play with works as CONTRIBUTING.md says: the commands of that
// page are run in a copy of the tree, one block after the other.
func TestContributing_hostToPlayWith(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t)
	for _, program := range []string{"bash", "curl", "git", "qemu-img"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the page needs %s", program)
		}
	}
	w.env = slices.DeleteFunc(w.env, func(v string) bool { return v == withoutTLS })
	blocks, ports := playBlocks(t)
	tree := clone(t)
	bin := filepath.Join(w.dir, "bin")
	must(t, os.Mkdir(bin, 0o700))
	must(t, os.Symlink(programs.terraform, filepath.Join(bin, "terraform")))
	shell := func(commands string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands)
		cmd.Dir, cmd.Env = tree, append(w.env, "PATH="+bin+":"+os.Getenv("PATH"), "GOFLAGS=-buildvcs=false", "TF_CLI_ARGS=-no-color", "TF_CLI_ARGS_apply=-auto-approve")
		cmd.WaitDelay = time.Minute
		return cmd
	}
	simulator := shell(blocks[0])
	simulator.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run leaves its program alone
	must(t, simulator.Start())
	t.Cleanup(func() { _ = syscall.Kill(-simulator.Process.Pid, syscall.SIGKILL) })
	if !await(t, func() bool { return listens(ports[0]) && listens(ports[1]) }) {
		t.Fatal("the simulated host never listened")
	}

	out, err := shell(blocks[1]).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, string(out), `plan_reason = "first run"`, "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.")

	grown, err := shell(blocks[2]).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, grown)
	}
	size := regexp.MustCompile(`"file_size":(\d+)`).FindStringSubmatch(string(grown))
	if size == nil {
		t.Fatalf("no size in the answer: %s", grown)
	}
	if n, err := strconv.Atoi(size[1]); err != nil || n < 50_000_000 {
		t.Errorf("the disk has %s bytes after it has grown by 50,000,000", size[1])
	}
}

// playBlocks are the three blocks of commands, with free ports.
func playBlocks(t *testing.T) (blocks, ports []string) {
	t.Helper()
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	must(t, err)
	_, section, _ := strings.Cut(string(page), "## A host to play with\n")
	section, _, _ = strings.Cut(section, "\n## ")
	text := section
	for _, port := range []string{"5985", "5999"} {
		free := strconv.Itoa(freeport.On(t))
		if !strings.Contains(text, port) {
			t.Fatalf("the page does not name port %s", port)
		}
		text, ports = strings.ReplaceAll(text, port, free), append(ports, free)
	}
	for _, match := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) != 3 {
		t.Fatalf("%d blocks of commands, want 3", len(blocks))
	}
	return blocks, ports
}

func listens(port string) bool {
	conn, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
