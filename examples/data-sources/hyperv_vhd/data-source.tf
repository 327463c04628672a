data "hyperv_vhd" "sql01" {
  path = "E:/VMs/sql01-data.vhdx"
}

# Compact only what can shrink.
resource "hyperv_vhd_compaction" "sql01" {
  count = data.hyperv_vhd.sql01.vhd_type == "fixed" ? 0 : 1
  path  = data.hyperv_vhd.sql01.path
}
