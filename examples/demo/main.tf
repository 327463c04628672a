terraform {
  required_providers {
    hyperv = {
      source = "registry.terraform.io/hypervcompact/hyperv"
    }
  }
}

variable "port" {
  description = "Port on which the simulated host serves WinRM."
  type        = number
}

# The password comes from HYPERV_PASSWORD.
provider "hyperv" {
  host     = "127.0.0.1"
  port     = var.port
  https    = false # NTLM seals every message
  username = "HYPERV\\admin"
}

resource "hyperv_vhd_compaction" "demo" {
  path = "D:\\VMs\\demo.vhdx"

  # Compact again when the file has grown by 16 MiB and by 10 %.
  recompact_growth_bytes   = 16 * 1024 * 1024
  recompact_growth_percent = 10
}

output "status" {
  value = hyperv_vhd_compaction.demo.status
}

output "before" {
  value = hyperv_vhd_compaction.demo.last_run.file_size_before_bytes
}

output "after" {
  value = hyperv_vhd_compaction.demo.last_run.file_size_after_bytes
}
