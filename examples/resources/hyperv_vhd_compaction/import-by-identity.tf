import {
  to = hyperv_vhd_compaction.sql01
  identity = {
    host = "hv02.example.com"
    path = "E:\\VMs\\sql01-data.vhdx"
  }
}
