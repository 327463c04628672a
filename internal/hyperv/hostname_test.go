package hyperv_test

import (
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

func TestCheckHostName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{ // empty: taken
		"hv01": "", "hv-01.corp.example": "", "hv_01": "", "HV01.": "", "10.0.0.1": "",
		"::1": "", "[::1]": "", "fe80::1%eth0": "", "[fe80::1%12]": "", "fe80::1%en0.100": "",
		"サーバー01": "", "büro-hv": "", "e\u0301tage": "",
		strings.Repeat("a", 63): "",

		"":                 "name a host",
		"http://hv01":      "scheme",
		"hv01:5985":        "port",
		"[::1]:5986":       "port",
		"[hv01]":           "port",
		"10.0.0.1:5985":    "port",
		"hv01,hv02":        "U+002C",
		" hv01":            "U+0020",
		"hv01\u00a0":       "U+00A0",
		"hv\u200b01":       "U+200B",
		"hv\u202e01":       "U+202E",
		"\ufeffhv01":       "U+FEFF",
		"hv01\n":           "U+000A",
		"hv01/wsman":       "U+002F",
		`\\hv01`:           "U+005C",
		"user@hv01":        "U+0040",
		"hv–01":            "U+2013",
		"hv01。corp":        "U+3002",
		"[10.0.0.1]":       "port",
		"fe80::1%e\u200b0": "U+200B",
		"fe80::1%":         "zone",
		"a..b":             "dot",
		".hv01":            "dot",
		".":                "dot",
		"\xff":             "U+FFFD",

		strings.Repeat("a", 64):                        "at most 63",
		strings.Repeat(strings.Repeat("a", 50)+".", 6): "at most 253",
	} {
		err := hyperv.CheckHostName(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckHostName(%q) = %v, want %q", name, err, want)
		}
	}
}

func TestHostKey(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{
		{"hv01", "HV01"},
		{"hv01.corp.example", "HV01.Corp.Example", "hv01.corp.example."},
		{"hv01."}, // without the search list of DNS, and so not hv01
		{"BÜRO-HV", "büro-hv"},
		{"10.0.0.1"},
		{"fe80::1", "FE80:0:0::1", "[fe80::1]", "fe80:0000::0001"},
		{"fe80::1%eth0", "[FE80::1%eth0]"},
	} {
		for _, name := range same {
			if got := hyperv.HostKey(name); got != hyperv.HostKey(same[0]) {
				t.Errorf("HostKey(%q) = %q, want that of %q", name, got, same[0])
			}
		}
	}
	if hyperv.HostKey("hv01.") == hyperv.HostKey("hv01") || hyperv.HostKey("fe80::1%eth0") == hyperv.HostKey("fe80::1") {
		t.Error("two hosts have one key")
	}
}

func FuzzCheckHostName(f *testing.F) {
	for _, seed := range []string{"hv01", "[::1]", "fe80::1%eth0", "hv\u200b01", "a:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if err := hyperv.CheckHostName(name); err != nil {
			return
		}
		fleet, err := hyperv.NewFleet(hyperv.Config{Auth: hyperv.AuthNTLM, Username: "u", Password: "p", HTTPS: true})
		if err != nil {
			t.Fatal(err)
		}
		defer fleet.Close()
		if _, err := fleet.Host(name); err != nil {
			t.Errorf("%q is a name, but no host: %v", name, err)
		}
	})
}
