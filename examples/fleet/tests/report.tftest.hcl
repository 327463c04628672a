# Tests of this configuration without any host: the provider is mocked, nothing is
# connected to and nothing is compacted. Run them with: terraform test

mock_provider "hyperv" {
  mock_resource "hyperv_vhd_compaction" {
    defaults = {
      status                = "compacted"
      total_reclaimed_bytes = 10737418240
      last_run = {
        file_size_before_bytes = 10737418240
        file_size_after_bytes  = 4294967296
        reclaimed_bytes        = 6442450944
      }
    }
  }
}

variables {
  hosts = {
    "hv01.example.com" = ["D:/VMs/web01.vhdx", "D:/VMs/web02.vhdx"]
    "hv02.example.com" = ["E:/VMs/sql01-data.vhdx"]
  }
}

run "one_resource_for_each_disk" {
  assert {
    condition = toset(keys(hyperv_vhd_compaction.disk)) == toset([
      "hv01.example.com|D:/VMs/web01.vhdx",
      "hv01.example.com|D:/VMs/web02.vhdx",
      "hv02.example.com|E:/VMs/sql01-data.vhdx",
    ])
    error_message = "The keys are not those of the disks."
  }
  assert {
    condition     = alltrue([for d in hyperv_vhd_compaction.disk : d.if_in_use == "skip" && d.if_unreachable == "skip"])
    error_message = "One disk or host could keep the others from their turn."
  }
}

run "totals" {
  assert {
    condition = output.totals == {
      disks                 = 3
      before_bytes          = 32212254720
      after_bytes           = 12884901888
      reclaimed_bytes       = 19327352832
      total_reclaimed_bytes = 32212254720
    }
    error_message = "The sums are wrong: ${jsonencode(output.totals)}"
  }
}
