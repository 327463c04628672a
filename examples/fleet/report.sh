#!/bin/sh
# Writes a report in Markdown from the state and from the lines of
#
#   terraform apply -json … > apply.jsonl
#
# Outputs would not do: Terraform does not evaluate them when a disk has failed, so
# that they show the run before. With -json no warning is folded. Needs jq.
#
#   sh report.sh apply.jsonl > report.md
#   sh report.sh -fail-if-skipped apply.jsonl   # no report: ends with 3 if a host was left out
set -eu
if [ "${1:-}" = -fail-if-skipped ]; then
  skipped=$(jq -rs '
    [.[] | .diagnostic? // empty | select(.summary == "Hyper-V host unreachable, state kept")
      | .detail | capture("Host: (?<host>[^\n]+)").host] | unique | join(", ")' "$2")
  [ -z "$skipped" ] || { echo "left out: $skipped" >&2; exit 3; }
  exit 0
fi

printf '## Compaction\n\n'
terraform show -json | jq -r '
  def gib: . / 1073741824 * 10 | round / 10;
  [.values.root_module // {} | recurse(.child_modules[]?) | .resources[]?
    | select(.type == "hyperv_vhd_compaction").values]
  | "| status | disks | reclaimed by the last runs |", "|---|---:|---:|",
    (group_by(.status)[]
      | "| \(.[0].status) | \(length) | \(map(.last_run.reclaimed_bytes // 0) | add | gib) GiB |")'
echo
jq -rs '
  [.[] | select(.type == "diagnostic").diagnostic | select(.address)]
  | if . == [] then "No errors and no warnings." else
    "| | disk | what |", "|---|---|---|",
    (sort_by(.severity, .address)[]
      | [.severity, "`\(.address)`", "**\(.summary).** \(.detail)"]
      | map(gsub("\\|"; "\\|") | gsub("\n+"; "<br>")) | "| \(join(" | ")) |") end' "${1:-apply.jsonl}"
