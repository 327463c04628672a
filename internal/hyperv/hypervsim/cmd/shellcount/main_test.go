package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/masterzen/winrm"
)

// script is the least that a PowerShell provider runs to read one disk.
const script = `Get-VHD -Path 'D:\VMs\sql01.vhdx' | ConvertTo-Json`

// TestCountsOfTheGoClient measures the number in BENCHMARKS.md: what the WinRM
// library of most Go programs needs to run one PowerShell command with its own
// transport.
func TestCountsOfTheGoClient(t *testing.T) {
	t.Parallel()
	c := newCounter(`{"FileSize":10737418240}`)
	client := goClient(t, c)
	var out, errs bytes.Buffer
	code, err := client.RunWithContext(t.Context(), winrm.Powershell(script), &out, &errs)
	if err != nil || code != 0 || out.String() != c.output {
		t.Fatalf("exit code %d, %q, %v", code, out.String(), err)
	}
	want := map[string]int64{"Create": 1, "Command": 1, "Send": 0, "Receive": 1, "Signal": 1, "Delete": 1}
	for i, a := range actions {
		if got := c.actions[i].Load(); got != want[a.name] {
			t.Errorf("%d times %s, want %d", got, a.name, want[a.name])
		}
	}
	if got := c.requests.Load(); got != 5 {
		t.Errorf("%d requests, want 5", got)
	}
	if c.received.Load() == 0 || c.sent.Load() == 0 {
		t.Error("no bytes were counted")
	}
	t.Log(c.totals())
}

func goClient(t *testing.T, c *counter) *winrm.Client {
	t.Helper()
	server := httptest.NewUnstartedServer(c)
	server.Listener = c.listener(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	client, err := winrm.NewClient(winrm.NewEndpoint("127.0.0.1", number, false, false, nil, nil, nil, time.Minute), "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		user, body string
		want       int
	}{
		"no credentials": {"", "", http.StatusUnauthorized},
		"no message":     {"a", "x", http.StatusBadRequest},
		"another action": {"a", "<Envelope><Header><Action>urn:x</Action></Header></Envelope>", http.StatusInternalServerError},
		"too large":      {"a", strings.Repeat(" ", maxRequest+1), http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/wsman", strings.NewReader(tt.body))
			if tt.user != "" {
				r.SetBasicAuth(tt.user, "b")
			}
			w := httptest.NewRecorder()
			newCounter("").ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
		})
	}
}

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:5985", "localhost:5985", ":1", "127.0.0.1"} {
		if err := run(t.Context(), []string{"-listen", address}, io.Discard, io.Discard); err == nil {
			t.Errorf("%s was served", address)
		}
	}
}
