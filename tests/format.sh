#!/usr/bin/env bash
# Every C++ file stands as .clang-format says. Mends it with --fix.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"
mode=(--dry-run --Werror)
if [ "${2:-}" = --fix ]; then mode=(-i); fi
find event config replication sinks sidecar tests benchmarks \( -name '*.h' -o -name '*.cc' \) -type f -print0 |
  xargs -0 -r clang-format-19 --style=file "${mode[@]}"
