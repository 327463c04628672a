# Makes a Windows machine a Hyper-V host that answers over WinRM on loopback, with
# disks, machines and accounts to be asked about. For Windows PowerShell 5.1,
# elevated, on a machine that may be changed for good: a hosted runner, or a machine
# of somebody's own that is there for this alone.
#
#   -Leftovers   fails if the steps left something on the host
#   -Explain     changes nothing and tells what the machine has to say about a red run
#
# What fails here fails the job; what is wrapped in Get-Fact only tells. Every
# cmdlet is documented under its own name; what is not a cmdlet names its page.
param(
    [string] $Drive = '',
    [switch] $Leftovers,
    [switch] $Explain
)
Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'
$global:ErrorActionPreference = 'Stop' # functions of modules (Storage, NetConnection) read this one
$ProgressPreference = 'SilentlyContinue'
$started = Get-Date

$windows = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion'
$workspace = if ($env:GITHUB_WORKSPACE) { $env:GITHUB_WORKSPACE } else { "$PWD" }
$report = "$workspace\report"
$temp = if ($env:RUNNER_TEMP) { $env:RUNNER_TEMP } else { $env:TEMP }
$root = if ($Drive) { $Drive } else { Split-Path -Qualifier $temp }
$base = "$root\hvc"

# --- helpers -------------------------------------------------------------------

# One line, made here: GITHUB_ENV is a place for injection.
function Export-Variable([string] $Name, [string] $Value) {
    $line = $Name + '=' + ($Value -replace '[\r\n]+', ' ') + "`n"
    if ($env:GITHUB_ENV) { [IO.File]::AppendAllText($env:GITHUB_ENV, $line) }
    else { [Environment]::SetEnvironmentVariable($Name, $Value) }
}
# UTF-8 without a mark, which Set-Content of 5.1 cannot write.
function Write-Json([string] $Name, $Value) {
    $text = $Value | ConvertTo-Json -Depth 5
    New-Item -ItemType Directory -Force -Path $report | Out-Null
    [IO.File]::WriteAllText("$report\$Name", $text)
    Write-Host "::group::$Name"
    Write-Host $text
    Write-Host '::endgroup::'
}
# What cannot be had is told, and ends nothing.
function Get-Fact([scriptblock] $Ask) {
    try { $value = & $Ask } catch { return 'refused: ' + $_.Exception.Message }
    if ($null -eq $value) { return 'none' }
    return $value
}
function Get-RegistryValue([string] $Key, [string] $Name) {
    $item = Get-ItemProperty -LiteralPath $Key -ErrorAction SilentlyContinue
    if (-not $item) { return $null }
    $property = $item.PSObject.Properties[$Name]
    if ($property) { return $property.Value }
    return $null
}
# The mask comes before the first use.
function New-RandomPassword {
    $bytes = New-Object byte[] 24
    $random = [Security.Cryptography.RandomNumberGenerator]::Create()
    $random.GetBytes($bytes)
    $text = 'Aa1-' + [Convert]::ToBase64String($bytes).Replace('+', 'x').Replace('/', 'y').TrimEnd('=')
    Write-Host "::add-mask::$text"
    return $text
}
function Get-Listeners {
    @(Get-WSManInstance -ResourceURI winrm/config/Listener -Enumerate | ForEach-Object { $_.OuterXml })
}
function Get-Attached {
    @(Get-CimInstance -Namespace root\virtualization\v2 -ClassName Msvm_MountedStorageImage | ForEach-Object { $_.Name })
}
function Get-Bindings {
    @(netsh http show sslcert | Select-String -Pattern ':5986|Hash|CTL|Negotiate Client' | ForEach-Object { $_.Line.Trim() })
}

# --- what is left --------------------------------------------------------------

if ($Leftovers) {
    $left = @(Get-ChildItem -LiteralPath "$base\scratch" -Force | ForEach-Object { $_.FullName })
    $before = [IO.File]::ReadAllLines("$base\attached.txt")
    $left += @(Get-Attached | Where-Object { $before -notcontains $_ } | ForEach-Object { "attached: $_" })
    $left
    # An account with fewer rights may make a file that it cannot remove.
    Get-ChildItem -LiteralPath "$base\members" -Force | ForEach-Object { Write-Host "::notice::left by an account with fewer rights: $($_.FullName)" }
    if ($left.Count) { throw 'something was left behind' }
    exit 0
}

# --- only telling --------------------------------------------------------------

if ($Explain) {
    $since = (Get-Date).AddHours(-1)
    foreach ($name in 'http', 'https') { "Report over $name"; Get-Fact { Get-Content -LiteralPath "$report\$name\report.txt" -TotalCount 40 } }
    'Services'; Get-Fact { Get-Service -Name 'vmms', 'vmcompute', 'WinRM' -ErrorAction SilentlyContinue | ForEach-Object { '  {0} {1} {2}' -f $_.Name, $_.Status, $_.StartType } }
    'Namespaces'; Get-Fact { Get-CimInstance -Namespace root\virtualization -ClassName __NAMESPACE | ForEach-Object { '  ' + $_.Name } }
    'Networks'; Get-Fact { Get-NetConnectionProfile | ForEach-Object { '  {0} {1}' -f $_.InterfaceAlias, $_.NetworkCategory } }
    'Delete notification'; Get-Fact { fsutil behavior query DisableDeleteNotify }
    'Listeners'; Get-Fact { Get-Listeners }
    'TLS bindings'; Get-Fact { Get-Bindings }
    'Token filter'; Get-Fact { Get-RegistryValue "$windows\Policies\System" LocalAccountTokenFilterPolicy }
    'Disks'; Get-Fact { Get-Disk | ForEach-Object { '  {0} {1} {2} offline={3} readonly={4}' -f $_.Number, $_.FriendlyName, $_.PartitionStyle, $_.IsOffline, $_.IsReadOnly } }
    'Partitions'; Get-Fact { Get-Partition | ForEach-Object { '  disk {0} partition {1} {2} letter={3} {4} bytes' -f $_.DiskNumber, $_.PartitionNumber, $_.Type, "$($_.DriveLetter)".Trim([char] 0), $_.Size } }
    'Machines'; Get-Fact { Get-VM | ForEach-Object { '  {0} {1} {2}' -f $_.Name, $_.State, $_.Status } }
    'Ports'; Get-Fact { Get-NetTCPConnection -LocalPort 5985, 5986 -State Listen | ForEach-Object { '  [{0}]:{1}' -f $_.LocalAddress, $_.LocalPort } }
    'Symbolic links'; Get-Fact { whoami /priv | Select-String -Pattern 'SeCreateSymbolicLink' | ForEach-Object { $_.Line } }
    if ($env:HVC_DISK) { $env:HVC_DISK; Get-Fact { Get-VHD -Path $env:HVC_DISK | ForEach-Object { '  {0} bytes, least {1}, attached {2}, {3}' -f $_.FileSize, $_.MinimumSize, $_.Attached, $_.VhdType } } }
    'Whom the namespace lets in'
    Get-Fact {
        $security = Get-CimInstance -Namespace root\virtualization\v2 -ClassName __SystemSecurity
        (Invoke-CimMethod -InputObject $security -MethodName GetSecurityDescriptor).Descriptor.DACL | ForEach-Object { '  {0} {1:x}' -f $_.Trustee.SIDString, $_.AccessMask }
    }
    'Failed logons' # event 4625: account, type, status and substatus
    Get-Fact {
        Get-WinEvent -FilterHashtable @{ LogName = 'Security'; Id = 4625; StartTime = $since } -MaxEvents 10 -ErrorAction SilentlyContinue |
            ForEach-Object { '  {0:T} {1} type {2} status {3:x8} {4:x8}' -f $_.TimeCreated, $_.Properties[5].Value, $_.Properties[10].Value, $_.Properties[7].Value, $_.Properties[9].Value }
    }
    foreach ($log in 'Microsoft-Windows-WinRM/Operational', 'Microsoft-Windows-NTLM/Operational', 'Microsoft-Windows-Hyper-V-VMMS-Admin', 'Microsoft-Windows-Hyper-V-Worker-Admin', 'Microsoft-Windows-WMI-Activity/Operational', 'System') {
        $log
        Get-Fact {
            Get-WinEvent -FilterHashtable @{ LogName = $log; Level = 1, 2, 3; StartTime = $since } -MaxEvents 15 -ErrorAction SilentlyContinue |
                ForEach-Object { '  {0:T} {1} {2}' -f $_.TimeCreated, $_.Id, ($_.Message -replace '\s+', ' ') }
        }
    }
    exit 0
}

# --- 1. facts, before anything is changed --------------------------------------

$me = [Security.Principal.WindowsPrincipal] [Security.Principal.WindowsIdentity]::GetCurrent()
$elevated = $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
$plugIn = Get-Fact { Get-RegistryValue "$windows\WSMAN\Plugin\WMI Provider" ConfigXML }
Write-Json 'facts.json' ([ordered]@{
    windows       = [string] [Environment]::OSVersion.Version
    revision      = Get-Fact { Get-RegistryValue 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion' UBR }
    image         = "$env:ImageOS $env:ImageVersion"
    powershell    = [string] $PSVersionTable.PSVersion
    elevated      = $elevated
    enable_lua    = Get-Fact { Get-RegistryValue "$windows\Policies\System" EnableLUA }
    token_filter  = Get-Fact { Get-RegistryValue "$windows\Policies\System" LocalAccountTokenFilterPolicy }
    ntlm_incoming = Get-Fact { Get-RegistryValue 'HKLM:\SYSTEM\CurrentControlSet\Control\Lsa\MSV1_0' RestrictReceivingNTLMTraffic }
    hypervisor    = Get-Fact { (Get-CimInstance -ClassName Win32_ComputerSystem).HypervisorPresent }
    services      = @(Get-Fact { Get-Service -Name 'vmms', 'vmcompute', 'WinRM' -ErrorAction SilentlyContinue | ForEach-Object { '{0}={1}/{2}' -f $_.Name, $_.Status, $_.StartType } })
    root          = $root
    volumes       = @(Get-Fact { Get-Volume | ForEach-Object { '{0}: {1} {2:n1} GiB free' -f "$($_.DriveLetter)".Trim([char] 0), $_.FileSystem, ($_.SizeRemaining / 1073741824) } })
    networks      = @(Get-Fact { Get-NetConnectionProfile | ForEach-Object { '{0}={1}' -f $_.InterfaceAlias, $_.NetworkCategory } })
    listeners     = @(Get-Fact { Get-Listeners })
    tls_bindings  = @(Get-Fact { Get-Bindings })
    delete_notify = @(Get-Fact { fsutil behavior query DisableDeleteNotify })
    plug_in       = $plugIn
    root_sddl     = Get-Fact { Get-RegistryValue "$windows\WSMAN\Service" rootSDDL }
})
if (-not $elevated) { throw 'the setup needs an elevated process' }

# --- 2. Hyper-V ----------------------------------------------------------------

Import-Module -Name 'Hyper-V', 'Storage', 'Microsoft.PowerShell.LocalAccounts', 'Microsoft.WSMan.Management'
Set-Service -Name vmms -StartupType Automatic
Start-Service -Name vmms
$service = $null
foreach ($try in 1..30) {
    $service = Get-CimInstance -Namespace root\virtualization\v2 -ClassName Msvm_ImageManagementService -ErrorAction SilentlyContinue
    if ($service) { break }
    Start-Sleep -Seconds 2
}
if (-not $service) { throw "no Msvm_ImageManagementService: the feature is not there, or vmms does not run ($((Get-Service -Name vmms).Status))" }

# --- 3. accounts ---------------------------------------------------------------

$password = New-RandomPassword
$memberPassword = New-RandomPassword
$credentials = @{}
function New-Account([string] $Name, [string] $Password, [string[]] $Groups) {
    $secure = ConvertTo-SecureString -String $Password -AsPlainText -Force
    New-LocalUser -Name $Name -Password $secure -PasswordNeverExpires -AccountNeverExpires | Out-Null
    foreach ($sid in $Groups) { Add-LocalGroupMember -SID $sid -Member $Name }
    $credentials[$Name] = New-Object Management.Automation.PSCredential "$env:COMPUTERNAME\$Name", $secure
}
# Groups by what "Security identifiers" (Windows Server) says of them.
$administrators = 'S-1-5-32-544'
$hyperVAdministrators = 'S-1-5-32-578'
$remoteManagementUsers = 'S-1-5-32-580'
New-Account 'hvc-admin' $password @($administrators)
New-Account 'hvc-remote' $memberPassword @($remoteManagementUsers)
New-Account 'hvc-hyperv' $memberPassword @($hyperVAdministrators)
foreach ($name in 'hvc-both', 'hvc-namespace', 'hvc-root') {
    New-Account $name $memberPassword @($hyperVAdministrators, $remoteManagementUsers)
}

# --- 4. WinRM ------------------------------------------------------------------

Get-NetConnectionProfile -ErrorAction SilentlyContinue | Where-Object NetworkCategory -eq 'Public' | Set-NetConnectionProfile -NetworkCategory Private -ErrorAction SilentlyContinue
Set-Service -Name WinRM -StartupType Automatic
Start-Service -Name WinRM
Get-ChildItem -LiteralPath WSMan:\localhost\Listener | Remove-Item -Force -Recurse

# Go refuses a negative serial number, so that a certificate with one is made again.
$server = $null
foreach ($try in 1..8) {
    $server = New-SelfSignedCertificate -Subject "CN=$env:COMPUTERNAME" -CertStoreLocation Cert:\LocalMachine\My -KeyAlgorithm RSA -KeyLength 2048 -HashAlgorithm SHA256 `
        -TextExtension @("2.5.29.17={text}DNS=localhost&DNS=$env:COMPUTERNAME&IPAddress=127.0.0.1&IPAddress=::1")
    if ($server.GetSerialNumber()[-1] -lt 128) { break }
}
$pem = "-----BEGIN CERTIFICATE-----`n" + [Convert]::ToBase64String($server.RawData, 'InsertLineBreaks') + "`n-----END CERTIFICATE-----`n"
[IO.File]::WriteAllText("$temp\winrm.pem", $pem)
New-WSManInstance -ResourceURI winrm/config/Listener -SelectorSet @{ Address = '*'; Transport = 'HTTP' } -ValueSet @{ Enabled = $true } | Out-Null
New-WSManInstance -ResourceURI winrm/config/Listener -SelectorSet @{ Address = '*'; Transport = 'HTTPS' } -ValueSet @{ CertificateThumbprint = $server.Thumbprint; Enabled = $true } | Out-Null

# Each change of the service is refused (0x80338169) while a network is public and no
# firewall rule covers that.
function Set-WinRM([string] $Path, $Value) {
    $item = "WSMan:\localhost\Service\$Path"
    if ("$((Get-Item -Path $item).Value)" -eq "$Value") { return }
    try { Set-Item -Path $item -Value $Value -Force }
    catch {
        Write-Host "$Path was refused: $($_.Exception.Message)"
        Write-Host (Get-NetConnectionProfile | Format-Table -Property 'InterfaceAlias', 'NetworkCategory' | Out-String)
        Enable-PSRemoting -SkipNetworkProfileCheck -Force | Out-Null
        Set-Item -Path $item -Value $Value -Force
    }
}
Set-WinRM 'AllowUnencrypted' $false # the claims about unsealed messages need it
Set-WinRM 'Auth\Basic' $true
Set-WinRM 'Auth\Certificate' $true
Set-WinRM 'Auth\CbtHardeningLevel' 'Strict'
Restart-Service -Name WinRM -Force

# A certificate for a logon, whose key stays a file. The store of roots of hosted
# images is too large for WinRM, so that the binding gets a list of its own.
$certificates = Get-Fact {
    & "$workspace\out\hyperv-clientcert.exe" -principal 'hvc-admin@localhost' -out $temp
    if ($LASTEXITCODE -ne 0) { throw "hyperv-clientcert ended with $LASTEXITCODE" }
    $authority = New-Object Security.Cryptography.X509Certificates.X509Certificate2 "$temp\client-ca.pem"
    foreach ($name in 'Root', 'WinRMTrustedIssuers') {
        $store = New-Object Security.Cryptography.X509Certificates.X509Store $name, 'LocalMachine'
        $store.Open('ReadWrite'); $store.Add($authority); $store.Close()
    }
    netsh http update sslcert 'ipport=0.0.0.0:5986' "certhash=$($server.Thumbprint)" 'appid={afebb9ad-9b97-4a91-9ab5-daf4d59122f6}' 'sslctlstorename=WinRMTrustedIssuers' | Out-Host
    if ($LASTEXITCODE -ne 0) { throw "netsh ended with $LASTEXITCODE" }
    New-Item -Path WSMan:\localhost\ClientCertificate -Subject 'hvc-admin@localhost' -URI '*' -Issuer $authority.Thumbprint -Credential $credentials['hvc-admin'] -Force | Out-Null
    Restart-Service -Name WinRM -Force
    'mapped'
}
if ($certificates -ne 'mapped') { Write-Host "::warning::certificate logon was not set up: $certificates" }

# Windows' own client first: it warms WinRM up, whose first logon can fail, and says
# why when ours is refused.
function Test-Logon([string] $Name, [hashtable] $How, [int] $Tries = 3) {
    $answer = ''
    foreach ($try in 1..$Tries) {
        $answer = Get-Fact { (Get-WSManInstance -ResourceURI wmicimv2/Win32_OperatingSystem -Enumerate -ComputerName localhost -Authentication Negotiate -Credential $credentials[$Name] @How).Version }
        Write-Host "$Name, $($How.Keys): $answer"
        if ("$answer" -match '^\d') { break }
        if ($try -lt $Tries) { Start-Sleep -Seconds 5 }
    }
    return "$answer"
}
# "User Account Control and remote restrictions": without the value a local
# administrator arrives with a filtered token. Where the image has set it already, or
# has switched UAC off, there is nothing to find out.
$filters = (Get-RegistryValue "$windows\Policies\System" LocalAccountTokenFilterPolicy) -ne 1 -and (Get-RegistryValue "$windows\Policies\System" EnableLUA) -ne 0
$before = Test-Logon 'hvc-admin' @{ Port = 5985 } 2
New-ItemProperty -Path "$windows\Policies\System" -Name LocalAccountTokenFilterPolicy -Value 1 -PropertyType DWord -Force | Out-Null
$lax = New-WSManSessionOption -SkipCACheck -SkipCNCheck -SkipRevocationCheck
$logons = [ordered]@{
    filtered = $before
    http     = Test-Logon 'hvc-admin' @{ Port = 5985 }
    https    = Test-Logon 'hvc-admin' @{ Port = 5986; UseSSL = $true; SessionOption = $lax }
    both     = Test-Logon 'hvc-both' @{ Port = 5985 }
}
# Only an answer, and the code of a denied access, say something: a first logon may
# fail for other reasons.
$filteredTokenRefused = $null
if ($filters -and $logons.http -match '^\d') {
    if ($before -match '^\d') { $filteredTokenRefused = $false }
    elseif ($before -match 'Code="5"|0x80070005') { $filteredTokenRefused = $true }
}

# --- 5. rights that groups do not give -----------------------------------------

# Bits of "Namespace access rights constants": enable 0x1, execute methods 0x2, remote
# enable 0x20. The methods are those of "__SystemSecurity class".
function Grant-Namespace([string] $Account) {
    $sid = (Get-LocalUser -Name $Account).SID.Value
    $path = @{ Namespace = 'root\virtualization\v2'; Path = '__systemsecurity=@' }
    $got = Invoke-WmiMethod @path -Name GetSecurityDescriptor
    if ($got.ReturnValue -ne 0) { throw "GetSecurityDescriptor returned $($got.ReturnValue)" }
    $trustee = (New-Object Management.ManagementClass 'Win32_Trustee').CreateInstance()
    $trustee.SidString = $sid
    $ace = (New-Object Management.ManagementClass 'Win32_Ace').CreateInstance()
    $ace.AccessMask = 0x23
    $ace.AceFlags = 2 # for the namespaces below too
    $ace.AceType = 0  # allowed
    $ace.Trustee = $trustee
    # WMI gives a copy of an embedded object at each look, so one copy is changed and
    # given back; it takes the objects themselves, not what PowerShell wraps around them.
    $descriptor = $got.Descriptor
    $descriptor.DACL += $ace.PSObject.ImmediateBaseObject
    $set = Invoke-WmiMethod @path -Name SetSecurityDescriptor -ArgumentList $descriptor.PSObject.ImmediateBaseObject
    if ($set.ReturnValue -ne 0) { throw "SetSecurityDescriptor returned $($set.ReturnValue)" }
    $now = (Invoke-WmiMethod @path -Name GetSecurityDescriptor).Descriptor.DACL | Where-Object { $_.Trustee.SIDString -eq $sid }
    if (-not $now) { throw "the namespace does not list $Account" }
}
# "Installation and configuration for Windows Remote Management", RootSDDL; the text
# is "Security descriptor definition language": the entries for auditing come last.
function Grant-WinRM([string] $Account) {
    $sid = (Get-LocalUser -Name $Account).SID.Value
    $sddl = (Get-Item -Path WSMan:\localhost\Service\RootSDDL).Value
    $audit = $sddl.IndexOf('S:')
    if ($audit -lt 0) { $audit = $sddl.Length }
    Set-Item -Path WSMan:\localhost\Service\RootSDDL -Value ($sddl.Insert($audit, "(A;;GXGR;;;$sid)")) -Force
}
$granted = [ordered]@{
    namespace = Get-Fact { Grant-Namespace 'hvc-namespace'; Grant-Namespace 'hvc-root'; 'granted' }
    root_sddl = Get-Fact { Grant-WinRM 'hvc-root'; 'granted' }
}
Restart-Service -Name WinRM -Force

# --- 6. disks ------------------------------------------------------------------

New-Item -ItemType Directory -Force -Path "$base\scratch", "$base\members", "$base\disks", "$base\machines" | Out-Null
foreach ($name in 'hvc-both', 'hvc-namespace', 'hvc-root') {
    icacls "$base\members" /grant "${name}:(OI)(CI)M" | Out-Host
    if ($LASTEXITCODE -ne 0) { throw "icacls ended with $LASTEXITCODE" }
}
function Set-DeleteNotify([int] $Disabled) {
    fsutil behavior set DisableDeleteNotify $Disabled | Out-Host
    if ($LASTEXITCODE -ne 0) { throw "fsutil ended with $LASTEXITCODE" }
}
# A disk that holds deleted data: what a compaction is for.
function New-FilledDisk([string] $Path, [hashtable] $How = @{}, [string] $FileSystem = 'NTFS', [long] $Bytes = 201326592) {
    New-VHD -Path $Path -SizeBytes 4GB -Dynamic @How | Out-Null
    Mount-VHD -Path $Path
    try {
        $number = (Get-VHD -Path $Path).DiskNumber
        $disk = $null
        foreach ($try in 1..20) { # it may show a moment later
            $disk = Get-Disk -Number $number -ErrorAction SilentlyContinue
            if ($disk) { break }
            Start-Sleep -Milliseconds 500
        }
        if (-not $disk) { throw "disk $number of $Path does not show: $(Get-Disk | Out-String)" }
        if ($disk.IsOffline) { Set-Disk -Number $number -IsOffline $false }
        if ($disk.IsReadOnly) { Set-Disk -Number $number -IsReadOnly $false }
        Initialize-Disk -Number $number -PartitionStyle GPT
        $partition = New-Partition -DiskNumber $number -UseMaximumSize -AssignDriveLetter
        $letter = ($partition | Format-Volume -FileSystem $FileSystem -Confirm:$false -Force).DriveLetter
        if (-not $letter -or $letter -eq [char] 0) { throw "no drive letter on disk ${number}: $(Get-Partition -DiskNumber $number | Out-String)" }
        $random = [Security.Cryptography.RandomNumberGenerator]::Create()
        $chunk = New-Object byte[] 1048576
        $file = [IO.File]::Create("${letter}:\data.bin")
        try {
            for ($n = 0; $n -lt $Bytes; $n += $chunk.Length) { $random.GetBytes($chunk); $file.Write($chunk, 0, $chunk.Length) }
            $file.Flush($true)
        }
        finally { $file.Dispose() }
        [IO.File]::Delete("${letter}:\data.bin")
        Write-VolumeCache -DriveLetter $letter
    }
    finally { Dismount-VHD -Path $Path }
    return (Get-Item -LiteralPath $Path).Length
}
# What the cmdlet makes of such a disk: the provider must not do worse.
function Measure-Optimized([string] $Path) {
    $copy = "$base\disks\oracle" + [IO.Path]::GetExtension($Path)
    Copy-Item -LiteralPath $Path -Destination $copy
    Mount-VHD -Path $copy -ReadOnly
    try { Optimize-VHD -Path $copy -Mode Full } finally { Dismount-VHD -Path $copy }
    $length = (Get-Item -LiteralPath $copy).Length
    Remove-Item -LiteralPath $copy
    return $length
}
$disks = New-Object Collections.ArrayList
function Add-Disk([string] $For, [string] $File, [scriptblock] $Make) {
    $path = "$base\disks\$File"
    $length = & $Make $path
    $disk = [ordered]@{ 'for' = $For; path = $path; length = $length; block_size = (Get-VHD -Path $path).BlockSize }
    $optimized = Get-Fact { Measure-Optimized $path }
    if ($optimized -is [long]) { $disk.optimized = $optimized } else { Write-Host "$For, Optimize-VHD: $optimized" }
    $disks.Add($disk) | Out-Null
}
Set-DeleteNotify 1 # no trim: the space is left for the compaction
foreach ($for in 'lifecycle', 'modes', 'time-out', 'killed', 'shared', 'action') {
    Add-Disk $for "$for.vhdx" { param($path) New-FilledDisk $path }
}
$others = [ordered]@{
    old_format    = Get-Fact { Add-Disk 'old format' 'old.vhd' { param($path) New-FilledDisk $path }; 'made' }
    large_sectors = Get-Fact { Add-Disk 'large sectors' 'sectors.vhdx' { param($path) New-FilledDisk $path @{ LogicalSectorSizeBytes = 4096 } }; 'made' }
    refs          = Get-Fact { Add-Disk 'refs' 'refs.vhdx' { param($path) New-FilledDisk $path @{} 'ReFS' }; 'made' }
}
Set-DeleteNotify 0
$others.trimmed = Get-Fact { Add-Disk 'trimmed' 'trimmed.vhdx' { param($path) New-FilledDisk $path }; 'made' }
$others.fixed = Get-Fact {
    New-VHD -Path "$base\disks\fixed.vhdx" -SizeBytes 64MB -Fixed | Out-Null
    $disks.Add([ordered]@{ 'for' = 'fixed'; path = "$base\disks\fixed.vhdx" }) | Out-Null
    'made'
}
$others.set = Get-Fact { New-VHD -Path "$base\disks\set.vhds" -SizeBytes 64MB -Dynamic | Out-Null; 'made' }

# --- 7. machines ---------------------------------------------------------------

$machines = New-Object Collections.ArrayList
# New-Machine makes a machine without an operating system: it stays in the firmware.
function New-Machine([string] $Name, [string] $Disk) {
    if (-not (Test-Path -LiteralPath $Disk)) { New-VHD -Path $Disk -SizeBytes 256MB -Dynamic | Out-Null }
    New-VM -Name "hvc-$Name" -Generation 2 -MemoryStartupBytes 512MB -Path "$base\machines" -VHDPath $Disk | Out-Null
    Set-VM -Name "hvc-$Name" -AutomaticCheckpointsEnabled $false -CheckpointType Standard
}
function Add-Machine([string] $Name, [string] $State, [hashtable] $More = @{}) {
    $have = [string] (Get-VM -Name "hvc-$Name").State
    $machine = [ordered]@{ name = "hvc-$Name"; state = $State; disk = "$base\disks\vm-$Name.vhdx" }
    foreach ($key in $More.Keys) { $machine[$key] = $More[$key] }
    $machines.Add($machine) | Out-Null
    return $have
}
$states = [ordered]@{
    off     = Get-Fact {
        New-Machine 'off' "$base\disks\vm-off.vhdx"
        Set-VM -Name hvc-off -Notes ('It is here to be looked at. ' * 400)
        Add-Machine 'off' 'off' @{ long_notes = $true }
    }
    point   = Get-Fact {
        New-Machine 'point' "$base\disks\vm-point.vhdx"
        Checkpoint-VM -Name hvc-point -SnapshotName before
        Add-Machine 'point' 'off' @{ checkpoint = $true }
    }
    clone   = Get-Fact {
        New-VHD -Path "$base\disks\golden.vhdx" -SizeBytes 256MB -Dynamic | Out-Null
        New-VHD -Path "$base\disks\vm-clone.vhdx" -ParentPath "$base\disks\golden.vhdx" -Differencing | Out-Null
        New-Machine 'clone' "$base\disks\vm-clone.vhdx"
        Add-Machine 'clone' 'off' @{ parent = "$base\disks\golden.vhdx" }
    }
    running = Get-Fact {
        New-Machine 'running' "$base\disks\vm-running.vhdx"
        Start-VM -Name hvc-running
        Add-Machine 'running' 'running'
    }
    saved   = Get-Fact {
        New-Machine 'saved' "$base\disks\vm-saved.vhdx"
        Start-VM -Name hvc-saved
        Save-VM -Name hvc-saved
        Add-Machine 'saved' 'saved'
    }
    paused  = Get-Fact {
        New-Machine 'paused' "$base\disks\vm-paused.vhdx"
        Start-VM -Name hvc-paused
        Suspend-VM -Name hvc-paused
        Add-Machine 'paused' 'paused'
    }
}

# --- 8. what the steps need to know --------------------------------------------

$fixtures = [ordered]@{
    machines        = @($machines)
    disks           = @($disks)
    formatted       = "$base\disks\lifecycle.vhdx"
    channel_binding = 'Strict'
    setup           = [ordered]@{ logons = $logons; granted = $granted; disks = $others; machines = $states; certificates = $certificates }
}
if ("$plugIn" -match '^\s*<') { $fixtures.plug_in = "$plugIn" }
if ($null -ne $filteredTokenRefused) { $fixtures.filtered_token_refused = $filteredTokenRefused }
Write-Json 'fixtures.json' $fixtures
[IO.File]::WriteAllLines("$base\attached.txt", [string[]] @(Get-Attached)) # which an image may bring
if (-not ($logons.http -match '^\d')) { Write-Host '::warning::Windows does not log on to itself over http' }

Export-Variable HYPERV_HOST 'localhost'
Export-Variable HYPERV_USERNAME "$env:COMPUTERNAME\hvc-admin"
Export-Variable HYPERV_PASSWORD $password
Export-Variable HYPERV_CACERT_PATH "$temp\winrm.pem"
Export-Variable HVC_COMPUTER $env:COMPUTERNAME
Export-Variable HVC_MEMBER_PASSWORD $memberPassword
Export-Variable HVC_FIXTURES "$report\fixtures.json"
Export-Variable HVC_SCRATCH "$base\scratch"
Export-Variable HVC_MEMBER_SCRATCH "$base\members"
Export-Variable HVC_DISK "$base\disks\lifecycle.vhdx"
Export-Variable HVC_CERTIFICATES $temp
Write-Host ('Done after {0:n0} s' -f ((Get-Date) - $started).TotalSeconds)
exit 0 # the runner ends the step with the code of the last program otherwise
