#!/usr/bin/env bash
# Checks the format of every example, validates it with the provider of this tree
# and runs its tests. What the installed Terraform cannot parse is skipped by name.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tf=$(command -v "${TERRAFORM:-terraform}" || command -v tofu) || { echo "install Terraform or OpenTofu first" >&2; exit 1; }
unset TF_LOG TF_WORKSPACE TF_CLI_ARGS TF_CLI_ARGS_validate TF_DATA_DIR
export CHECKPOINT_DISABLE=1 TF_CLI_CONFIG_FILE=$work/terraform.rc

mkdir -p "$work/bin"
(cd "$root" && go build -buildvcs=false -o "$work/bin/" .)
cat >"$TF_CLI_CONFIG_FILE" <<RC
provider_installation {
  dev_overrides {
    "registry.terraform.io/hypervcompact/hyperv" = "$work/bin"
  }
  direct {}
}
RC

version=$("$tf" version | sed -n '1s/^\([A-Za-z]*\) v\([0-9.]*\).*/\1 \2/p')
"$tf" fmt -recursive -check -diff "$root/examples"

# needs names the first Terraform and the first OpenTofu that know what a file asks
# for; "never" is one that does not exist.
needs() {
  case $1 in
  */actions/*) echo 1.14 never ;;
  */functions/*) echo 1.8 1.7 ;;
  */list-resources/*) echo 1.14 never ;;
  *import-by-identity*) echo 1.12 1.12 ;;
  *import-by-string-id*) echo 1.5 1.6 ;;
  */provider/others.tf) echo 1.10 1.11 ;; # ephemeral variables
  *) echo 1.0 1.6 ;;
  esac
}

# has tells whether the program is at least this Terraform or this OpenTofu.
has() {
  local least=$1
  [[ $version == Terraform\ * ]] || least=$2
  [[ $least != never && $(printf '%s\n%s\n' "$least" "${version#* }" | sort -V | head -n 1) == "$least" ]]
}

validated=0 skipped=0
while read -r folder; do
  name=${folder#"$root"/}
  copy=$work/$name
  mkdir -p "$copy"
  for file in "$folder"/*.tf "$folder"/*.tfquery.hcl; do
    [[ -e $file ]] || continue
    read -r terraform opentofu < <(needs "$file")
    if ! has "$terraform" "$opentofu"; then
      echo "skipped   ${file#"$root"/}: needs Terraform $terraform, this is $version"
      skipped=$((skipped + 1))
      continue
    fi
    cp "$file" "$copy/"
  done
  [[ -n $(ls -A "$copy") ]] || continue
  if ! grep -qs required_providers "$copy"/*.tf; then
    cat >"$copy/required_providers.tf" <<'TF'
terraform {
  required_providers {
    hyperv = {
      source = "registry.terraform.io/hypervcompact/hyperv"
    }
  }
}
TF
  fi
  query=()
  if compgen -G "$copy/*.tfquery.hcl" >/dev/null; then query=(-query); fi
  (cd "$copy" && "$tf" validate -no-color "${query[@]}") >"$work/answer" 2>&1 || { cat "$work/answer" >&2; echo "invalid   $name" >&2; exit 1; }
  echo "validated $name"
  validated=$((validated + 1))
  if compgen -G "$folder/tests/*.tftest.hcl" >/dev/null; then
    if has 1.7 1.8; then # mocks
      cp -r "$folder/tests" "$copy/"
      (cd "$copy" && "$tf" test -no-color) >"$work/answer" 2>&1 || { cat "$work/answer" >&2; echo "failed    $name/tests" >&2; exit 1; }
      echo "tested    $name: $(tail -n 1 "$work/answer")"
    else
      echo "skipped   $name/tests: needs Terraform 1.7 or OpenTofu 1.8, this is $version"
    fi
  fi
done < <(find "$root/examples" -type f \( -name '*.tf' -o -name '*.tfquery.hcl' \) -not -path '*/.terraform/*' -printf '%h\n' | sort -u)

((validated > 0)) || { echo "no example was found" >&2; exit 1; }
echo "examples: $validated validated, $skipped files skipped with $version"
