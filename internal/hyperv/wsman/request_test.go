package wsman_test

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/cim"
	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv/wsman"
)

var update = flag.Bool("update", false, "rewrite the golden requests")

// hostile is a text that shows whether it was escaped.
const hostile = "D:\\R&D <1> 'a' \"b\" ]]> 日本\t\r\nend"

func TestRequests(t *testing.T) {
	t.Parallel()
	all := cim.ResourceURI(cim.NamespaceVirtualizationV2, "*")
	mounted := cim.ResourceURI(cim.NamespaceVirtualizationV2, cim.ClassMountedStorageImage)
	for name, run := range map[string]func(ctx context.Context, c *wsman.Client) error{
		"get": func(ctx context.Context, c *wsman.Client) error {
			_, err := c.Get(ctx, jobReference("3F8C2E11-AAAA-BBBB-CCCC-000011112222"))
			return err
		},
		"get_singleton": func(ctx context.Context, c *wsman.Client) error {
			_, err := c.Get(ctx, cim.NewReference(cim.NamespaceCIMv2, "Win32_OperatingSystem"))
			return err
		},
		"invoke_compact": func(ctx context.Context, c *wsman.Client) error {
			_, err := c.Invoke(ctx, compact(hostile))
			return err
		},
		"invoke_values": func(ctx context.Context, c *wsman.Client) error {
			inv := compact("")
			inv.Method = "M"
			inv.Params = []wsman.Param{
				{Name: "Null"},
				{Name: "Empty", Value: cim.Text("")},
				{Name: "Array", Value: cim.Texts("a", hostile)},
				{Name: "Job", Value: cim.Ref(jobReference(hostile))},
			}
			_, err := c.Invoke(ctx, inv)
			return err
		},
		"enumerate_class": func(ctx context.Context, c *wsman.Client) error {
			return drain(ctx, c, wsman.Enumeration{ResourceURI: mounted})
		},
		"enumerate_wql": func(ctx context.Context, c *wsman.Client) error {
			return drain(ctx, c, wsman.Enumeration{ResourceURI: all, WQL: "select * from X where Name = '" + hostile + "'", MaxElements: 7})
		},
		"enumerate_selectors": func(ctx context.Context, c *wsman.Client) error {
			return drain(ctx, c, wsman.Enumeration{ResourceURI: mounted, Selectors: []cim.Selector{{Name: "Name", Value: hostile}}})
		},
		"pull_release": func(ctx context.Context, c *wsman.Client) error {
			for _, err := range c.Enumerate(ctx, wsman.Enumeration{ResourceURI: mounted, MaxElements: 2}) {
				if err != nil {
					return err
				}
				break
			}
			return nil
		},
		"identify": func(ctx context.Context, c *wsman.Client) error {
			_, err := c.Identify(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent []string
			h := newFakeHost(t, func(r fakeRequest) fakeAnswer {
				sent = append(sent, canonical(t, r.soap))
				return serve(r)
			})
			h.start()
			if err := run(t.Context(), h.client()); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(sent, "\n")
			golden := filepath.Join("testdata", "request_"+name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("request differs (-want +got):\n%s", diff)
			}
		})
	}
}

func drain(ctx context.Context, c *wsman.Client, e wsman.Enumeration) error {
	for _, err := range c.Enumerate(ctx, e) {
		if err != nil {
			return err
		}
	}
	return nil
}

var (
	inputElement = regexp.MustCompile(`:(\w+)_INPUT[ />]`)
	pageSize2    = "MaxElements>2<"
)

// serve answers every kind of request.
func serve(r fakeRequest) fakeAnswer {
	switch {
	case strings.Contains(r.soap, "wsmid:Identify"):
		return fakeAnswer{soap: `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><i:IdentifyResponse xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><i:ProtocolVersion> http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd </i:ProtocolVersion><i:ProductVendor>Microsoft Corporation</i:ProductVendor><i:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse></s:Body></s:Envelope>`}
	case strings.Contains(r.soap, "enumeration/Enumerate<") && strings.Contains(r.soap, pageSize2):
		return fakeAnswer{soap: envelope(r.id, `<n:EnumerateResponse><n:EnumerationContext>uuid:first</n:EnumerationContext></n:EnumerateResponse>`)}
	case strings.Contains(r.soap, "enumeration/Enumerate<"):
		return fakeAnswer{soap: envelope(r.id, `<n:EnumerateResponse><n:EnumerationContext/><w:Items/><w:EndOfSequence/></n:EnumerateResponse>`)}
	case strings.Contains(r.soap, "enumeration/Pull<"):
		return fakeAnswer{soap: envelope(r.id, `<n:PullResponse><n:EnumerationContext>uuid:&amp;second</n:EnumerationContext><n:Items><X/><X/></n:Items></n:PullResponse>`)}
	case strings.Contains(r.soap, "enumeration/Release<"):
		return fakeAnswer{soap: envelope(r.id, ``)}
	}
	if m := inputElement.FindStringSubmatch(r.soap); m != nil {
		return output(r, m[1])
	}
	return job(r, "4")
}

// canonical rewrites a document with one token a line, names resolved, and the
// message ID replaced. It stands in for any XML parser.
func canonical(t *testing.T, document string) string {
	t.Helper()
	if !regexp.MustCompile(`^<\?xml version="1.0" encoding="utf-8" \?>\n<s:Envelope `).MatchString(document) {
		t.Errorf("document begins with %.60q", document)
	}
	document = regexp.MustCompile(`>uuid:[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}<`).ReplaceAllString(document, ">uuid:RANDOM<")
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(document))
	depth := 0
	line := func(format string, args ...any) {
		b.WriteString(strings.Repeat("  ", depth) + fmt.Sprintf(format, args...) + "\n")
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			line("{%s}%s", e.Name.Space, e.Name.Local)
			var attributes []string
			for _, a := range e.Attr {
				if a.Name.Space != "xmlns" {
					attributes = append(attributes, fmt.Sprintf("@{%s}%s = %q", a.Name.Space, a.Name.Local, a.Value))
				}
			}
			sort.Strings(attributes)
			depth++
			for _, a := range attributes {
				line("%s", a)
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if strings.TrimSpace(string(e)) != "" {
				line("%q", string(e))
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, serve)
	h.start()
	got, err := h.client().Identify(t.Context())
	want := wsman.Identity{
		ProtocolVersion: "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
		ProductVendor:   "Microsoft Corporation",
		ProductVersion:  "OS: 10.0.20348 SP: 0.0 Stack: 3.0",
	}
	if err != nil || got != want {
		t.Errorf("Identify = %+v, %v; want %+v", got, err, want)
	}
}

// A text that XML cannot carry is refused before anything is sent.
func TestUnsendable(t *testing.T) {
	t.Parallel()
	h := newFakeHost(t, echo)
	h.start()
	c := h.client()
	for name, run := range map[string]func() error{
		"control character": func() error { _, err := c.Get(t.Context(), jobReference("a\x01")); return err },
		"no UTF-8":          func() error { _, err := c.Get(t.Context(), jobReference("a\xff")); return err },
		"no character":      func() error { _, err := c.Invoke(t.Context(), compact("\uFFFF")); return err },
		"parameter name": func() error {
			inv := compact("x")
			inv.Params[0].Name = "a><b"
			_, err := c.Invoke(t.Context(), inv)
			return err
		},
		"two filters": func() error {
			return drain(t.Context(), c, wsman.Enumeration{WQL: "x", Selectors: []cim.Selector{{Name: "a"}}})
		},
	} {
		if err := run(); err == nil || errors.As(err, new(*wsman.OutcomeError)) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	if _, _, posts := h.totals(); posts != 0 {
		t.Errorf("%d posts, want none", posts)
	}
	mustGet(t.Context(), t, c, "control: what can be sent is")
}
