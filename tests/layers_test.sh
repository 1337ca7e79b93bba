#!/usr/bin/env bash
# Proves that tests/layers.sh finds what it looks for: a folder where each file breaks one rule, and one that breaks none.
set -euo pipefail
layers=$(cd "$(dirname "$0")" && pwd)/layers.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder"/{event,config,replication,sinks,sidecar,tests,benchmarks}
failures=0

# offends FILE TEXT WORDS: a file of that text is reported with these words.
offends() {
  printf '%b\n' "$2" >"$folder/$1"
  if "$layers" "$folder" >"$folder/report"; then
    printf 'not found: %s in %s\n' "$2" "$1"
    failures=$((failures + 1))
  elif ! grep -qF "$3" "$folder/report"; then
    printf 'found for another reason: %s in %s:\n%s\n' "$2" "$1" "$(cat "$folder/report")"
    failures=$((failures + 1))
  fi
  rm "$folder/$1"
}

# passes FILE TEXT: nothing is reported.
passes() {
  printf '%b\n' "$2" >"$folder/$1"
  if ! "$layers" "$folder" >"$folder/report"; then
    printf 'reported without a reason: %s in %s:\n%s\n' "$2" "$1" "$(cat "$folder/report")"
    failures=$((failures + 1))
  fi
  rm "$folder/$1"
}

offends event/a.h '#include "config/config.h"' 'event/a.h:1: event knows only libuv'
offends config/a.h '\n#include "event/loop.h"' 'config/a.h:2: config includes no other layer'
offends replication/connection.cc '#include "sinks/sink.h"' 'replication never includes sinks'
offends sinks/redis_a.cc '#include "config/config.h"' 'sinks never includes config'
offends sinks/a.cc '#include "replication/stream.h"' 'sinks includes only lsn.h, change.h and relation.h'
passes sinks/a.cc '#include "replication/lsn.h"\n#include "replication/change.h"\n#include "replication/relation.h"'
offends sidecar/a.cc '#include "tests/support/bytes.h"' 'the program never includes the tests'
offends replication/pgoutput.cc '#include "event/loop.h"' 'a pure half sees no loop'
offends sinks/mapping.h '#include "event/task.h"' 'a pure half sees no loop'
passes replication/stream.cc '#include "event/loop.h"'
passes sinks/redis_sink.h '#include "event/loop.h"'
offends replication/connection.h '#include <libpq-fe.h>' '<libpq-fe.h>'
offends sidecar/a.cc '#include <hiredis/async.h>' '<hiredis/...>'
offends sinks/redis_a.cc '#include <uv.h>' '<uv.h>'
offends sinks/expressions.cc '#include <sqlite3.h>' '<sqlite3.h>'
passes sinks/sqlite.h '#include <sqlite3.h>'
offends replication/slot.cc 'PQclear(result);' 'calls of libpq'
offends sinks/batch.cc 'redisAsyncFree(context);' 'calls of hiredis'
offends sinks/expressions.cc 'sqlite3_step(statement);' 'calls of SQLite'
passes sinks/expression_program.cc 'sqlite3_step(statement);'
offends event/task.cc 'uv_close(handle, nullptr);' 'uv_close'
passes event/task.cc '// uv_close() is called elsewhere'
offends sidecar/a.cc 'auto f = [=] { return 1; };' 'no [=]'
offends config/a.cc 'std::cout << 1;' 'std::cout'
passes sidecar/a.cc 'std::cout << 1;'
offends tests/a.cc 'std::this_thread::sleep_for(1s);' 'they do not sleep'
offends tests/a.cc 'sleep(1);' 'they do not sleep'
offends sinks/redis_a.cc 'usleep(10);' 'the loop never sleeps'
offends replication/connection.cc 'PQexec(conn, "SELECT 1");' 'stop the loop'
offends replication/connection.cc 'int r = getaddrinfo(a, b, c, d);' 'stop the loop'
passes sidecar/http_client.cc 'int r = getaddrinfo(a, b, c, d);'
passes event/task.cc 'uv_getaddrinfo(a, b, c, d, e, f);'
offends sinks/a.cc 'auto* a = new Batch(1);' 'no naked new or delete'
offends sinks/a.cc 'delete batch;' 'no naked new or delete'
passes sinks/a.cc 'A(const A&) = delete;\nconst char* s = "a new Batch; delete it";\nstd::unique_ptr<A> a(new A);'
offends sidecar/a.h 'std::shared_ptr<int> a;' 'no shared_ptr'
offends sidecar/a.cc 'int FIXME;' 'unfinished work'
offends tests/a.cc 'TEST(A, DISABLED_B) {}' 'switched off'
offends sidecar/a.cc 'co_await f([&] { return 1; });' 'sidecar/a.cc:1: co_await takes a name'
offends sidecar/a.cc '\n\nco_await f(\n    Options{1});' 'sidecar/a.cc:3: co_await takes a name'
offends tests/a.cc 'auto b = co_await f(c ? "a" : d);' 'co_await takes a name'
passes sidecar/a.cc 'co_await std::move(task);\nif (a) { b(c ? 1 : 2); }'
passes event/task.h 'Awaiter operator co_await() && { return Awaiter(handle_); }'
offends sinks/long.cc "$(printf 'int a;\\n%.0s' {1..301})" '302 lines'
passes sinks/long.cc "// Over 300 lines because it is a table.\n$(printf 'int a;\\n%.0s' {1..301})"

[ "$failures" = 0 ]
