package provider

// lookupEnv reads an environment variable; a test brings its own.
type lookupEnv func(name string) (value string, ok bool)

// environment lists the variables that stand in for an attribute; the first that
// holds something wins. The names of both other providers for Hyper-V are among
// them, so that their users change nothing in a pipeline.
var environment = map[string][]string{
	"host":                       {"HYPERV_HOST"},
	"port":                       {"HYPERV_PORT"},
	"username":                   {"HYPERV_USERNAME", "HYPERV_USER"},
	"password":                   {"HYPERV_PASSWORD"},
	"https":                      {"HYPERV_HTTPS", "HYPERV_WINRM_USE_HTTPS"},
	"insecure":                   {"HYPERV_INSECURE", "HYPERV_WINRM_INSECURE"},
	"auth":                       {"HYPERV_AUTH", "HYPERV_WINRM_AUTH", envUseNTLM},
	"cacert_path":                {"HYPERV_CACERT_PATH", "HYPERV_WINRM_CACERT"},
	"cert_path":                  {"HYPERV_CERT_PATH"},
	"key_path":                   {"HYPERV_KEY_PATH"},
	"tls_server_name":            {"HYPERV_TLS_SERVER_NAME"},
	"kerberos.realm":             {"HYPERV_KRB5_REALM", "HYPERV_KERBEROS_REALM"},
	"kerberos.spn":               {"HYPERV_KRB5_SPN", "HYPERV_KERBEROS_SERVICE_PRINCIPAL_NAME"},
	"kerberos.krb5_conf_path":    {"HYPERV_KRB5_CONF_PATH", "HYPERV_KERBEROS_CONFIG", "KRB5_CONFIG"},
	"kerberos.ccache_path":       {"HYPERV_KRB5_CCACHE_PATH", "HYPERV_KERBEROS_CREDENTIAL_CACHE", envCCName},
	"kerberos.keytab_path":       {"HYPERV_KRB5_KEYTAB_PATH"},
	"timeout":                    {"HYPERV_TIMEOUT"},
	"allow_mount":                {"HYPERV_ALLOW_MOUNT"},
	"max_concurrent_compactions": {"HYPERV_MAX_CONCURRENT_COMPACTIONS"},
	"max_concurrent_requests":    {"HYPERV_MAX_CONCURRENT_REQUESTS", "HYPERV_WINRM_MAX_SHELLS"},
}

const (
	// envUseNTLM holds a bool where the attribute holds a name.
	envUseNTLM = "HYPERV_USE_NTLM"
	// envCCName is set by every Kerberos login on the machine, so that it must not
	// compete with what was meant for this provider.
	envCCName = "KRB5CCNAME"
)
