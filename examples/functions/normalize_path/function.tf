locals {
  paths = ["d:/VMs/web01.vhdx", "D:\\VMs\\web01.vhdx"]
}

# Both spellings are one disk.
resource "hyperv_vhd_compaction" "disk" {
  for_each = toset([for p in local.paths : provider::hyperv::normalize_path(p)])
  path     = each.value
}
