import {
  to = hyperv_vhd_compaction.web01
  identity = {
    path = "D:/VMs/web01.vhdx"
    # host: left out here, as in the resource, for that of the provider
  }
}
