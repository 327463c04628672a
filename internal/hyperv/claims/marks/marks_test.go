package marks_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/claims/marks"
)

// TestRead: each form of a mark is found, with the line that names the claim.
func TestRead(t *testing.T) {
	t.Parallel()
	const client, doc = "internal/hyperv/a.go", "internal/hyperv/hypervsim/wmi/doc.go"
	for name, tc := range map[string]struct {
		file, comment string
		want          []marks.Mark
	}{
		"one claim":      {client, "// Unverified on a real host (a-b): that it is so.", []marks.Mark{{File: client, Line: 1, Claims: []string{"a-b"}}}},
		"no claim":       {client, "// Unverified on a real host: that it is so.", []marks.Mark{{File: client, Line: 1}}},
		"over two lines": {client, "// That.\n// Unverified on a\n// real host (a-b,\n// c-d): x", []marks.Mark{{File: client, Line: 3, Claims: []string{"a-b", "c-d"}}}},
		"two marks": {client, "// Unverified on a real host (a): x.\n// Unverified on a real host (b): y.", []marks.Mark{
			{File: client, Line: 1, Claims: []string{"a"}}, {File: client, Line: 2, Claims: []string{"b"}},
		}},
		"a list of the simulator": {doc, "//   - something: unverified (a-b).", []marks.Mark{{File: doc, Line: 1, Claims: []string{"a-b"}, Simulated: true}}},
		"its list, no claim":      {doc, "//   - something: unverified.", []marks.Mark{{File: doc, Line: 1, Simulated: true}}},
		"a list of the client":    {client, "//   - something: unverified (a-b).", nil},
		"no mark":                 {client, "// Nothing here is unverified.", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := marks.Read(tc.file, []byte(tc.comment+"\npackage p\n"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("marks (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := marks.Read(client, []byte("no Go")); err == nil {
		t.Error("a file that cannot be read was taken")
	}
}
