# Lists the disks that a saved plan will compact, with the reason of each.
#
#   terraform plan -out=tfplan | Out-Null; .\due.ps1 tfplan
param([string]$Plan = 'tfplan')
$ErrorActionPreference = 'Stop'
$shown = terraform show -json $Plan | Out-String | ConvertFrom-Json
$shown.resource_changes |
    Where-Object { $_.type -eq 'hyperv_vhd_compaction' -and $_.change.after_unknown.status -eq $true } |
    ForEach-Object {
        $reason = $_.change.after.plan_reason
        if (-not $reason) { $reason = 'decided during the apply' }
        [pscustomobject]@{ Reason = $reason; Address = $_.address }
    } |
    Sort-Object -Property @('Reason', 'Address')
