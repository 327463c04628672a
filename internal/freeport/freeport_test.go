package freeport_test

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/freeport"
)

// TestOn: the ports that are given out differ, those of another process too, and on each a server
// can listen, end, and listen again.
func TestOn(t *testing.T) {
	t.Parallel()
	const envAnother = "FREEPORT_TEST_FROM"
	if from := os.Getenv(envAnother); from != "" { // the other process begins at the same port
		n, err := strconv.Atoi(from)
		if err != nil {
			t.Fatal(err)
		}
		freeport.BeginAt(n)
	}
	before := freeport.Tried()
	taken := map[int]bool{}
	for range 5 {
		port := freeport.On(t)
		if taken[port] {
			t.Errorf("port %d is given out twice", port)
		}
		taken[port] = true
		for range 2 {
			l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
		}
		t.Logf("port=%d", port)
	}
	if os.Getenv(envAnother) != "" {
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOn$", "-test.v")
	cmd.Env = append(os.Environ(), envAnother+"="+strconv.Itoa(before))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	theirs := 0
	for field := range strings.FieldsSeq(string(out)) {
		if text, ok := strings.CutPrefix(field, "port="); ok {
			port, _ := strconv.Atoi(text)
			if theirs++; taken[port] {
				t.Errorf("port %d is given to two processes", port)
			}
		}
	}
	if theirs != len(taken) {
		t.Errorf("the other process was given %d ports, want %d:\n%s", theirs, len(taken), out)
	}
}

// TestOn_addresses: a port that a server has on one of the addresses is not given out.
func TestOn_addresses(t *testing.T) {
	t.Parallel()
	port := freeport.On(t, "127.0.0.1", "127.0.0.2")
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.2", strconv.Itoa(port)))
	if err != nil {
		t.Skip("there is no second address")
	}
	defer l.Close()
	if freeport.IsFree(t.Context(), port, []string{"127.0.0.1", "127.0.0.2"}) {
		t.Error("the port counts as free")
	}
}
