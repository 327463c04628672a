package provider

import (
	"strings"
	"testing"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// Advice names a setting only if that would help and is not set already.
func TestAdvise(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		reason hyperv.Reason
		in     situation
		want   string // part of the advice; empty for none
		not    string // no part of it
	}{
		"no reason": {in: situation{doing: compacting}},

		"in use":                   {reason: hyperv.ReasonInUse, in: situation{doing: compacting}, want: `if_in_use = "skip"`},
		"in use, skipped":          {reason: hyperv.ReasonInUse, in: situation{doing: compacting, skipsInUse: true}},
		"in use, an action":        {reason: hyperv.ReasonInUse, in: situation{doing: invoking}, want: `if_in_use = "skip"`, not: "next apply"},
		"in use, a skipped action": {reason: hyperv.ReasonInUse, in: situation{doing: invoking, skipsInUse: true}},
		"in use, a refresh":        {reason: hyperv.ReasonInUse, in: situation{doing: refreshing}},
		"in use, a list":           {reason: hyperv.ReasonInUse, in: situation{doing: reading}},
		"in use, a detach":         {reason: hyperv.ReasonInUse, in: situation{doing: detaching}},

		"unreachable, a refresh":         {reason: hyperv.ReasonUnreachable, in: situation{doing: refreshing}, want: "-refresh=false"},
		"unreachable, a skipped refresh": {reason: hyperv.ReasonUnreachable, in: situation{doing: refreshing, skipsUnreachable: true}},
		"unreachable, a run":             {reason: hyperv.ReasonUnreachable, in: situation{doing: compacting}},

		"unfinished run":     {reason: hyperv.ReasonUnfinished, in: situation{doing: compacting}, want: "Run apply again"},
		"unfinished action":  {reason: hyperv.ReasonUnfinished, in: situation{doing: invoking}, want: "Invoke the action again"},
		"unfinished reading": {reason: hyperv.ReasonUnfinished, in: situation{doing: reading}},

		"quota of five":  {reason: hyperv.ReasonBusy, in: situation{connection: connection{requests: 5}}, want: "max_concurrent_requests"},
		"quota of one":   {reason: hyperv.ReasonBusy, in: situation{connection: connection{requests: 1}}},
		"two at once":    {reason: hyperv.ReasonNoMemory, in: situation{connection: connection{compactions: 2}}, want: "max_concurrent_compactions"},
		"one at a time":  {reason: hyperv.ReasonNoMemory, in: situation{connection: connection{compactions: 1}}},
		"attach is off":  {reason: hyperv.ReasonNotAttached, in: situation{unattached: true}, want: "attach_read_only"},
		"attach not off": {reason: hyperv.ReasonNotAttached},

		"a parent":             {reason: hyperv.ReasonParent, in: situation{doing: compacting}, want: `allow_parent = true and mode = "Prezeroed"`},
		"a parent, allowed":    {reason: hyperv.ReasonParent, in: situation{doing: compacting, allowsParent: true}},
		"a parent, read":       {reason: hyperv.ReasonParent},
		"a parent's mode":      {reason: hyperv.ReasonParentMode, in: situation{doing: invoking, allowsParent: true}, want: `mode = "Prezeroed"`},
		"replicated":           {reason: hyperv.ReasonReplicated, in: situation{doing: compacting}, want: "allow_replicated"},
		"replicated, allowed":  {reason: hyperv.ReasonReplicated, in: situation{doing: compacting, allowsReplicated: true}},
		"unseen":               {reason: hyperv.ReasonUnseen, in: situation{doing: compacting}, want: "allow_unseen_machines"},
		"unseen, read":         {reason: hyperv.ReasonUnseen},
		"a node's address":     {reason: hyperv.ReasonNodeAddress, in: situation{doing: compacting}, want: "cluster_nodes"},
		"depended on":          {reason: hyperv.ReasonDependedOn, in: situation{doing: compacting}, want: "when it has grown"},
		"depended on, skipped": {reason: hyperv.ReasonDependedOn, in: situation{doing: compacting, skipsInUse: true}},
		"depended on, a list":  {reason: hyperv.ReasonDependedOn, in: situation{doing: reading}},

		"no TLS, a sealing scheme":    {reason: hyperv.ReasonPlainHTTP, in: situation{connection: connection{seals: true}}, want: "https = false"},
		"no TLS, basic":               {reason: hyperv.ReasonPlainHTTP},
		"no authority":                {reason: hyperv.ReasonAuthority, in: situation{connection: connection{seals: true}}, want: "Set cacert_path", not: "does not hold"},
		"another authority":           {reason: hyperv.ReasonAuthority, in: situation{connection: connection{authorities: true}}, want: "does not hold", not: "Set cacert_path"},
		"authority, a sealing scheme": {reason: hyperv.ReasonAuthority, in: situation{connection: connection{seals: true}}, want: "insecure = true"},
		"authority, basic":            {reason: hyperv.ReasonAuthority, want: "cacert_path", not: "insecure"},
		"another name":                {reason: hyperv.ReasonName, want: "tls_server_name", not: "insecure"},
		"tampering on http":           {reason: hyperv.ReasonTampering, want: "https"},
		"tampering on https":          {reason: hyperv.ReasonTampering, in: situation{connection: connection{https: true}}},
		"no KDC":                      {reason: hyperv.ReasonNoKDC, want: "krb5_conf_path"},
		"no KDC in the named file":    {reason: hyperv.ReasonNoKDC, in: situation{connection: connection{krb5ConfPath: true}}},
		"unknown service":             {reason: hyperv.ReasonServiceName, want: "kerberos.spn"},
		"unknown service of that SPN": {reason: hyperv.ReasonServiceName, in: situation{connection: connection{spn: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(advise([]hyperv.Reason{test.reason}, test.in), " ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("advice = %q, want %q", got, test.want)
			}
			if test.not != "" && strings.Contains(got, test.not) {
				t.Errorf("advice %q speaks of %q", got, test.not)
			}
		})
	}
}
