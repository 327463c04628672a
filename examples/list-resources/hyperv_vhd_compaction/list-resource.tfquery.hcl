# terraform query -generate-config-out=disks.tf
list "hyperv_vhd_compaction" "all" {
  provider = hyperv

  config {
    directory           = "D:/VMs"
    recurse             = true
    min_file_size_bytes = 10737418240
  }
}
