#!/usr/bin/env bash
# What the charts render, with each file of values, is what stands in golden/ and in deploy/kubernetes/walrelay.yaml, so that
# a change of a template shows in the review what it does to the objects.
#
#   tests/helm/golden.sh            compares
#   tests/helm/golden.sh --update   writes them anew
set -euo pipefail
source "$(dirname "$0")/tools.sh"

# The alerts and the dashboard are fixtures, see tools.sh; objects.sh looks at the real ones.

# The token is made of chance, unless it comes from elsewhere; Helm 4 puts an empty line between objects, Helm 3 does not.
settled() {
  sed -E 's/^(  token: )[A-Za-z0-9+\/=]+$/\1Y2hhbmNl/' |
    awk 'NF == 0 { empty = empty "\n"; next } !/^---$/ { printf "%s", empty } { empty = ""; print }'
}

# For those without Helm: the same objects, without the labels that say that Helm made them.
plain() { sed -E '/^ +(helm\.sh\/chart|app\.kubernetes\.io\/managed-by): /d; /^# Source: /d'; }

status=0
settle() {
  local wanted=$1 made=$2
  if [ "${mode:-}" = --update ]; then
    mkdir -p "${wanted%/*}"
    cp "$made" "$wanted"
  elif ! diff -u "$wanted" "$made"; then
    printf '%s differs; when this is meant: tests/helm/golden.sh --update\n' "${wanted#"$root"/}"
    status=1
  fi
}

mode=${1:-}
use_fixtures
golden=$root/tests/helm/golden
count=0
while read -r chart file; do
  name=$chart-$(basename "$file" -values.yaml).yaml
  render "$chart" "$file" | settled >"$scratch/$name"
  settle "$golden/$name" "$scratch/$name"
  count=$((count + 1))
done < <(cases)
[ "$(find "$golden" -type f | wc -l)" = "$count" ] || {
  printf 'golden/ has files that no file of values belongs to\n'
  status=1
}

values=$root/deploy/kubernetes/values.yaml
{
  sed -n '/^# /p' "$root/deploy/kubernetes/head.txt"
  "$helm" template walrelay "$charts/walrelay" --namespace default --kube-version "$kube_version" --values "$values" | settled | plain
} >"$scratch/plain.yaml"
settle "$root/deploy/kubernetes/walrelay.yaml" "$scratch/plain.yaml"
exit $status
