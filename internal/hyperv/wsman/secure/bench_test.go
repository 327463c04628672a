package secure_test

import (
	"fmt"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman/secure"
)

// BenchmarkSeal seals and opens messages of the size of an answer and of the
// largest envelope.
func BenchmarkSeal(b *testing.B) {
	mechanisms := []struct {
		name      string
		establish func(b *testing.B) (secure.Context, func([]byte) ([]byte, []byte))
	}{
		{"NTLM", establishBenchNTLM},
		{"Kerberos", establishBenchKerberos},
	}
	for _, m := range mechanisms {
		for _, n := range []int{4 << 10, 500 << 10} {
			size := fmt.Sprintf("%dKiB", n>>10)
			plain := make([]byte, n)
			b.Run(m.name+"/wrap/"+size, func(b *testing.B) {
				x, _ := m.establish(b)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := x.Wrap(plain); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run(m.name+"/unwrap/"+size, func(b *testing.B) {
				x, wrap := m.establish(b)
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					signature, sealed := wrap(plain) // every message has its own number
					b.StartTimer()
					if _, err := x.Unwrap(signature, sealed); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func establishBenchNTLM(b *testing.B) (secure.Context, func([]byte) ([]byte, []byte)) {
	b.Helper()
	host := &ntlmAcceptor{password: testPassword}
	return establishNTLM(b, secure.NTLMConfig{User: `CORP\admin`, Password: testPassword}, nil, host), host.wrap
}

func establishBenchKerberos(b *testing.B) (secure.Context, func([]byte) ([]byte, []byte)) {
	b.Helper()
	kdc := newFakeKDC(18)
	host := &kerberosAcceptor{service: kdc.service}
	return establishKerberos(b, newKerberos(b, passwordConfig(b, kdc)), nil, host), host.wrap
}
