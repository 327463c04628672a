#!/usr/bin/env bash
# Gathers what goreleaser has built in a folder of its own, adds two lists of
# checksums, and signs both if there is a key:
#
#   tools/release/finish.sh dist [fingerprint of a GnuPG key]
#
# The Terraform Registry takes a release only if its SHA256SUMS names nothing else
# than archives of the provider and the manifest. So there is a second list, which
# names every file: the first list, SBOMs and the archives of the conformance kit.
set -euo pipefail
dist=$1 key=${2:-}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

one=("$dist"/terraform-provider-hyperv_*_linux_amd64.zip)
[[ ${#one[@]} == 1 && -f ${one[0]} ]] || { echo "$dist holds no release, or several: ${one[*]}" >&2; exit 1; }
name=$(basename "${one[0]}" _linux_amd64.zip)

rm -rf "$dist/release"
mkdir "$dist/release"
cp "$dist"/*.zip "$dist"/*.cdx.json "$dist/release/"
cp "$root/terraform-registry-manifest.json" "$dist/release/${name}_manifest.json"

cd "$dist/release"
for archive in *.zip; do
  [[ -s ${archive%.zip}.cdx.json ]] || { echo "$archive has no SBOM" >&2; exit 1; }
done
sha256sum -- terraform-provider-hyperv_*.zip "${name}_manifest.json" >"${name}_SHA256SUMS"
all=(*)
sha256sum -- "${all[@]}" >"${name}_checksums.txt"

[[ -n $key ]] || exit 0
for list in "${name}_SHA256SUMS" "${name}_checksums.txt"; do
  gpg --batch --yes --local-user "$key" --output "$list.sig" --detach-sign "$list"
done
