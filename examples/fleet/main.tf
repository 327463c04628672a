# Disks of many hosts that share one set of credentials. Username and password
# come from HYPERV_USERNAME and HYPERV_PASSWORD. due.sh and report.sh (due.ps1 and
# report.ps1) say what is due and what came of it.
terraform {
  required_providers {
    hyperv = {
      source = "registry.terraform.io/hypervcompact/hyperv"
    }
  }
}

provider "hyperv" {
  max_concurrent_compactions = 2 # on each host
}

locals {
  # One entry for each disk, under a key that survives a change of the order.
  disks = merge([
    for host, paths in var.hosts : {
      for path in paths : "${host}|${path}" => { host = host, path = path }
    }
  ]...)
}

resource "hyperv_vhd_compaction" "disk" {
  for_each = local.disks

  host = each.value.host
  path = each.value.path

  # One disk or host must not keep the others from their turn.
  if_in_use      = "skip"
  if_unreachable = "skip"

  min_file_size_bytes      = var.min_file_size_bytes
  recompact_growth_bytes   = var.recompact_growth_bytes
  recompact_growth_percent = var.recompact_growth_percent
}
