# Every disk below a directory, but fixed ones, which cannot shrink.
data "hyperv_vhds" "all" {
  directory = "D:/VMs"
  recurse   = true
  inspect   = true # tells fixed disks from others
}

# The minimum belongs here: a disk that left the list when it was compacted
# would be forgotten.
resource "hyperv_vhd_compaction" "all" {
  for_each            = toset([for d in data.hyperv_vhds.all.disks : d.path if d.vhd_type != "fixed"])
  path                = each.value
  if_in_use           = "skip"
  min_file_size_bytes = 10 * 1024 * 1024 * 1024
}

# The disks of one virtual machine.
data "hyperv_vhds" "web01" {
  vm_name = "web01"
}
