package provider

import (
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypervcompact/terraform-provider-hyperv/internal/hyperv"
)

// providerModel is the configuration of the provider as it is written.
type providerModel struct {
	Host                     types.String `tfsdk:"host"`
	Port                     types.Int64  `tfsdk:"port"`
	Username                 types.String `tfsdk:"username"`
	Password                 types.String `tfsdk:"password"`
	HTTPS                    types.Bool   `tfsdk:"https"`
	Insecure                 types.Bool   `tfsdk:"insecure"`
	Auth                     types.String `tfsdk:"auth"`
	CACertPath               types.String `tfsdk:"cacert_path"`
	CertPath                 types.String `tfsdk:"cert_path"`
	KeyPath                  types.String `tfsdk:"key_path"`
	TLSServerName            types.String `tfsdk:"tls_server_name"`
	Kerberos                 types.Object `tfsdk:"kerberos"`
	Timeout                  types.String `tfsdk:"timeout"`
	AllowAttach              types.Bool   `tfsdk:"allow_attach"`
	AllowUnseenMachines      types.Bool   `tfsdk:"allow_unseen_machines"`
	ClusterNodes             types.Map    `tfsdk:"cluster_nodes"`
	MaxConcurrentCompactions types.Int64  `tfsdk:"max_concurrent_compactions"`
	MaxConcurrentRequests    types.Int64  `tfsdk:"max_concurrent_requests"`
}

// Defaults of the provider.
const (
	defaultTimeout        = "60s"
	defaultCompactions    = 2
	defaultRequests       = 5
	maxConcurrentRequests = 15 // the limit of WinRM's WMI plug-in for one user
)

// resolve reads the configuration with its fallbacks and checks it. It opens
// files and dials nothing. While a part of it is unknown, the data has no
// fleet.
func (m providerModel) resolve(env lookupEnv) (*providerData, diag.Diagnostics) {
	s := &settings{env: env}
	data := &providerData{told: &toldErrors{}}
	data.host = s.host(m.Host)
	data.allowAttach = s.unlessUnknown(m.AllowAttach, s.flag("allow_attach", m.AllowAttach, true))
	data.allowUnseen = s.flag("allow_unseen_machines", m.AllowUnseenMachines, false)
	cfg := m.connection(s)
	if s.unknown || s.diags.HasError() {
		return data, s.diags
	}
	fleet, err := hyperv.NewFleet(cfg)
	if err != nil {
		s.diags.AddError(summaryProvider, err.Error())
	}
	data.fleet, data.connection = fleet, connectionOf(cfg)
	data.connection.unseen = data.allowUnseen
	return data, s.diags
}

// connection reads all settings that decide how hosts are reached.
func (m providerModel) connection(s *settings) hyperv.Config {
	cfg := hyperv.Config{
		HTTPS:                    s.flag("https", m.HTTPS, true),
		Insecure:                 s.flag("insecure", m.Insecure, false),
		Auth:                     s.auth(m.Auth),
		Port:                     s.number("port", m.Port, 0, 1, 65535),
		Username:                 s.text("username", m.Username),
		Password:                 s.text("password", m.Password),
		TLSServerName:            s.text("tls_server_name", m.TLSServerName),
		RequestTimeout:           s.duration("timeout", m.Timeout, defaultTimeout, hyperv.LongestRequestTimeout),
		MaxConcurrentCompactions: s.number("max_concurrent_compactions", m.MaxConcurrentCompactions, defaultCompactions, 1, 100),
		MaxConcurrentRequests:    s.number("max_concurrent_requests", m.MaxConcurrentRequests, defaultRequests, 1, maxConcurrentRequests),
		ClusterNodes:             s.clusterNodes(m.ClusterNodes),
		Logger:                   newLogger(s.env),
		TakeOverAfter:            testPace(s.env, "HYPERV_TEST_TAKE_OVER_AFTER"),
		CleanUpFor:               testPace(s.env, "HYPERV_TEST_CLEAN_UP_FOR"),
	}
	cfg.CACertificate = s.file("cacert_path", s.text("cacert_path", m.CACertPath))
	cfg.ClientCertificate = s.file("cert_path", s.text("cert_path", m.CertPath))
	cfg.ClientKey = s.file("key_path", s.text("key_path", m.KeyPath))
	switch cfg.Auth {
	case hyperv.AuthKerberos:
		cfg.Kerberos = s.kerberos(m.Kerberos, cfg.Password)
	case hyperv.AuthWindows:
		cfg.Kerberos = s.windows(m.Kerberos)
	default:
	}
	if m.Kerberos.IsUnknown() {
		s.unknown = true
	}
	if !s.unknown && !s.diags.HasError() {
		s.check(m, cfg)
	}
	return cfg
}

// testPace returns a shorter wait for tests in real time, see hyperv.Config; zero outside of tests.
func testPace(env lookupEnv, name string) time.Duration {
	value, _ := env(name)
	pace, err := time.ParseDuration(value)
	if err != nil {
		return 0
	}
	return pace
}

// host reads the default host. It may be missing: a resource that has no host of its own needs it.
func (s *settings) host(v types.String) types.String {
	if v.IsUnknown() {
		return v
	}
	value, origin := s.read("host", v.IsNull(), false, v.ValueString())
	if value == "" {
		return types.StringNull()
	}
	if reason := checkHost(value); reason != "" {
		s.invalid("host", origin, value, hostForm, reason)
	}
	return types.StringValue(value)
}
