#!/usr/bin/env bash
# The manual pages, as those who show them judge them. Exit status 77: this machine has no such program.
#
#   manual.sh mandoc|groff PROGRAM
set -euo pipefail
judge=$1 program=$2
command -v "$judge" >/dev/null || exit 77

folder=$(mktemp -d "${TMPDIR:-/tmp}/walrelay-manual-XXXXXX")
trap 'rm -rf "$folder"' EXIT
page=$folder/page # mandoc takes what follows a dot, in the folder's name as well, for the section if it begins with a digit

# judged COMMAND WORDS...: what `walrelay manual COMMAND` prints is without fault, and shows each of the words.
judged() {
  local complaints shown words
  "$program" manual "$1" >"$page"
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
    printf '%s: %s\n' "$1" "$complaints" >&2
    exit 1
  }
  for words in "${@:2}"; do
    grep -q -e "$words" <<<"$shown" || {
      printf 'the page "%s" does not show "%s":\n%s\n' "$1" "$words" "$shown" >&2
      exit 1
    }
  done
}

judged page 'walrelay – keep\|walrelay - keep\|walrelay — keep' 'rebuild' '--config FILE' 'EXIT STATUS' '^ *75 ' 'SIGUSR1' \
  'walrelay.yaml(5)'
judged config 'walrelay.yaml [–—-] configuration' '^ *flush.interval duration' 'Default: .100ms.' '^ *mappings\[\].let' \
  '^ *hash$' 'KINDS OF WRITE' '^ *\${NAME}' 'user:{id}' 'walrelay(1)'
