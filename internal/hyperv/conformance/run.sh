#!/usr/bin/env bash
# Asks the host of HYPERV_HOST about every claim, with the arguments that are
# given. Without that variable a simulated host is started and asked about
# everything, disks that are created and removed included.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cd "$root"
mkdir -p .cache
go build -o .cache/hyperv-conformance ./internal/hyperv/conformance/cmd/hyperv-conformance
if [[ -n ${HYPERV_HOST:-} ]]; then
  exec .cache/hyperv-conformance "$@"
fi

go build -o .cache/hypervsim ./internal/hyperv/hypervsim/cmd/hypervsim
HYPERVSIM_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export HYPERVSIM_PASSWORD HYPERV_PASSWORD=$HYPERVSIM_PASSWORD
coproc simulator { exec .cache/hypervsim -directory 'D:\scratch' -directory 'C:\Documents and Settings' -vm 'sql01=D:\VMs\a.vhdx' 2>.cache/hypervsim.log; }
# shellcheck disable=SC2154 # the coprocess sets it
trap 'kill "$simulator_PID" 2>/dev/null || true' EXIT
read -r _ url <&"${simulator[0]}"
port=${url##*:}
HYPERV_HOST=127.0.0.1 HYPERV_PORT=${port%%/*} HYPERV_HTTPS=false HYPERV_USERNAME='HYPERV\admin' \
  .cache/hyperv-conformance -write -scratch 'D:\scratch' -out .cache/conformance "$@"
