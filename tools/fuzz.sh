#!/usr/bin/env bash
# Runs one fuzz test of a package for some time. Go can end one whose time is over with
# "context deadline exceeded" and no failing input; that is no finding, so the test
# begins anew, once. A failing input, or any other failure, ends it at once.
set -euo pipefail
package=$1 name=$2 time=$3
out=$(mktemp)
trap 'rm -f "$out"' EXIT
fuzz() { ${GO:-go} test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$package" 2>&1 | tee "$out"; }
if fuzz; then exit; fi
if grep -q 'Failing input\|panic' "$out"; then exit 1; fi
grep -q '^    context deadline exceeded$' "$out"
fuzz
