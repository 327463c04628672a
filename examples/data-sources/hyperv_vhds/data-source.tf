# Every disk of at least 10 GiB below a directory.
data "hyperv_vhds" "all" {
  directory           = "D:\\VMs"
  recurse             = true
  min_file_size_bytes = 10 * 1024 * 1024 * 1024
}

resource "hyperv_vhd_compaction" "all" {
  for_each  = data.hyperv_vhds.all.paths
  path      = each.value
  if_in_use = "skip"
}

# The disks of one virtual machine.
data "hyperv_vhds" "web01" {
  vm_name = "web01"
}
