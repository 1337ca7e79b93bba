#!/usr/bin/env bash
# The rules that no compiler checks: which layer may include what, words that are banned, and the size of files.
# Prints every offence as file:line and the rule; the exit status is 1 when there is one.
#
#   tests/layers.sh [FOLDER]    the project by default; tests/layers_test.sh gives it a folder full of offences
#
# Comments and the text of strings are taken away first, so that they may name what is banned.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

program_folders=(event config replication sinks sidecar)
offences=$(mktemp)
bare=$(mktemp -d) # the files without comments and strings
trap 'rm -rf "$offences" "$bare"' EXIT

files=()
for folder in "${program_folders[@]}" tests benchmarks; do
  mkdir -p "$bare/$folder"
  if [ -d "$folder" ]; then
    mapfile -t -O ${#files[@]} files < <(find "$folder" \( -name '*.h' -o -name '*.cc' \) -type f | sort)
  fi
done
for file in "${files[@]}"; do
  mkdir -p "$bare/${file%/*}"
  sed -E '/^ *#include/!s/"([^"\\]|\\.)*"/""/g; s#//.*##' "$file" >"$bare/$file"
done

# forbid RULE PATTERN ALLOWED FOLDER...: lines that match PATTERN, in files whose path does not match ALLOWED.
forbid() {
  local rule=$1 pattern=$2 allowed=$3 file line
  shift 3
  (cd "$bare" && { grep -rnP -- "$pattern" "$@" || true; }) | while IFS=: read -r file line _; do
    if ! [[ $file =~ $allowed ]]; then printf '%s:%s: %s\n' "$file" "$line" "$rule"; fi
  done >>"$offences"
}

nowhere='^$'

# Arrows point down: sidecar -> {replication, sinks, config} -> event.
forbid "event knows only libuv" '#include "(config|replication|sinks|sidecar)/' "$nowhere" event
forbid "config includes no other layer" '#include "(event|replication|sinks|sidecar)/' "$nowhere" config
forbid "replication never includes sinks, config or sidecar" '#include "(config|sinks|sidecar)/' "$nowhere" replication
forbid "sinks never includes config or sidecar" '#include "(config|sidecar)/' "$nowhere" sinks
forbid "of replication, sinks includes only lsn.h, change.h and relation.h" \
  '#include "replication/(?!(lsn|change|relation)\.h")' "$nowhere" sinks
forbid "the program never includes the tests" '#include "tests/' "$nowhere" "${program_folders[@]}"

# The pure halves see no loop.
forbid "a pure half sees no loop" '#include "event/' \
  '^(replication/(connection|resolve_hosts|stream|slot|publication|chunk)|sinks/(redis_|stdout_sink|hiredis))' \
  replication sinks

# Each library has one door.
forbid "<libpq-fe.h> is included in replication/connection_state.h only" '#include <libpq' \
  '^replication/connection_state\.h$' "${program_folders[@]}"
forbid "<hiredis/...> is included in sinks/hiredis.h only" '#include <hiredis' '^sinks/hiredis\.h$' "${program_folders[@]}"
forbid "<uv.h> is included in event/ only (version.cc names its version)" '#include <uv' '^(event/|sidecar/version\.cc$)' \
  "${program_folders[@]}"
forbid "<sqlite3.h> is included in sinks/sqlite.h only" '#include <sqlite3' '^sinks/sqlite\.h$' "${program_folders[@]}"
forbid "calls of libpq stand in replication/connection*" '\bPQ[a-z][A-Za-z]*\(' '^replication/(connection|resolve_hosts)' \
  "${program_folders[@]}"
forbid "calls of hiredis stand in sinks/redis_*" '\bredis[A-Z][A-Za-z]*\(' '^sinks/(redis_|hiredis\.h$)' "${program_folders[@]}"
forbid "calls of SQLite stand in sinks/expression_*" '\bsqlite3_[a-z0-9_]+\(' '^sinks/(expression_|sqlite\.h$)' \
  "${program_folders[@]}"
forbid "uv_close is called in event/loop.h only" '\buv_close\(' '^event/loop\.h$' "${program_folders[@]}" tests

# Banned words.
forbid "name what a lambda captures: no [=]" '\[=[],]' "$nowhere" "${program_folders[@]}" tests
forbid "std::cout belongs to the command line in sidecar/" 'std::(cout|cerr)\b' '^sidecar/' "${program_folders[@]}"
forbid "tests wait for conditions (support/eventually.h), they do not sleep" \
  '\b(sleep_for|sleep_until|usleep|nanosleep)\b|\bsleep\([0-9k]' "$nowhere" tests
forbid "the loop never sleeps (job_commands.cc is for commands that have none)" \
  '\b(sleep_for|sleep_until|usleep|nanosleep)\b' '^sidecar/(job_commands|slot_owner)\.cc$' "${program_folders[@]}"
forbid "blocking calls of libpq and getaddrinfo stop the loop" \
  '\b(PQexec[A-Za-z]*|PQconnectdb[A-Za-z]*|PQreset|PQping[A-Za-z]*)\(' "$nowhere" "${program_folders[@]}"
forbid "blocking calls of libpq and getaddrinfo stop the loop (http_client.cc is for commands that have none)" \
  '[^v_]getaddrinfo\(' '^sidecar/http_client\.cc$' "${program_folders[@]}"
forbid "memory has an owner: no naked new or delete" '(^|[^_[:alnum:]"])(new [A-Z][A-Za-z:]*[({;]|delete [a-z_]+;)' \
  '^event/' "${program_folders[@]}"
forbid "ownership is single: no shared_ptr" '\b(shared_ptr|shared_from_this)\b' "$nowhere" "${program_folders[@]}"
forbid "leave no note of unfinished work" '\b(TODO|FIXME|XXX)\b' "$nowhere" "${program_folders[@]}" tests
forbid "no test is switched off (redis_json_fixture.h needs what Debian does not have)" \
  '\b(GTEST_SKIP|DISABLED_)' '^tests/system_kinds/redis_json_fixture\.h$' tests

# GCC 12 destroys temporaries twice that stand in a co_await expression: lambdas, braces, strings of ?: (event/task.h).
(cd "$bare" && find "${program_folders[@]}" tests -type f -exec perl -0777 -ne '
  while (/(?<!operator )\bco_await\b[^;]*?[\[{?]/g) {
    my $line = 1 + (substr($_, 0, $-[0]) =~ tr/\n//);
    print "$ARGV:$line: co_await takes a name: no lambda, braces or ?: before the semicolon\n";
  }' {} +) >>"$offences"

for file in "${files[@]}"; do
  lines=$(wc -l <"$file")
  if [ "$lines" -le 300 ] || grep -q '^// Over 300 lines because ' "$file"; then continue; fi
  printf '%s:1: %s lines: split it, or say "// Over 300 lines because ..."\n' "$file" "$lines"
done >>"$offences"

sort -u -t: -k1,1 -k2,2n "$offences"
[ ! -s "$offences" ]
