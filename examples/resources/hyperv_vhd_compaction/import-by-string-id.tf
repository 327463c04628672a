import {
  to = hyperv_vhd_compaction.sql01
  id = "hv02.example.com|E:\\VMs\\sql01-data.vhdx"
}
