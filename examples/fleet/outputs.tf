# Both outputs use what a refresh does not change (last_run, status and the
# total), so that a plan without a due run ends with 0. Terraform does not evaluate
# them when a disk has failed: report.sh does not depend on them.

output "report" {
  description = "What the last run of each disk has done."
  value = {
    for key, d in hyperv_vhd_compaction.disk : key => {
      status          = d.status
      detail          = d.status_detail
      before_bytes    = try(d.last_run.file_size_before_bytes, null)
      after_bytes     = try(d.last_run.file_size_after_bytes, null)
      reclaimed_bytes = try(d.last_run.reclaimed_bytes, null)
      completed_at    = try(d.last_run.completed_at, null)
    }
  }
}

output "totals" {
  description = "Sums over all disks: the last runs, and everything since the beginning."
  value = {
    disks                 = length(hyperv_vhd_compaction.disk)
    before_bytes          = sum(concat([0], [for d in hyperv_vhd_compaction.disk : coalesce(try(d.last_run.file_size_before_bytes, null), 0)]))
    after_bytes           = sum(concat([0], [for d in hyperv_vhd_compaction.disk : coalesce(try(d.last_run.file_size_after_bytes, null), 0)]))
    reclaimed_bytes       = sum(concat([0], [for d in hyperv_vhd_compaction.disk : coalesce(try(d.last_run.reclaimed_bytes, null), 0)]))
    total_reclaimed_bytes = sum(concat([0], [for d in hyperv_vhd_compaction.disk : coalesce(d.total_reclaimed_bytes, 0)]))
  }
}
