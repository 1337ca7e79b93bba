#!/usr/bin/env bash
# deploy/image/assemble-root with this machine's own build: the program starts in what it makes, the libraries are those
# of listed packages, and nothing else can be run there.
#
#   tests/image/assemble_root.sh BINARY    ends with 77 (skipped) where this system's files belong to no dpkg
set -euo pipefail
cd "$(dirname "$0")/../.."
binary=$1
command -v dpkg-query >/dev/null && [ -e /etc/ssl/certs/ca-certificates.crt ] || {
  printf 'skipped: dpkg or the package ca-certificates is not here\n'
  exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
die() {
  printf 'assemble-root: %s\n' "$*" >&2
  exit 1
}

deploy/image/assemble-root "$binary" "$root"

# The loader looks into the new root first, and must have found everything there.
loader=("$root"/lib64/ld-*.so*)
libraries=$(dirname "$(find "$root/usr/lib" -name libpq.so.5)")
start() { "${loader[0]}" --inhibit-cache --library-path "$libraries" "$@"; }
said=$(start "$root/usr/bin/walrelay" version)
[ "$said" = "$("$binary" version)" ] || die "the program in it says: $said"
while read -r name _ path _; do
  case $path in "$root"/*) ;; *) die "$name would come from $path" ;; esac
done < <(start --list "$root/usr/bin/walrelay" | grep '=> ')

status=$root/var/lib/dpkg/status.d
grep -q '^Version: ' "$status/libpq5" || die "libpq5 is not listed with its version"
(cd "$root" && cat "$status"/*.md5sums | md5sum --check --quiet) || die "a file is not what its package brought"
while read -r library; do
  grep -qF "  ${library#"$root"/}" "$status"/*.md5sums || die "no package lists $library"
done < <(find "$root/usr/lib" -type f -name '*.so*')
programs=$(find "$root" -path '*bin/*' -printf '%P\n')
[ "$programs" = usr/bin/walrelay ] || die "it holds more programs: $programs"
[ -s "$root/etc/ssl/certs/ca-certificates.crt" ] || die "no certificates"
listed=$(find "$status" -type f ! -name '*.md5sums' -printf '%f\n' | sort)
[ "$(sort <"$root.packages")" = "$listed" ] || die "the list of packages differs"

# A mistake is one sentence, and leaves nothing half made to be taken for whole.
! deploy/image/assemble-root "$work/missing" "$work/other" 2>"$work/said" || die "a missing program was not noticed"
grep -q "no program at" "$work/said" || die "said: $(cat "$work/said")"
[ ! -e "$work/other" ] || die "a folder was left"
! deploy/image/assemble-root "$binary" "$root" 2>"$work/said" || die "a root that is there already was taken"
