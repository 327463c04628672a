# Every disk below a directory.
data "hyperv_vhds" "all" {
  directory = "D:\\VMs"
  recurse   = true
}

# The minimum belongs here: a disk that left the list when it was compacted
# would be forgotten.
resource "hyperv_vhd_compaction" "all" {
  for_each            = data.hyperv_vhds.all.paths
  path                = each.value
  if_in_use           = "skip"
  min_file_size_bytes = 10 * 1024 * 1024 * 1024
}

# The disks of one virtual machine.
data "hyperv_vhds" "web01" {
  vm_name = "web01"
}
