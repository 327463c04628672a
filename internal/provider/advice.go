package provider

import (
	"slices"
	"strings"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// situation is what was being done when an error came up, and what is set: it
// decides which advice would help.
type situation struct {
	doing                        operation
	skipsInUse, skipsUnreachable bool // if_in_use and if_unreachable
	allowsParent                 bool // allow_parent
	allowsReplicated             bool // allow_replicated
	unattached                   bool // attach_read_only is false
	connection                   connection
}

// connection is what the provider block sets, as far as advice depends on it.
type connection struct {
	https, insecure, seals                     bool
	authorities, serverName, spn, krb5ConfPath bool // set
	unseen                                     bool // allow_unseen_machines
	compactions, requests                      int  // at once
}

func connectionOf(cfg hyperv.Config) connection {
	return connection{
		https:        cfg.HTTPS,
		insecure:     cfg.Insecure,
		seals:        cfg.Auth != hyperv.AuthBasic && cfg.Auth != hyperv.AuthCertificate,
		authorities:  cfg.CACertificate != nil,
		serverName:   cfg.TLSServerName != "",
		spn:          cfg.Kerberos.SPN != "",
		krb5ConfPath: cfg.Kerberos.ConfigPath != "",
		compactions:  cfg.MaxConcurrentCompactions,
		requests:     cfg.MaxConcurrentRequests,
	}
}

// unverified is the last resort for a certificate.
const unverified = "With insecure = true nothing is verified; messages are still encrypted."

// mayNotVerify reports whether insecure would help: it is not set, and what is
// sent is sealed all the same.
func (s situation) mayNotVerify() bool { return s.connection.seals && !s.connection.insecure }

// runs reports whether a disk was to be compacted.
func (s situation) runs() bool { return s.doing == compacting || s.doing == invoking }

// operation is what was being done.
type operation int

const (
	reading    operation = iota // of a data source or a list
	refreshing                  // of the resource
	compacting                  // by the resource
	invoking                    // of the action
	detaching                   // in the end of a resource
)

// advice is what a user of Terraform can change about an error. Package hyperv
// says what it is about and what helps on the host.
type advice struct {
	reason hyperv.Reason
	text   string
	// helps reports whether the advice would help and is not followed already; nil
	// means always.
	helps func(situation) bool
}

// adviceTable has the sentences. Of several for one reason all that help are
// given, in this order.
var adviceTable = [...]advice{
	{
		hyperv.ReasonInUse, `With if_in_use = "skip" this is a warning, and the next apply tries again.`,
		func(s situation) bool { return s.doing == compacting && !s.skipsInUse },
	},
	{
		hyperv.ReasonInUse, `With if_in_use = "skip" this is a warning.`,
		func(s situation) bool { return s.doing == invoking && !s.skipsInUse },
	},
	{
		hyperv.ReasonDependedOn, `With if_in_use = "skip" this is a warning, and the disk is due again when it has grown.`,
		func(s situation) bool { return s.doing == compacting && !s.skipsInUse },
	},
	{
		hyperv.ReasonDependedOn, `With if_in_use = "skip" this is a warning.`,
		func(s situation) bool { return s.doing == invoking && !s.skipsInUse },
	},
	{
		hyperv.ReasonNotFound, "If the disk is gone for good, remove its resource from the configuration.",
		func(s situation) bool { return s.doing == compacting },
	},
	{
		hyperv.ReasonUnreachable, `To let plans pass while a host is down, set if_unreachable = "skip" and apply once with -refresh=false: a refresh goes by the value in state.`,
		func(s situation) bool { return s.doing == refreshing && !s.skipsUnreachable },
	},
	{hyperv.ReasonTryAgain, "Run Terraform again later.", nil},
	{
		hyperv.ReasonUnfinished, "Run apply again: it waits for what still runs on the host, then compacts once more.",
		func(s situation) bool { return s.doing == compacting },
	},
	{
		hyperv.ReasonUnfinished, "Invoke the action again: it waits for what still runs on the host, then compacts once more.",
		func(s situation) bool { return s.doing == invoking },
	},
	{hyperv.ReasonTimedOut, "Raise timeout in the provider block.", nil},
	{
		hyperv.ReasonBusy, "Lower max_concurrent_requests in the provider block.",
		func(s situation) bool { return s.connection.requests > 1 },
	},
	{
		hyperv.ReasonNoMemory, "Lower max_concurrent_compactions in the provider block.",
		func(s situation) bool { return s.connection.compactions > 1 },
	},

	{
		hyperv.ReasonNotCompactable, "Take the disk out of the configuration.",
		situation.runs,
	},
	{hyperv.ReasonPlannedOther, "If it is the disk that is meant, apply again: the next plan takes it as it is.", nil},
	{hyperv.ReasonNoModes, "Remove mode from the configuration.", nil},
	{hyperv.ReasonWritesAttached, "Remove attach_read_only from the configuration.", nil},
	{hyperv.ReasonAttachForbidden, "Set allow_attach = true in the provider block, or choose a mode and attach_read_only that need no attachment.", nil},
	{
		hyperv.ReasonNotAttached, "Remove attach_read_only = false, or choose another mode.",
		func(s situation) bool { return s.unattached },
	},
	{
		hyperv.ReasonParent, `With allow_parent = true and mode = "Prezeroed" it is compacted all the same: only blocks of zeros are dropped then.`,
		func(s situation) bool { return s.runs() && !s.allowsParent },
	},
	{
		hyperv.ReasonParentMode, `With allow_parent = true set mode = "Prezeroed" as well, and remove attach_read_only.`,
		situation.runs,
	},
	{
		hyperv.ReasonReplicated, "With allow_replicated = true it is compacted all the same.",
		func(s situation) bool { return s.runs() && !s.allowsReplicated },
	},
	{
		hyperv.ReasonNodeAddress, "cluster_nodes in the provider block names the address of a node.",
		nil,
	},
	{
		hyperv.ReasonUnseen, "With allow_unseen_machines = true in the provider block disks pass whose users are not seen.",
		func(s situation) bool { return s.runs() && !s.connection.unseen },
	},

	{
		hyperv.ReasonPlainHTTP, "Or set https = false: messages are still encrypted.",
		func(s situation) bool { return s.connection.seals },
	},
	{hyperv.ReasonTLS, "Or set https = true.", nil},
	{
		hyperv.ReasonMaybeTLS, "If the port is one for https, set https = true.",
		func(s situation) bool { return !s.connection.https },
	},
	{
		hyperv.ReasonAuthority, "Set cacert_path to a PEM file with the certificate of the authority.",
		func(s situation) bool { return !s.connection.authorities },
	},
	{
		hyperv.ReasonAuthority, "The file that cacert_path names does not hold the authority of this certificate: add it.",
		func(s situation) bool { return s.connection.authorities },
	},
	{hyperv.ReasonAuthority, unverified, situation.mayNotVerify},
	{
		hyperv.ReasonName, "Name the host as its certificate does, or set tls_server_name to the name in the certificate.",
		func(s situation) bool { return !s.connection.serverName },
	},
	{
		hyperv.ReasonName, "Set tls_server_name to the name in the certificate.",
		func(s situation) bool { return s.connection.serverName },
	},
	{hyperv.ReasonName, unverified, situation.mayNotVerify},
	{hyperv.ReasonUnverified, unverified, situation.mayNotVerify},
	{hyperv.ReasonScheme, "Or set auth to a scheme that the host offers.", nil},
	{hyperv.ReasonTampering, "Use https meanwhile.", func(s situation) bool { return !s.connection.https }},
	{hyperv.ReasonTicket, "Or set password or kerberos.keytab_path in place of kerberos.ccache_path.", nil},
	{
		hyperv.ReasonNoKDC, "kerberos.krb5_conf_path names another krb5.conf.",
		func(s situation) bool { return !s.connection.krb5ConfPath },
	},
	{
		hyperv.ReasonServiceName, "Or set kerberos.spn.",
		func(s situation) bool { return !s.connection.spn },
	},
}

// advise gives the sentences that help.
func advise(reasons []hyperv.Reason, s situation) []string {
	var all []string
	for _, reason := range reasons {
		for _, a := range adviceTable {
			if a.reason == reason && (a.helps == nil || a.helps(s)) {
				all = append(all, a.text)
			}
		}
	}
	return all
}

// remedy is what helps on the host, then what helps in the configuration.
func remedy(known hyperv.Explanation, s situation) string {
	sentences := advise(known.Reasons, s)
	if known.Hint != "" {
		sentences = slices.Insert(sentences, 0, known.Hint)
	}
	return strings.Join(sentences, " ")
}
