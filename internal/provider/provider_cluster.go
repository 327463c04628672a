package provider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// clusterNodesForm describes the content of cluster_nodes, for messages.
const clusterNodesForm = "names of nodes with their addresses, each a DNS name or an IP address without a port"

// clusterNodes reads the addresses of nodes by their names.
func (s *settings) clusterNodes(v types.Map) map[string]string {
	written, origin := map[string]string{}, ""
	switch {
	case v.IsUnknown():
		s.unknown = true
		return nil
	case !v.IsNull():
		for name, address := range v.Elements() {
			text, ok := address.(types.String)
			if !ok || text.IsUnknown() {
				s.unknown = true
				return nil
			}
			written[name] = text.ValueString()
		}
	default:
		var value string
		if value, origin = s.read("cluster_nodes", true, false, ""); value == "" {
			return nil
		}
		written = s.nodePairs(value, origin)
	}
	s.checkNodes(written, origin)
	return written
}

// nodePairs reads the form of the environment variable: NAME=address,NAME=address.
func (s *settings) nodePairs(value, origin string) map[string]string {
	nodes := map[string]string{}
	for pair := range strings.SplitSeq(value, ",") {
		name, address, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok {
			s.invalid("cluster_nodes", origin, value, clusterNodesForm, "Write it as HV02=hv02.example.net,HV03=192.0.2.13.")
			return nil
		}
		nodes[strings.TrimSpace(name)] = strings.TrimSpace(address)
	}
	return nodes
}

// checkNodes refuses values that can be neither a name nor an address, and two
// entries for one node.
func (s *settings) checkNodes(nodes map[string]string, origin string) {
	from := ""
	if origin != "" {
		from = " (from the environment variable " + origin + ")"
	}
	seen := map[string]string{}
	for name, address := range nodes {
		at := path.Root("cluster_nodes").AtMapKey(name)
		label, _, _ := strings.Cut(strings.ToLower(name), ".")
		reason := checkHost(address)
		switch {
		case label == "":
			reason = "Write the name of a node before its address."
		case reason == "" && seen[label] != "":
			reason = "Leave one of " + seen[label] + " and " + name + " out: they are one node."
		}
		if reason != "" {
			s.diags.AddAttributeError(at, summaryProvider, "cluster_nodes[\""+name+"\"] is \""+address+"\""+from+". Allowed: "+clusterNodesForm+".\n\n"+reason)
		}
		seen[label] = name
	}
}
