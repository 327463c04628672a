terraform {
  required_providers {
    hyperv = {
      source  = "registry.terraform.io/hypervcompact/hyperv"
      version = "~> 0.1"
    }
  }
}

provider "hyperv" { # the password comes from HYPERV_PASSWORD
  host     = "hv01.example.com"
  username = "EXAMPLE\\svc-compact"
}

# Compacted by the first apply, and again by a later one when the file has grown.
resource "hyperv_vhd_compaction" "web01" {
  path = "D:/VMs/web01.vhdx"
}
