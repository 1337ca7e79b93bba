#!/usr/bin/env bash
# The systemd units, as systemd judges them. Exit status 77: this machine has no systemd-analyze.
#
#   systemd_unit.sh PROGRAM TEMPLATE    TEMPLATE: walrelay@.service, which CMake makes of walrelay.service
set -euo pipefail
program=$1 template=$2
cd "$(dirname "$0")/../.."
command -v systemd-analyze >/dev/null || exit 77

# verify looks for the program and the manual page where the package puts them; here they stand elsewhere.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for unit in deploy/systemd/walrelay.service "$template"; do
  sed -e "s|^ExecStart=/usr/bin/walrelay |ExecStart=$program |" -e '/^Documentation=/d' "$unit" >"$work/${unit##*/}"
done
complaints=$(systemd-analyze verify "$work/walrelay.service" "$work/walrelay@main.service" 2>&1 || true)
[ -z "$complaints" ] || {
  printf '%s\n' "$complaints" >&2
  exit 1
}
grep -q '^ExecStart=.* /etc/walrelay/%i.yaml$' "$template" || {
  printf '%s does not run the configuration of its instance\n' "$template" >&2
  exit 1
}

# How much of the machine the service could still reach, in tenths of 10: it was 12 when this was written.
systemd-analyze security --offline=true --no-pager --threshold=20 "$work/walrelay.service" >"$work/report" || {
  cat "$work/report" >&2
  exit 1
}
