#!/usr/bin/env bash
# The Dockerfile against the rest of the project, without a container engine: what .dockerignore lets through is enough to
# configure the build and holds nothing else, the version is the project's, and both targets are described alike.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
offences=0
offence() {
  printf 'Dockerfile: %s\n' "$*" >&2
  offences=1
}

# The context, as .dockerignore leaves it: everything is ignored but what a line with ! names.
[ "$(grep -v '^#' .dockerignore | head -n 1)" = '*' ] || offence "the first line of .dockerignore is not '*'"
while read -r path; do
  [ -e "$path" ] || offence ".dockerignore names $path, which is not there"
  mkdir -p "$work/context/$(dirname "$path")"
  cp -r "$path" "$work/context/$path"
done < <(sed -n 's/^!//p' .dockerignore)
for path in .git build tests .env; do
  [ ! -e "$work/context/$path" ] || offence ".dockerignore lets $path into the context"
done
(cd "$work/context" && cmake --preset release) >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  offence "what .dockerignore lets through cannot be configured"
}
for script in $(grep -oE '(scripts|deploy/image)/[a-z-]+' Dockerfile | sort -u); do
  [ "$script" = scripts/test-image ] || [ -x "$work/context/$script" ] || offence "it runs $script, which is not in the context"
done

version=$(sed -n 's/^project(walrelay VERSION \([^ ]*\).*/\1/p' CMakeLists.txt)
[ "$(grep -c "^ARG VERSION=$version\$" Dockerfile)" = 2 ] || offence "ARG VERSION is not the project's $version, in both targets"

# What an image is run with is said twice, once for each target.
stage() { sed -n "/ AS $1\$/,/^FROM /p" Dockerfile; }
for word in USER EXPOSE HEALTHCHECK ENTRYPOINT CMD WORKDIR; do
  diff <(stage debug | grep "^$word") <(stage runtime | grep "^$word") >/dev/null || offence "$word differs between the targets"
done
! stage runtime | grep -q '^RUN' || offence "the last stage runs something: there is no shell in it"
exit $offences
