#!/usr/bin/env bash
# docker-compose.yaml as Docker Compose reads it: by the plugin, else by the library that the plugin itself is made of,
# built by `go install` into build/tools. Where neither Docker Compose nor Go is, it ends with 77: skipped.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" # paths in the file are relative, and not every version takes them from where the file is
version=v2.16.2
tools=${WALRELAY_TOOLS:-$root/build/tools}/compose-go-$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if docker compose version >/dev/null 2>&1; then
  resolve() { docker compose --file "$1" --profile '*' config --format json; }
elif command -v go >/dev/null; then
  mkdir -p "$tools"
  (
    flock 9
    [ -x "$tools/cmd" ] || GOBIN=$tools GOFLAGS=-mod=mod go install "github.com/compose-spec/compose-go/v2/cmd@$version"
  ) 9>"$tools/lock"
  resolve() { "$tools/cmd" -format json "$1"; }
else
  printf 'skipped: there is neither Docker Compose nor Go on this machine\n'
  exit 77
fi

resolve "$root/docker-compose.yaml" >"$work/resolved.json"

# What is wrong is refused: else the line above would have shown nothing.
sed 's/^    build: \.$/    biuld: ./' "$root/docker-compose.yaml" >"$work/wrong.yaml"
if resolve "$work/wrong.yaml" >/dev/null 2>&1; then
  printf 'compose: a word that Compose does not know was not refused\n' >&2
  exit 1
fi

# Prometheus' own check of its file, where the package is installed.
if command -v promtool >/dev/null; then promtool check config "$root/deploy/compose/prometheus.yaml" >/dev/null; fi

python3 -B "$root/tests/image/compose.py" "$work/resolved.json"
