// Package hostenv names the environment variables that say how a host is
// reached. The provider and the other programs of this project read the same
// ones.
package hostenv

import (
	"maps"
	"slices"
)

// Lookup reads an environment variable; a test brings its own.
type Lookup func(name string) (value string, ok bool)

const (
	// UseNTLM holds a bool where the attribute holds a name.
	UseNTLM = "HYPERV_USE_NTLM"
	// CCName is set by every Kerberos login on the machine, so it must not
	// compete with settings that were meant for this provider.
	CCName = "KRB5CCNAME"
)

// Variables lists the variables that stand in for an attribute of the provider;
// the first that holds something wins. The names of both other providers for
// Hyper-V are among them, so that their users change nothing in a pipeline.
func Variables(attribute string) []string { return variables[attribute] }

// All returns the variables of every attribute.
func All() map[string][]string { return maps.Clone(variables) }

var variables = map[string][]string{
	"host":                       {"HYPERV_HOST"},
	"port":                       {"HYPERV_PORT"},
	"username":                   {"HYPERV_USERNAME", "HYPERV_USER"},
	"password":                   {"HYPERV_PASSWORD"},
	"https":                      {"HYPERV_HTTPS", "HYPERV_WINRM_USE_HTTPS"},
	"insecure":                   {"HYPERV_INSECURE", "HYPERV_WINRM_INSECURE"},
	"auth":                       {"HYPERV_AUTH", "HYPERV_WINRM_AUTH", UseNTLM},
	"cacert_path":                {"HYPERV_CACERT_PATH", "HYPERV_WINRM_CACERT"},
	"cert_path":                  {"HYPERV_CERT_PATH"},
	"key_path":                   {"HYPERV_KEY_PATH"},
	"tls_server_name":            {"HYPERV_TLS_SERVER_NAME"},
	"kerberos.realm":             {"HYPERV_KRB5_REALM", "HYPERV_KERBEROS_REALM"},
	"kerberos.spn":               {"HYPERV_KRB5_SPN", "HYPERV_KERBEROS_SERVICE_PRINCIPAL_NAME"},
	"kerberos.krb5_conf_path":    {"HYPERV_KRB5_CONF_PATH", "HYPERV_KERBEROS_CONFIG", "KRB5_CONFIG"},
	"kerberos.ccache_path":       {"HYPERV_KRB5_CCACHE_PATH", "HYPERV_KERBEROS_CREDENTIAL_CACHE", CCName},
	"kerberos.keytab_path":       {"HYPERV_KRB5_KEYTAB_PATH"},
	"timeout":                    {"HYPERV_TIMEOUT"},
	"allow_attach":               {"HYPERV_ALLOW_ATTACH"},
	"allow_unseen_machines":      {"HYPERV_ALLOW_UNSEEN_MACHINES"},
	"cluster_nodes":              {"HYPERV_CLUSTER_NODES"},
	"max_concurrent_compactions": {"HYPERV_MAX_CONCURRENT_COMPACTIONS"},
	"max_concurrent_requests":    {"HYPERV_MAX_CONCURRENT_REQUESTS", "HYPERV_WINRM_MAX_SHELLS"},
}

// Read returns the value that the environment gives an attribute and the
// variable it came from; an empty variable counts as unset. Variables in except
// are passed over.
func Read(env Lookup, attribute string, except ...string) (value, variable string) {
	for _, name := range variables[attribute] {
		if slices.Contains(except, name) {
			continue
		}
		if value, ok := env(name); ok && value != "" {
			return value, name
		}
	}
	return "", ""
}
