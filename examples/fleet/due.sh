#!/bin/sh
# Lists the disks that a saved plan will compact, one a line: reason, address. What
# Terraform shows of them is dozens of lines a disk. Needs jq.
#
#   terraform plan -out=tfplan >/dev/null && sh due.sh tfplan
set -eu
terraform show -json "${1:-tfplan}" | jq -r '
  [.resource_changes[]?
    | select(.type == "hyperv_vhd_compaction" and .change.after_unknown.status == true)
    | {address, reason: (.change.after.plan_reason // "decided during the apply")}]
  | sort_by(.reason, .address)[]
  | "\(.reason)\t\(.address)"'
