#!/usr/bin/env bash
# `helm lint --strict` of every chart with every file of values, that the two charts share what they say they share, and
# that versions and the tables of values in the READMEs are those of the sources.
set -euo pipefail
source "$(dirname "$0")/tools.sh"

status=0
while read -r chart file; do
  "$helm" lint --strict --quiet --kube-version "$kube_version" "$charts/$chart" --values "$file" || status=1
done < <(cases)
"$helm" lint --strict --quiet "$charts/walrelay-sidecar" || status=1
for file in _parts.tpl _checks.tpl; do
  cmp "$root/helm/walrelay/templates/$file" "$root/helm/walrelay-sidecar/templates/$file" || status=1
done
for chart in walrelay walrelay-sidecar; do
  python3 "$root/tests/helm/values_table.py" "$root/helm/$chart" || status=1
done
version=$(sed -n 's/^project(walrelay VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
for line in "walrelay/Chart.yaml:appVersion: $version" "walrelay-sidecar/templates/_sidecar.tpl:{{- define \"walrelay.sidecar.version\" -}}$version{{- end }}"; do
  grep -qxF -- "${line#*:}" "$root/helm/${line%%:*}" || {
    printf 'helm/%s: has no line "%s", the version of CMakeLists.txt\n' "${line%%:*}" "${line#*:}"
    status=1
  }
done
exit $status
