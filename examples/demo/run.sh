#!/usr/bin/env bash
# Compacts a real virtual hard disk with Terraform, without a Windows machine:
# the simulated host serves a file of this machine and lets qemu-img compact it.
# Everything is made in .demo/, which Git ignores. The last line of a good run is
# "demo: <before> -> <after> bytes".
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$root/.demo
disk=$work/vms/demo.vhdx
simulator=

fail() {
  echo "demo: FAILED: $*" >&2
  exit 1
}

step() { printf '\n==> %s\n' "$*"; }

finish() {
  local status=$?
  trap - EXIT
  if [[ -n $simulator ]]; then
    kill "$simulator" 2>/dev/null || true
    wait "$simulator" 2>/dev/null || true
  fi
  if ((status != 0)) && [[ -s $work/hypervsim.log ]]; then
    echo "--- what the simulated host said:" >&2
    tail -n 20 "$work/hypervsim.log" >&2
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# need installs qemu where that is possible without a question.
need_qemu() {
  command -v qemu-img >/dev/null && command -v qemu-io >/dev/null && return
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    fail "install qemu-img and qemu-io first (Debian: apt-get install qemu-utils)"
  fi
  step "Installing qemu-utils"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends qemu-utils >/dev/null ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends qemu-utils >/dev/null; } ||
    fail "apt-get could not install qemu-utils"
}

size() { stat -c %s "$disk"; }

# control asks the simulated host's control endpoint: method, path, JSON body.
control() {
  local body=${3:-} reply
  exec 3<>"/dev/tcp/127.0.0.1/$control_port"
  printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "$control_port" "${#body}" "$body" >&3
  reply=$(tr -d '\r' <&3)
  exec 3>&-
  [[ $reply == HTTP/1.[01]\ 200* ]] || fail "the simulated host answered: $reply"
  printf '%s\n' "${reply##*$'\n\n'}"
}

# reported is the size of the disk's file as the host tells it.
reported() { control GET /disks | sed -n 's/.*"file_size":\([0-9]*\).*/\1/p'; }

show_sizes() {
  local here there
  here=$(size) there=$(reported)
  echo "    the file has $here bytes, the host reports $there"
  [[ $here == "$there" ]] || fail "the host reports another size"
}

check_content() {
  qemu-img check -q -f vhdx "$disk" || fail "qemu-img check found errors"
  qemu-img compare -q -f vhdx -F vhdx "$disk" "$work/copy.vhdx" || fail "the content has changed"
  echo "    qemu-img check is clean, the content equals the copy made before"
}

# indent shows what Terraform says without its warning about development
# overrides and without empty lines.
indent() { sed -e '/^Warning: Provider development overrides/,/^releases\.$/d' -e '/^$/d' -e 's/^/    /'; }

output() { "$tf" output -raw "$1"; }

# plan_exits plans and demands an exit status: 0 for nothing to do, 2 for a run.
plan_exits() {
  local status=0
  "$tf" plan -no-color -input=false -detailed-exitcode >"$work/plan.txt" 2>&1 || status=$?
  indent <"$work/plan.txt"
  ((status == $1)) || fail "the plan ended with $status, not $1"
}

apply() { "$tf" apply -no-color -input=false -auto-approve "$@" 2>&1 | indent || fail "Terraform failed"; }

make_disk() {
  step "Making a dynamic VHDX: 96 MiB of data, of which the guest then zeroed 64 MiB"
  head -c 96M /dev/urandom >"$work/data.raw"
  truncate -s 256M "$work/data.raw"
  qemu-img convert -f raw -O vhdx -o subformat=dynamic,block_size=1M "$work/data.raw" "$disk"
  rm "$work/data.raw"
  qemu-io -f vhdx -c 'write -q -P 0 16M 64M' "$disk"
  cp "$disk" "$work/copy.vhdx"
}

start_host() {
  step "Starting the simulated host: NTLM, every message sealed"
  HYPERVSIM_PASSWORD=$HYPERV_PASSWORD "$work/bin/hypervsim" -control 127.0.0.1:0 -folder "D:\\VMs=$work/vms" \
    >"$work/ready" 2>"$work/hypervsim.log" &
  simulator=$!
  for _ in {1..600}; do # it takes a moment, on a busy machine some seconds
    [[ -s $work/ready ]] && break
    kill -0 "$simulator" 2>/dev/null || fail "the simulated host ended"
    sleep 0.1
  done
  read -r _ address _ control <"$work/ready" || fail "the simulated host does not get ready"
  address=${address#http://127.0.0.1:}
  export TF_VAR_port=${address%/wsman}
  control_port=${control##*:}
  echo "    WinRM on port $TF_VAR_port"
}

need_qemu
command -v go >/dev/null || fail "install Go 1.26 or later first (https://go.dev/dl/)"
tf=$(command -v "${TERRAFORM:-terraform}" || command -v tofu) || fail "install Terraform or OpenTofu first"

rm -rf "$work"
mkdir -p "$work/bin" "$work/vms" "$work/run" "$work/tmp"

export TMPDIR=$work/tmp

step "Building the provider and the simulated host"
(cd "$root" && go build -buildvcs=false -o "$work/bin/" . ./internal/hyperv/hypervsim/cmd/hypervsim)

# Terraform keeps everything it writes in the ignored folder.
export TF_DATA_DIR=$work/run/.terraform TF_CLI_CONFIG_FILE=$work/terraform.rc
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
unset TF_LOG TF_WORKSPACE TF_CLI_ARGS TF_CLI_ARGS_plan TF_CLI_ARGS_apply
while read -r name; do unset "$name"; done < <(compgen -e | grep '^HYPERV_' || true)
HYPERV_PASSWORD=$(head -c 18 /dev/urandom | base64)
export HYPERV_PASSWORD
cat >"$TF_CLI_CONFIG_FILE" <<RC
provider_installation {
  dev_overrides {
    "registry.terraform.io/hypervcompact/hyperv" = "$work/bin"
  }
  direct {}
}
RC
cp "$root/examples/demo/main.tf" "$work/run/"
cd "$work/run"

make_disk
start_host
show_sizes
before=$(size)

step "Applying: the disk is compacted"
apply
show_sizes
after=$(size)
[[ $(output status) == compacted ]] || fail "the status is $(output status)"
[[ $(output before) == "$before" && $(output after) == "$after" ]] || fail "Terraform recorded other sizes"
((after <= before - 60 * 1024 * 1024)) || fail "the file did not shrink: $before -> $after"
check_content

step "Planning again: nothing to do"
plan_exits 0

step "The disk grows behind Terraform's back"
control POST /grow '{"path":"D:\\VMs\\demo.vhdx","bytes":50331648}' >/dev/null
show_sizes

step "Planning: Terraform says why it wants to compact again"
plan_exits 2
grep -q 'plan_reason.*grew' "$work/plan.txt" || fail "the plan does not say why"

step "Applying: the disk is compacted again"
apply
show_sizes
check_content
(($(size) <= after)) || fail "the file did not shrink again"

step "Planning again: nothing to do"
plan_exits 0

step "Destroying: Terraform forgets the disk, the file stays"
kept=$(size)
apply -destroy
[[ $(size) == "$kept" ]] || fail "the file was changed"
check_content

step "Looking for traces"
grep -rqF -- "$HYPERV_PASSWORD" "$work" && fail "the password was written to a file"
[[ $(ls -A "$work/vms") == demo.vhdx ]] || fail "files were left beside the disk: $(ls -A "$work/vms")"
[[ $(control GET /disks) == *'"attached":false'* ]] || fail "the disk is still attached"
kill "$simulator"
wait "$simulator" || fail "the simulated host did not end well"
simulator=
echo "    no password in any file, no file beside the disk, nothing attached, no process left"

echo
echo "demo: $before -> $after bytes"
