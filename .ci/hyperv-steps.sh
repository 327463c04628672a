#!/usr/bin/env bash
# The steps of the workflow hyperv that ask a host which was set up before. They are
# the same on a hosted Windows runner, on a machine of somebody's own, and in
# `make windows-rehearsal`. What they need to know of the host is in variables:
#
#   HYPERV_…               as for the provider: host, user, password, authority
#   HVC_PORT_HTTP(S)       ports, where they are not those of WinRM
#   HVC_AUTH               how to log on, ntlm by default
#   HVC_FIXTURES           the file that says what is on the host for the kit, if it is
#                          there for that alone
#   HVC_SCRATCH, HVC_DISK  a directory and a disk on the host for the kit
#   HVC_COMPUTER           the name of the host in front of its accounts
#   HVC_MEMBER_PASSWORD    password of the accounts with fewer rights
#   HVC_MEMBER_SCRATCH     a directory on the host for them, where they may leave something
#   HVC_CERTIFICATES       directory with client.pem and client.key
#   HVC_KIT_FLAGS          more flags for every run of the kit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

exe=''
[[ ${OS:-} != Windows_NT ]] || exe=.exe
kit=out/hyperv-conformance$exe
summary=${GITHUB_STEP_SUMMARY:-}
read -ra more <<<"${HVC_KIT_FLAGS:-}"

# transport sets the variables for http or https.
transport() {
  case $1 in
    http) export HYPERV_HTTPS=false HYPERV_PORT=${HVC_PORT_HTTP:-} ;;
    https) export HYPERV_HTTPS=true HYPERV_PORT=${HVC_PORT_HTTPS:-} ;;
    *) echo "http or https, not $1" >&2; exit 2 ;;
  esac
}

# ask runs the kit and takes a contradicted claim for news: what it means, the step
# compare says. The first argument names the report.
ask() {
  local name=$1 rc=0
  shift
  "$kit" -out "report/$name" "${more[@]}" "$@" >"report/$name.txt" || rc=$?
  ((rc == 0 || rc == 3)) || { cat "report/$name.txt"; return "$rc"; }
  sed -n '1,4p' "report/$name.txt"
}

# member is the account with certain rights.
member() {
  case $1 in
    remote-management) echo hvc-remote ;;
    hyper-v) echo hvc-hyperv ;;
    both | namespace | root) echo "hvc-$1" ;;
    *) echo "no account has the rights $1" >&2; exit 2 ;;
  esac
}

# ask_rights asks as an account that is no administrator. Disks are made only by
# those that should be able to.
ask_rights() {
  local write=() account
  account=$(member "$1")
  case $1 in both | namespace | root) write=(-write -scratch "$HVC_MEMBER_SCRATCH") ;; esac
  transport http
  HYPERV_USERNAME="$HVC_COMPUTER\\$account" HYPERV_PASSWORD=$HVC_MEMBER_PASSWORD ask "rights-$1" -auth ntlm -rights "$1" -fixtures "$HVC_FIXTURES" \
    -only "rights-$1,access-denied-code,rights-to-invoke,own-computer-system,storage-jobs-of-other-users" "${write[@]}"
}

# show appends Markdown to the log, and to the summary as much of it as fits: GitHub
# drops a summary of more than 1 MiB as a whole.
show() {
  local page room
  page=$(mktemp)
  tee "$page"
  if [[ -n $summary ]]; then
    touch "$summary"
    room=$((1000000 - $(wc -c <"$summary")))
    head -c "$((room > 0 ? room : 0))" "$page" >>"$summary"
    (($(wc -c <"$page") <= room)) || printf '\n\nThe rest does not fit here. It is in the log of this step.\n' >>"$summary"
  fi
  rm "$page"
}

# tell appends what reports say whose news fail nothing.
tell() {
  local rc=0
  "$kit" -compare "$@" | show || rc=$?
  ((rc == 0 || rc == 3))
}

case ${1:-} in
  build)
    rm -rf out report # of a run before, on a machine that stays
    mkdir -p out report
    go build -o "$kit" ./internal/hyperv/conformance/cmd/hyperv-conformance
    go build -o "out/hyperv-clientcert$exe" ./internal/hyperv/conformance/cmd/hyperv-clientcert
    go vet ./internal/e2e
    ;;
  # Everything that the host is there for: over http sealed, over https with a channel
  # binding.
  ask)
    transport "$2"
    flags=(-auth "${HVC_AUTH:-ntlm}")
    [[ -z ${HVC_DISK:-} ]] || flags+=(-disk "$HVC_DISK")
    [[ -z ${HVC_SCRATCH:-} ]] || flags+=(-write -scratch "$HVC_SCRATCH")
    [[ -z ${HVC_FIXTURES:-} ]] || flags+=(-fixtures "$HVC_FIXTURES")
    ask "$2" "${flags[@]}"
    ;;
  # Reading only, by another kind of logon.
  ask-as)
    transport https
    case $2 in
      # Basic knows local accounts alone, by their plain names.
      basic) HYPERV_USERNAME=${HYPERV_USERNAME##*\\} ask basic -auth basic -disk "$HVC_DISK" ;;
      certificate) ask certificate -auth certificate -cert-path "$HVC_CERTIFICATES/client.pem" -key-path "$HVC_CERTIFICATES/client.key" -disk "$HVC_DISK" ;;
      windows) HYPERV_USERNAME='' HYPERV_USER='' HYPERV_PASSWORD='' ask windows -auth windows -disk "$HVC_DISK" ;;
      *) echo "basic, certificate or windows, not $2" >&2; exit 2 ;;
    esac
    ;;
  ask-rights) ask_rights "$2" ;;
  # A test that is skipped passes too, so that one that must run is looked for.
  accept)
    transport "$2"
    HYPERV_ACC_FIXTURES=${HVC_FIXTURES:-} HYPERV_ACC_VHD=${HYPERV_ACC_VHD:-${HVC_DISK:-}} go test -run '^TestAcc' -count 1 -timeout 30m -v ./internal/e2e >"report/accept-$2.txt" 2>&1 ||
      { cat "report/accept-$2.txt"; exit 1; }
    grep -E '^ *--- ' "report/accept-$2.txt"
    grep -q '^--- PASS: TestAccLifecycle' "report/accept-$2.txt" || { echo 'TestAccLifecycle did not run'; exit 1; }
    ;;
  # Fails when a claim was contradicted that was taken for settled.
  compare)
    reports=()
    for name in http https; do [[ ! -e report/$name/report.json ]] || reports+=("report/$name/report.json"); done
    ((${#reports[@]})) || { echo 'No host has been asked.'; exit 1; }
    "$kit" -compare "${reports[@]}" | show
    ;;
  # Differences are work to do, not a failure.
  replay)
    for name in http https; do
      [[ -e report/$name/recordings.json ]] || continue
      rc=0
      "$kit" -replay "report/$name/recordings.json" | show || rc=$?
      ((rc == 0 || rc == 3)) || exit "$rc"
    done
    ;;
  # What the accounts with fewer rights and the other logons found out.
  tell)
    reports=()
    for file in report/rights-*/report.json report/{basic,certificate,windows}/report.json; do
      [[ ! -e $file ]] || reports+=("$file")
    done
    ((${#reports[@]})) || { echo 'Nobody else has asked.' | show; exit 0; }
    tell "${reports[@]}"
    ;;
  *)
    echo "usage: $0 build | ask http|https | ask-as basic|certificate|windows | ask-rights RIGHTS | accept http|https | compare | replay | tell" >&2
    exit 2
    ;;
esac
