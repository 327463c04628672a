resource "hyperv_vhd_compaction" "web01" {
  path = "D:/VMs/web01.vhdx"
}

output "reclaimed" {
  value = provider::hyperv::format_bytes(hyperv_vhd_compaction.web01.total_reclaimed_bytes)
}
