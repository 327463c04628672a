package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-listen", "0.0.0.0:5985"},
		{"-listen", "localhost:5985"},
		{"-listen", "127.0.0.1"},
		{"-control", ":8080"},
		{"-release", "2003"},
		{"-folder", `D:\VMs`},
		{"-vm", "sql01"},
		{"-authority", "ca.pem"},
		{"-password", "x"},
		{"extra"},
	} {
		if _, err := parse(args, io.Discard); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

// TestRun: one line says that the host is ready, and it ends with its context.
func TestRun(t *testing.T) {
	t.Parallel()
	authority := filepath.Join(t.TempDir(), "ca.pem")
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	var log strings.Builder
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-control", "127.0.0.1:0", "-tls", "-authority", authority}, func(string) string { return "secret-of-a-test" }, in, &log)
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(line)
	if len(fields) != 4 || fields[0] != "ready" || !strings.HasPrefix(fields[1], "https://127.0.0.1:") || fields[2] != "control" {
		t.Fatalf("the line is %q", line)
	}
	resp := do(t, http.MethodGet, fields[3]+"/disks", "", "")
	if resp != "[]\n" {
		t.Errorf("disks: %q", resp)
	}
	if pem, err := os.ReadFile(authority); err != nil || !strings.Contains(string(pem), "CERTIFICATE") {
		t.Errorf("authority: %q, %v", pem, err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	if strings.Contains(log.String(), "secret-of-a-test") {
		t.Error("the password is in the log")
	}
}

// do sends a request and returns the answer, its status first when that is not
// 200.
func do(t *testing.T, method, url, mediaType, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", mediaType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return resp.Status + ": " + string(text)
	}
	return string(text)
}

func TestControl(t *testing.T) {
	t.Parallel()
	host := hypervsim.RunT(
		t, hypervsim.WithoutListener(),
		hypervsim.WithVHD(hypervsim.VHD{Path: `D:\a.vhdx`, FileSize: 10, VirtualSize: 100}),
		hypervsim.WithVM(hypervsim.VM{Name: "sql01", Disks: []string{`D:\a.vhdx`}}),
	)
	handler := controlHandler(host)
	request := func(method, target, mediaType, hostName, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = hostName
		req.Header.Set("Content-Type", mediaType)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Code, w.Body.String()
	}
	const jsonType, local = "application/json", "127.0.0.1:1"
	tests := []struct {
		name                               string
		method, target, media, host, input string
		status                             int
		body                               string
	}{
		{"grow", "POST", "/grow", jsonType, local, `{"path":"d:/A.VHDX","bytes":5}`, 200, `"file_size":15`},
		{"grow a missing disk", "POST", "/grow", jsonType, local, `{"path":"D:\\b.vhdx","bytes":5}`, 409, ""},
		{"shrink", "POST", "/grow", jsonType, local, `{"path":"D:\\a.vhdx","bytes":-5}`, 409, ""},
		{"unknown field", "POST", "/grow", jsonType, local, `{"file":"D:\\a.vhdx"}`, 400, ""},
		{"form of a web page", "POST", "/grow", "text/plain", local, `{"path":"D:\\a.vhdx","bytes":5}`, 415, ""},
		{"rebound name", "GET", "/disks", "", "evil.example:80", "", 403, ""},
		{"state", "POST", "/vm", jsonType, local, `{"name":"sql01","state":"running"}`, 200, ""},
		{"unknown state", "POST", "/vm", jsonType, local, `{"name":"sql01","state":"dancing"}`, 409, ""},
		{"unknown machine", "POST", "/vm", jsonType, local, `{"name":"sql02","state":"off"}`, 409, ""},
	}
	for _, test := range tests {
		if status, body := request(test.method, test.target, test.media, test.host, test.input); status != test.status || !strings.Contains(body, test.body) {
			t.Errorf("%s: status %d, want %d and %q: %s", test.name, status, test.status, test.body, body)
		}
	}
	_, body := request("GET", "/disks", "", local, "")
	var got []diskState
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]diskState{{Path: `D:\a.vhdx`, FileSize: 15, VirtualSize: 100}}, got); diff != "" {
		t.Errorf("disks (-want +got):\n%s", diff)
	}
	if host.VMs()[0].State != hypervsim.VMRunning {
		t.Error("the machine does not run")
	}
}
