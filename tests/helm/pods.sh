#!/usr/bin/env bash
# The containers that the charts render, really run: tests/helm/pods.py says how. Its argument is the program.
set -euo pipefail
source "$(dirname "$0")/tools.sh"

(cd "$root/tests/helm/validate" && go build -o "$scratch/validate" .)
HELM=$helm VALIDATE=$scratch/validate CHARTS=$charts KUBE_VERSION=$kube_version \
  python3 "$root/tests/helm/pods.py" "${1:?usage: tests/helm/pods.sh PROGRAM}"
