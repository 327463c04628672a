resource "hyperv_vhd_compaction" "web01" {
  path                   = "D:/VMs/web01.vhdx"
  min_file_size_bytes    = provider::hyperv::parse_bytes("20 GiB")
  recompact_growth_bytes = provider::hyperv::parse_bytes("5 GiB")
}
