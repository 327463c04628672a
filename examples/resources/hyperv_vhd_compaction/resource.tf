# Compacted at the first apply, and again by a later one when the file has grown
# by 1 GiB and by 20 % since.
resource "hyperv_vhd_compaction" "web01" {
  path = "D:/VMs/web01.vhdx"
}

# A disk on another host than the provider's, with every setting.
resource "hyperv_vhd_compaction" "sql01" {
  host = "hv02.example.com"
  path = "E:/VMs/sql01-data.vhdx"

  mode       = "Full" # also looks for blocks of zeros
  max_passes = 2

  if_in_use      = "skip" # try again at the next apply
  if_unreachable = "skip" # let the other hosts go on

  min_file_size_bytes      = 20 * 1024 * 1024 * 1024
  recompact_growth_bytes   = 10 * 1024 * 1024 * 1024
  recompact_growth_percent = 25

  timeouts = {
    create = "4h"
    update = "4h"
  }
}

# Compacted once a month: a change of a trigger is a reason.
resource "hyperv_vhd_compaction" "archive" {
  path                = "D:/VMs/archive.vhdx"
  recompact_on_growth = false
  triggers = {
    month = formatdate("YYYY-MM", plantimestamp())
  }
}
