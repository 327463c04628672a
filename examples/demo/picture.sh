#!/usr/bin/env bash
# Draws what a run of the demo said (standard input) as a moving SVG (standard
# output). It leaves out what Terraform repeats and what differs between runs, and
# changes nothing else.
set -euo pipefail

keep='^==> |^ +the file has |^ +[+~] plan_reason|^ +Plan: |(Creation|Modifications|Destruction) complete|^ +(before|after|status) = |^ +No changes[.]|^ +qemu-img check|^ +no password|^demo: '

awk -v keep="$keep" '
  function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }

  $0 !~ keep { next }
  {
    sub(/ after ([0-9]+[hms])+/, "")
    if (/^==>/ && n) line[++n] = ""
    line[++n] = $0
    if (length($0) > widest) widest = length($0)
  }
  END {
    if (line[n] !~ /^demo: /) { print "picture.sh: this is no output of a good run of the demo" > "/dev/stderr"; exit 1 }
    size = 14; step = 19; width = int(widest * size * 0.602) + 40; height = n * step + 40
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", width, height, width, height
    print "<title>A run of make demo</title>"
    print "<style>"
    print "rect { fill: #14181f }"
    printf "text { font: %dpx ui-monospace, Menlo, Consolas, monospace; fill: #d7dde6; white-space: pre; animation: shown 1ms both }\n", size
    print ".step { fill: #6cb6ff; font-weight: bold } .result { fill: #7ee2a8; font-weight: bold } .reason { fill: #f2cc60 }"
    print "@keyframes shown { from { opacity: 0 } to { opacity: 1 } }"
    print "@media (prefers-reduced-motion: reduce) { text { animation: none } }"
    print "</style>"
    printf "<rect width=\"%d\" height=\"%d\" rx=\"8\"/>\n", width, height
    for (i = 1; i <= n; i++) {
      class = line[i] ~ /^==>/ ? "step" : line[i] ~ /^demo: /  ? "result" : line[i] ~ /plan_reason/ ? "reason" : ""
      if (line[i] ~ /^==>/) wait += 0.9
      wait += 0.12
      if (line[i] != "") printf "<text x=\"20\" y=\"%d\"%s style=\"animation-delay: %.2fs\" xml:space=\"preserve\">%s</text>\n", 20 + i * step - 5, class == "" ? "" : " class=\"" class "\"", wait, escaped(line[i])
    }
    print "</svg>"
  }'
