#!/usr/bin/env bash
# The manual page, as those who show it judge it. Exit status 77: this machine has no such program.
#
#   manual.sh mandoc|groff PROGRAM
set -euo pipefail
judge=$1 program=$2
command -v "$judge" >/dev/null || exit 77

page=$(mktemp)
trap 'rm -f "$page"' EXIT
"$program" manual page >"$page"
case $judge in
  mandoc)
    # Other pages that it names may not be installed here.
    complaints=$(mandoc -Tlint -W warning "$page" | grep -v 'referenced manual not found' || true)
    shown=$(mandoc -Tutf8 "$page" | sed 's/.\x08//g')
    ;;
  groff)
    complaints=$(groff -mdoc -Tutf8 -ww -z "$page" 2>&1 || true)
    shown=$(groff -mdoc -Tutf8 -P-cbou "$page")
    ;;
esac
[ -z "$complaints" ] || {
  printf '%s\n' "$complaints" >&2
  exit 1
}
for words in 'walrelay – keep\|walrelay - keep\|walrelay — keep' 'rebuild' '--config FILE' 'EXIT STATUS' '^ *75 ' 'SIGUSR1'; do
  grep -q -e "$words" <<<"$shown" || {
    printf 'the page does not show "%s":\n%s\n' "$words" "$shown" >&2
    exit 1
  }
done
