#!/usr/bin/env bash
# docs/requirements.md has a row for each id, once, and every test that it names exists. Prints every offence; the exit
# status is 1 when there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
table=docs/requirements.md

offences=$(
  for system in E:16 S:21 H:20 Q:19 M:16; do
    for number in $(seq "${system#*:}"); do
      id=${system%:*}$number
      rows=$(grep -c "^| $id |" "$table" || true)
      [ "$rows" = 1 ] || printf '%s: %s rows for %s\n' "$table" "$rows" "$id"
    done
  done
  # A test stands in one line or is broken behind the comma.
  tests=$(find tests -name '*_test.cc' -exec perl -0777 -ne 'print "$1.$2\n" while /^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)/mg' {} +)
  grep -oE '`[A-Z][A-Za-z0-9]*\.[A-Z][A-Za-z0-9]*`' "$table" | tr -d '`' | sort -u | while read -r named; do
    grep -qxF "$named" <<<"$tests" || printf '%s: there is no test %s\n' "$table" "$named"
  done
)
printf '%s' "${offences:+$offences$'\n'}"
[ -z "$offences" ]
