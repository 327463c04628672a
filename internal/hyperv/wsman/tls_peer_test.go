package wsman_test

import (
	"errors"
	"io"
	"testing"

	"github.com/masterzen/winrm"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

// serverHello chooses a version, given by its second byte, whatever was offered: so do
// servers that do not know the extension in which TLS 1.3 offers versions.
func serverHello(version byte) []byte {
	hello := append([]byte{2, 0, 0, 38, 3, version}, make([]byte, 32)...) // random
	hello = append(hello, 0, 0, 0x2f, 0)                                  // no session, a cipher suite, no compression
	return append([]byte{0x16, 3, version, 0, byte(len(hello))}, hello...)
}

func alert(description byte) []byte { return []byte{0x15, 3, 3, 0, 2, 2, description} }

// TestTLSPeers: what a peer says in the handshake, byte by byte, and what comes of it.
func TestTLSPeers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		says []byte
		want error
	}{
		"TLS 1.0":               {serverHello(1), wsman.ErrTLSVersion},
		"TLS 1.1":               {serverHello(2), wsman.ErrTLSVersion},
		"no version in common":  {alert(70), wsman.ErrTLSVersion},
		"no cipher in common":   {alert(40), wsman.ErrTLSCipher},
		"an error of its own":   {alert(80), wsman.ErrTLSHandshake},
		"an answer of http.sys": {[]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), wsman.ErrPlainHTTP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newPipeListener()
			t.Cleanup(func() { _ = l.Close() })
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						_, _ = conn.Read(make([]byte, 4096))
						_, _ = conn.Write(tt.says)
						_, _ = io.Copy(io.Discard, conn)
					}()
				}
			}()
			c, err := wsman.New(wsman.Config{Endpoint: &winrm.Endpoint{Host: "h", Port: 5986, HTTPS: true}, Mechanism: toy{}, Dial: l.dial})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Get(t.Context(), jobReference("1"))
			if !errors.As(err, new(*wsman.TLSError)) || !errors.Is(err, tt.want) {
				t.Errorf("Get = %v, want %v", err, tt.want)
			}
		})
	}
}
