# An ephemeral value reaches neither state nor a saved plan (Terraform 1.10 or later).
variable "hyperv_password" {
  type      = string
  sensitive = true
  ephemeral = true
}

# Kerberos over http: every message is sealed. Credentials from a keytab.
provider "hyperv" {
  alias    = "kerberos"
  host     = "hv02.example.com"
  https    = false
  auth     = "kerberos"
  username = "svc-compact@EXAMPLE.COM"
  kerberos = {
    keytab_path = "/etc/terraform/svc-compact.keytab"
  }
}

# A node of a failover cluster whose other nodes resolve under other names.
provider "hyperv" {
  alias    = "cluster"
  host     = "hv11.example.com"
  username = "EXAMPLE\\svc-compact"
  password = var.hyperv_password
  cluster_nodes = {
    HV12 = "hv12-mgmt.example.net"
  }
}

# A certificate of an authority of one's own, and gentle limits.
provider "hyperv" {
  alias                      = "branch"
  host                       = "10.20.30.40"
  username                   = "EXAMPLE\\svc-compact"
  password                   = var.hyperv_password
  cacert_path                = "${path.module}/branch-ca.pem"
  tls_server_name            = "hv-branch.example.com"
  max_concurrent_compactions = 1
}
