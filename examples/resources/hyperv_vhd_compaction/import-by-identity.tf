import {
  to = hyperv_vhd_compaction.web01
  identity = {
    path = "D:\\VMs\\web01.vhdx"
    # host: that of the provider if left out
  }
}
