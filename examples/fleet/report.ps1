# Writes a report in Markdown from the state and from the lines of
#
#   terraform apply -json … > apply.jsonl
#
# .\report.ps1 apply.jsonl | Set-Content report.md
# .\report.ps1 apply.jsonl -FailIfSkipped    # ends with 3 if a host was left out
param([string]$Log = 'apply.jsonl', [switch]$FailIfSkipped)
$ErrorActionPreference = 'Stop'
$said = Get-Content $Log | Where-Object { $_ } | ForEach-Object { ConvertFrom-Json $_ } |
    Where-Object { $_.type -eq 'diagnostic' -and $_.diagnostic.address } | ForEach-Object { $_.diagnostic }

if ($FailIfSkipped) {
    $skipped = $said | Where-Object { $_.summary -eq 'Hyper-V host unreachable, state kept' } |
        ForEach-Object { [regex]::Match($_.detail, 'Host: (.+)').Groups[1].Value } | Sort-Object -Unique
    if ($skipped) { [Console]::Error.WriteLine("left out: $($skipped -join ', ')"); exit 3 }
    exit 0
}

function Get-Resources($module) {
    if (-not $module) { return }
    $module.resources
    foreach ($child in $module.child_modules) { Get-Resources $child }
}

$state = terraform show -json | Out-String | ConvertFrom-Json
"## Compaction`n"
'| status | disks | reclaimed by the last runs |'
'|---|---:|---:|'
Get-Resources $state.values.root_module |
    Where-Object { $_.type -eq 'hyperv_vhd_compaction' } | ForEach-Object { $_.values } |
    Group-Object status | Sort-Object Name | ForEach-Object {
        $bytes = ($_.Group | ForEach-Object { [int64]$_.last_run.reclaimed_bytes } | Measure-Object -Sum).Sum
        "| $($_.Name) | $($_.Count) | $([math]::Round($bytes / 1073741824, 1)) GiB |"
    }
''
if (-not $said) { 'No errors and no warnings.'; return }
'| | disk | what |'
'|---|---|---|'
foreach ($d in $said | Sort-Object -Property @('severity', 'address')) {
    $what = "**$($d.summary).** $($d.detail)" -replace '\|', '\|' -replace "`n+", '<br>'
    '| {0} | `{1}` | {2} |' -f $d.severity, $d.address, $what
}
