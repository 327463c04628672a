package claims_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims"
)

// TestReadme: the README shows the current evidence of the claims.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want, ok := claims.Replace(string(readme), claims.Proof(claims.All()))
	if !ok {
		t.Fatal("the README has no place for the state of proof")
	}
	if diff := cmp.Diff(want, string(readme)); diff != "" {
		t.Errorf("run make generate (-want +got):\n%s", diff)
	}
}

// TestProof: claims are counted by evidence, and by the versions of Windows on
// which they were seen.
func TestProof(t *testing.T) {
	t.Parallel()
	on := func(versions ...string) []claims.Sighting {
		var all []claims.Sighting
		for _, v := range versions {
			all = append(all, claims.Sighting{Windows: v, Date: "2026-12-01"})
		}
		return all
	}
	none := []claims.Claim{{Evidence: claims.Documented}, {Evidence: claims.Open, Untestable: "no"}}
	some := []claims.Claim{
		{Evidence: claims.Seen, On: on("10.0.26100", "10.0.20348")}, {Evidence: claims.Seen, On: on("10.0.26100")}, {Evidence: claims.Inferred}, {Evidence: claims.Open},
	}
	for _, tc := range []struct {
		claims []claims.Claim
		want   string
	}{
		{none, `Nothing here was run against a real Windows host by its authors.

This project rests on 2 claims about hosts; the conformance kit can ask a host about 1.

| evidence | claims |
|---|---|
| documented, or recorded from a real host by others | 1 |
| inferred | 0 |
| open | 1 |
`},
		{some, `This project rests on 4 claims about hosts; the conformance kit can ask a host about 4.

| evidence | claims |
|---|---|
| seen to hold on Windows 10.0.20348 | 1 |
| seen to hold on Windows 10.0.26100 | 2 |
| seen to hold on any of them | 2 |
| documented, or recorded from a real host by others | 0 |
| inferred | 1 |
| open | 1 |
`},
	} {
		if diff := cmp.Diff(tc.want, claims.Proof(tc.claims)); diff != "" {
			t.Errorf("proof (-want +got):\n%s", diff)
		}
	}
	if _, ok := claims.Replace("a README\n"+claims.ProofBegins, "x"); ok {
		t.Error("a place without an end was taken")
	}
}
