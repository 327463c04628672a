package provider

import (
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// providerSchema is flat on purpose: a pipeline sets each attribute by one
// environment variable.
func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Compacts virtual hard disks on Hyper-V hosts through WinRM. Nothing is installed or left on a host.",
		Attributes: map[string]schema.Attribute{
			"host": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("host", "Name or address of the Hyper-V host to ask where nothing else names one. It is needed only once a host is asked."),
			},
			"port": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: withEnv("port", "Port of the WinRM listener. Default: `5986`, or `5985` with `https = false`."),
			},
			"username": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("username", "User name as `DOMAIN\\user`, `user@REALM`, `user`, or `.\\user` for a local account of the host. With Kerberos write `user@REALM`: a short domain name says nothing about the realm."),
			},
			"password": schema.StringAttribute{
				Optional:            true,
				Sensitive:           true,
				MarkdownDescription: withEnv("password", "Password of the user. Terraform writes a sensitive variable to a saved plan in clear text, and an ephemeral one not at all."),
			},
			"https": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("https", "Use TLS. Default: `true`. With `false`, NTLM and Kerberos encrypt every message themselves, and `basic` is refused."),
			},
			"insecure": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("insecure", "Do not verify the certificate of the host. Default: `false`. With `true`, NTLM and Kerberos encrypt every message themselves as well."),
			},
			"auth": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("auth", "How to authenticate: `ntlm` (default), `kerberos`, `windows` (as the user who runs Terraform; on Windows only), `basic` or `certificate`."),
			},
			"cacert_path": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("cacert_path", "PEM file with the certificate authorities to trust. Default: those of the system."),
			},
			"cert_path": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("cert_path", "PEM file with the client certificate of `auth = \"certificate\"`."),
			},
			"key_path": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("key_path", "PEM file with the key of the client certificate."),
			},
			"tls_server_name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("tls_server_name", "Name that the certificate of the host must carry. Default: the name by which the host is asked."),
			},
			"kerberos": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "What `auth = \"kerberos\"` needs beyond a user name. Set exactly one of `password`, `ccache_path` and `keytab_path`. With `auth = \"windows\"` only `spn` is allowed.",
				Attributes:          kerberosAttributes(),
			},
			"timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("timeout", "Time limit for one try of a request to the host, such as `90s` or `2m`. A read is tried three times. It never limits a compaction. At most `24h`. Default: `60s`."),
			},
			"allow_attach": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("allow_attach", "Allow disks to be attached to the host, read-only, while they are compacted. Default: `true`."),
			},
			"allow_unseen_machines": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: withEnv("allow_unseen_machines", "Compact disks even if the account is not shown every virtual machine, or a node of the cluster does not answer. It may then be unknown what depends on a disk. Default: `false`."),
			},
			"cluster_nodes": schema.MapAttribute{
				Optional:            true,
				ElementType:         types.StringType,
				MarkdownDescription: withEnv("cluster_nodes", "Addresses of cluster nodes, by the name of the node, for nodes whose name does not resolve in the domain of the cluster. The variable takes them as `HV02=hv02.example.net,HV03=192.0.2.13`."),
			},
			"max_concurrent_compactions": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: withEnv("max_concurrent_compactions", "How many compactions run at once on one host, 1 to 100. Default: `2`."),
			},
			"max_concurrent_requests": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: withEnv("max_concurrent_requests", "How many requests are sent to one host at once, 1 to 15. WinRM allows one user 15. Default: `5`."),
			},
		},
	}
}

func kerberosAttributes() map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"realm": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: withEnv("kerberos.realm", "Realm. Default: the one in `username`, else that of the Kerberos configuration."),
		},
		"spn": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: withEnv("kerberos.spn", "Service principal name. Default: `HTTP/<host>`."),
		},
		"krb5_conf_path": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: withEnv("kerberos.krb5_conf_path", "Kerberos configuration file. Default: `/etc/krb5.conf`; on Windows none, KDCs are then found by DNS."),
		},
		"ccache_path": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: withEnv("kerberos.ccache_path", "Ticket cache to use instead of a password."),
		},
		"keytab_path": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: withEnv("kerberos.keytab_path", "Keytab to use instead of a password."),
		},
	}
}

// withEnv appends the environment variables that stand in for an attribute.
func withEnv(attribute, description string) string {
	return description + " Environment: `" + strings.Join(environment[attribute], "`, `") + "`."
}
