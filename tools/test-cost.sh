#!/usr/bin/env bash
# Prints what the tests of each package cost, in seconds of processor time, with the
# programs that they start: without the race detector as in make test, and a sample
# with it as in make test-race. Processor time depends less than the clock on what
# else runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export GOGC=off GORACE=atexit_sleep_ms=0 # as make test has it
: "${WATCHED?is what make test-cost gives}"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# cost builds and runs the tests of a package and prints its seconds.
cost() {
  local package=$1 build=$2 run=$3
  export GOMEMLIMIT=$4
  # shellcheck disable=SC2086 # flags
  go test -c $build -o "$out/test" "./$package"
  # shellcheck disable=SC2086
  (
    cd "$package"
    TIMEFORMAT='%U %S'
    time "$out/test" $run >"$out/log" 2>&1
  ) 2>"$out/time" || { cat "$out/log" >&2; exit 1; }
  tail -n 1 "$out/time" | awk '{ printf "%.0f", $1 + $2 }'
}

printf '%-50s %6s %12s\n' package full 'race, sample'
(($#)) || mapfile -t packages < <(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./... | sed "s|^$PWD/||; s|^$PWD\$|.|")
for package in "${packages[@]:-$@}"; do
  printf '%-50s %6s %12s\n' "$package" "$(cost "$package" '' '' 1GiB)" "$(cost "$package" "$WATCHED" -test.short 256MiB)"
done
