# By path, on the provider's host
terraform import hyperv_vhd_compaction.web01 'D:\VMs\web01.vhdx'

# By host and path
terraform import hyperv_vhd_compaction.sql01 'hv02.example.com|E:\VMs\sql01-data.vhdx'
