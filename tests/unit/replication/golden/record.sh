#!/usr/bin/env bash
# Records text.hex and binary.hex: the messages of a real server for stream.sql, in both formats. Starts a server of its
# own in a temporary folder and removes it again. The golden test does not depend on the positions, times, transaction
# numbers and OIDs in them, so a new recording needs no change elsewhere.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(pg_config --bindir)
folder=$(mktemp -d)
as_user=()
if [[ $(id -u) == 0 ]]; then # PostgreSQL refuses to run as root
  chown postgres "$folder"
  as_user=(setpriv --reuid=postgres --regid=postgres --init-groups)
fi
finish() {
  "${as_user[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >"$folder/stop.log" 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT

cd "$folder"
"${as_user[@]}" "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C >initdb.log
"${as_user[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w start \
  -o "-c listen_addresses= -c unix_socket_directories=$folder -c wal_level=logical -c fsync=off -c TimeZone=UTC" >start.log
sql() { "$bin/psql" -X -q -v ON_ERROR_STOP=1 -h "$folder" -U postgres -d postgres "$@"; }

sql -o setup.log <<'SQL'
CREATE TYPE mood AS ENUM ('sad', 'very happy');
CREATE TABLE plain (id int PRIMARY KEY, name varchar(20), amount numeric(10, 2), tags text[], born timestamptz,
                    feeling mood, big text);
ALTER TABLE plain ALTER COLUMN big SET STORAGE EXTERNAL;
CREATE TABLE whole (id int, note text);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE indexed (id int PRIMARY KEY, code text NOT NULL UNIQUE, note text);
ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_code_key;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
CREATE SCHEMA "odd ""schema""";
CREATE TABLE "odd ""schema"""."odd.table" ("odd
column" int PRIMARY KEY);
CREATE PUBLICATION golden FOR ALL TABLES;
SELECT pg_create_logical_replication_slot('golden', 'pgoutput');
SQL
PGOPTIONS='-c client_min_messages=warning' sql -o stream.log -f "$here/stream.sql"

for format in text binary; do
  [[ $format == binary ]] && binary=true || binary=false
  {
    echo "# Recorded by record.sh from PostgreSQL $(sql -At -c 'SHOW server_version_num'), rows in $format. One message begins at"
    echo "# each line without an indent; its tag in letters stands before it. 78*2100 is a byte so many times."
    sql -At -c "SELECT replace(encode(data, 'hex'), repeat('78', 2100), '|78*2100|') FROM pg_logical_slot_peek_binary_changes('golden', NULL, NULL,
                'proto_version', '1', 'publication_names', 'golden', 'messages', 'true', 'binary', '$binary')" |
      awk 'BEGIN { split("42 Begin 43 Commit 4f Origin 52 Relation 59 Type 49 Insert 55 Update 44 Delete 54 Truncate 4d Message", w, " ")
                   for (i = 1; i < 21; i += 2) name[w[i]] = w[i + 1] }
           { print "\n# " name[substr($0, 1, 2)]
             parts = split($0, part, "|"); indent = ""
             for (i = 1; i <= parts; i++)
               for (at = 1; at <= length(part[i]); at += 96) { print indent substr(part[i], at, 96); indent = "  " } }'
  } >"$here/$format.hex"
done
