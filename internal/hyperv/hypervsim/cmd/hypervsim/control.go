package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"time"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/hypervsim"
)

// serveControl serves the control endpoint until ctx ends. It brings about what
// happens on a host beside the client under test.
func serveControl(ctx context.Context, listener net.Listener, host *hypervsim.Host) error {
	server := &http.Server{Handler: controlHandler(host), ReadHeaderTimeout: 5 * time.Second}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// controlHandler answers GET /disks, POST /grow and POST /vm in JSON.
func controlHandler(host *hypervsim.Host) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /disks", func(w http.ResponseWriter, _ *http.Request) { answer(w, disks(host), nil) })
	mux.HandleFunc("POST /grow", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Path  string `json:"path"`
			Bytes int64  `json:"bytes"`
		}
		if !decode(w, r, &in) {
			return
		}
		err := host.Grow(in.Path, in.Bytes)
		answer(w, disks(host), err) // as they are now
	})
	mux.HandleFunc("POST /vm", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Name  string `json:"name"`
			State string `json:"state"`
		}
		if !decode(w, r, &in) {
			return
		}
		answer(w, struct{}{}, setState(host, in.Name, in.State))
	})
	return onlyLocal(mux)
}

// onlyLocal keeps web pages of a browser on this machine out: the Host header
// must be a literal loopback address, which a name that was rebound to one is
// not.
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "use the address of the loopback interface", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// decode reads a request. It insists on the media type, which a form of a web
// page cannot send.
func decode(w http.ResponseWriter, r *http.Request, in any) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		http.Error(w, "the request must be application/json", http.StatusUnsupportedMediaType)
		return false
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, out any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// diskState is a disk as the control endpoint shows it.
type diskState struct {
	Path        string `json:"path"`
	FileSize    int64  `json:"file_size"`
	VirtualSize int64  `json:"virtual_size"`
	Compactions int    `json:"compactions"`
	Attached    bool   `json:"attached"`
}

func disks(host *hypervsim.Host) []diskState {
	attached := map[string]bool{}
	for _, a := range host.Attachments() {
		attached[a.Path] = true
	}
	all := []diskState{}
	for _, v := range host.VHDs() {
		all = append(all, diskState{v.Path, v.FileSize, v.VirtualSize, host.Compactions(v.Path), attached[v.Path]})
	}
	return all
}

var states = map[string]hypervsim.VMState{
	"off": hypervsim.VMOff, "running": hypervsim.VMRunning, "saved": hypervsim.VMSaved, "paused": hypervsim.VMPaused,
}

func setState(host *hypervsim.Host, name, state string) error {
	s, ok := states[state]
	if !ok {
		return fmt.Errorf("unknown state %q", state)
	}
	return host.SetVMState(name, s)
}
