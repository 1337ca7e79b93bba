// What the model test of hash, string and json works on: three tables, one mapping with the language's parameters for
// each of them, and the SQL that says what Redis must hold for the rows that are there.
//
//   plain     the primary key alone is known of old rows      whole     REPLICA IDENTITY FULL, the key has a column
//   more tracked   such a key too, and walrelay keeps where rows stand
#pragma once

#include <cstdlib>
#include <memory>

#include "tests/support/redis_structures.h"
#include "tests/support/sql_connection.h"
#include "tests/system/end_to_end.h"

namespace walrelay::support {

class RowKindsFixture : public EndToEnd {
 protected:
  // made(id, s) is a row of every type that the kinds have a form for, from a number; `big` is stored apart of the row.
  static constexpr const char* kTables = R"sql(
    CREATE TABLE plain (id int PRIMARY KEY, g text NOT NULL, name text, flag bool, raw bytea, amount numeric(12,3),
                        n bigint, due timestamptz, attrs jsonb, big text);
    ALTER TABLE plain ALTER big SET STORAGE EXTERNAL;
    CREATE TABLE whole (LIKE plain INCLUDING ALL);
    ALTER TABLE whole REPLICA IDENTITY FULL;
    CREATE TABLE tracked (LIKE plain INCLUDING ALL);
    CREATE FUNCTION made(id int, s int) RETURNS plain LANGUAGE sql AS $$ SELECT ROW(id, 'g' || s % 3,
      (ARRAY[NULL, '', 'a b', E'tab\t"quoted" {x}\\', 'ünï €', 'name ' || s])[1 + s % 6],
      (ARRAY[NULL, true, false])[1 + s / 6 % 3],
      (ARRAY[NULL, '\x', '\x00ff0a', '\xdeadbeef'])[1 + s / 7 % 4]::bytea,
      CASE WHEN s % 13 > 0 THEN (s % 2000 - 1000) / 8.0 END,
      CASE WHEN s % 11 > 0 THEN s % 97 - 30 END,
      (ARRAY[NULL, 'infinity', '-infinity', '2020-01-01 00:00:00.25+00', '2040-06-01 12:00:00.123+00',
             '2041-01-01 05:00:00+05'])[1 + s / 5 % 6]::timestamptz,
      CASE s / 3 % 4 WHEN 1 THEN '{}' WHEN 2 THEN jsonb_build_object('a', s, 'b b', 'x' || s, 'gone', NULL)
                     WHEN 3 THEN '{"a": true, "c": ""}' END,
      CASE s / 2 % 4 WHEN 1 THEN 'short' || s
                     WHEN 2 THEN (SELECT string_agg(md5(s || '/' || i), '') FROM generate_series(1, 100) i)
                     WHEN 3 THEN (SELECT string_agg(md5(s || '-' || i), '') FROM generate_series(1, 90) i) END)::plain
    $$;
    CREATE VIEW rows AS
      SELECT r.*, floor(n / 10.0)::bigint AS part, name || '!' AS label FROM (
        SELECT 'p' AS p, id::text AS k, * FROM plain
        UNION ALL SELECT 'w', g || ':' || id, * FROM whole UNION ALL SELECT 't', g || ':' || id, * FROM tracked) r;
    CREATE FUNCTION iso(timestamptz) RETURNS jsonb LANGUAGE sql AS $$
      SELECT replace(to_jsonb($1)::text, '+00:00"', 'Z"')::jsonb $$;
    CREATE FUNCTION ms(timestamptz) RETURNS text LANGUAGE sql AS $$
      SELECT CASE WHEN $1 = 'infinity' THEN NULL WHEN $1 = '-infinity' THEN '-1'
                  ELSE floor(extract(epoch FROM $1) * 1000)::text END $$;
    CREATE VIEW documents AS SELECT *, jsonb_build_object('id', id, 'g', g, 'name', name, 'flag', flag, 'raw',
      encode(raw, 'base64'), 'amount', amount, 'n', n, 'due', iso(due), 'attrs', attrs, 'big', big) AS plain FROM rows;
  )sql";

  // $T the table, $P its prefix, $K the rest of a key, $W more of each write. Keys with ":js" in them hold JSON.
  static constexpr const char* kMapping = R"yaml(
  - table: $T
    let: {part: "floordiv(n, 10)", label: "name || '!'"}
    write:
      - hash: {key: "$P:all:$K"$W}
      - hash: {key: "$P:some:$K", columns: {include: [name, n, flag, label], rename: {name: title, label: e-mail}},
               nulls: empty, booleans: words$W}
      - hash: {key: "$P:rest:$K", columns: {exclude: [id, g, raw, amount, big]}, nulls: "null", booleans: digits,
               when: "n % 3 <> 0"$W}
      - hash: {key: "$P:base64:$K", columns: [raw, flag], bytea: base64, when: flag IS NOT TRUE$W}
      - hash: {key: "$P:bytes:$K", columns: [raw, big], bytea: raw$W}
      - hash: {key: "$P:attrs:$K", explode: {column: attrs, field: "key || '.'", value: value, where: "type <> 'null'"}$W}
      - hash: {key: "$P:hour:$K", columns: [name, n], ttl: 1h$W}
      - hash: {key: "$P:class:$K", columns: [g, big], ttl: {class: long, refresh: on_change}$W}
      - hash: {key: "$P:due:$K", columns: [n, g], ttl: {at: due, add: 1m}$W}
      - string: {key: "$P:text:$K", column: name$W}
      - string: {key: "$P:value:$K", value: "part || '/' || coalesce(label, '-')"$W}
      - string: {key: "$P:image:$K", column: raw, bytea: raw, when: big IS NOT NULL$W}
      - string: {key: "$P:until:$K", column: g, ttl: {at: "CASE WHEN n % 2 = 0 THEN 2200000000 + n ELSE n END", unit: s}$W}
      - string: {key: "$P:js:$K"$W}
      - string: {key: "$P:js-node:$K", columns: {exclude: [big]}, profile: node-pg, ttl: {for: 1h, refresh: on_change}$W}
      - string: {key: "$P:js-go:$K", columns: {include: [id, due, part, label], rename: {id: Id}}, profile: go, ttl: {at: due}$W}
      - json: {key: "$P:js-doc:$K", columns: [id, big, label], when: "name IS NULL OR length(name) > 0"$W}
      - json: {key: "$P:js-hex:$K", columns: [raw, attrs], bytea: hex, ttl: {class: long}$W}
      - json: {key: "$P:js-most:$K", columns: {exclude: [amount]}$W}
)yaml";

  // Key, field ("" of a string), value; and the life: none, "1h", "2h" or the moment in milliseconds.
  static constexpr const char* kContent = R"sql(
    SELECT p || ':all:' || k, f, hex(v), NULL FROM rows, LATERAL (VALUES ('id', id::text), ('g', g), ('name', name),
      ('flag', left(flag::text, 1)), ('raw', raw::text), ('amount', amount::text), ('n', n::text), ('due', due::text),
      ('attrs', attrs::text), ('big', big)) x(f, v) WHERE v IS NOT NULL
    UNION ALL SELECT p || ':some:' || k, f, hex(coalesce(v, '')), NULL FROM rows, LATERAL (VALUES ('title', name),
      ('n', n::text), ('flag', flag::text), ('e-mail', label)) x(f, v)
    UNION ALL SELECT p || ':rest:' || k, f, hex(coalesce(v, 'null')), NULL FROM rows, LATERAL (VALUES ('name', name),
      ('n', n::text), ('flag', flag::int::text), ('due', due::text), ('attrs', attrs::text)) x(f, v) WHERE n % 3 <> 0
    UNION ALL SELECT p || ':base64:' || k, f, hex(v), NULL FROM rows, LATERAL (VALUES ('raw', encode(raw, 'base64')),
      ('flag', left(flag::text, 1))) x(f, v) WHERE v IS NOT NULL AND flag IS NOT TRUE
    UNION ALL SELECT p || ':bytes:' || k, f, v, NULL FROM rows, LATERAL (VALUES ('raw', encode(raw, 'hex')),
      ('big', hex(big))) x(f, v) WHERE v IS NOT NULL
    UNION ALL SELECT p || ':attrs:' || k, key || '.', hex(CASE jsonb_typeof(value) WHEN 'boolean' THEN value::text::bool::int::text
      ELSE value #>> '{}' END), NULL FROM rows, jsonb_each(attrs) WHERE jsonb_typeof(value) <> 'null'
    UNION ALL SELECT p || ':hour:' || k, f, hex(v), '1h' FROM rows, LATERAL (VALUES ('name', name), ('n', n::text)) x(f, v)
      WHERE v IS NOT NULL
    UNION ALL SELECT p || ':class:' || k, f, hex(v), '2h' FROM rows, LATERAL (VALUES ('g', g), ('big', big)) x(f, v)
      WHERE v IS NOT NULL
    UNION ALL SELECT p || ':due:' || k, f, hex(v), ms(due + interval '1 minute') FROM rows, LATERAL (VALUES ('g', g),
      ('n', n::text)) x(f, v) WHERE v IS NOT NULL
    UNION ALL SELECT p || ':text:' || k, '', hex(name), NULL FROM rows WHERE name IS NOT NULL
    UNION ALL SELECT p || ':value:' || k, '', hex(part || '/' || coalesce(label, '-')), NULL FROM rows WHERE part IS NOT NULL
    UNION ALL SELECT p || ':image:' || k, '', encode(raw, 'hex'), NULL FROM rows WHERE raw IS NOT NULL AND big IS NOT NULL
    UNION ALL SELECT p || ':until:' || k, '', hex(g), (CASE WHEN n % 2 = 0 THEN 2200000000 + n ELSE n END * 1000)::text FROM rows
    UNION ALL SELECT p || ':js:' || k, '', hex(plain::text), NULL FROM documents
    UNION ALL SELECT p || ':js-node:' || k, '', hex((plain - 'big' || jsonb_build_object('n', n::text, 'amount', amount::text,
      'due', to_char(nullif(nullif(due, 'infinity'), '-infinity') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'raw',
      CASE WHEN raw IS NOT NULL THEN jsonb_build_object('type', 'Buffer', 'data', (SELECT coalesce(jsonb_agg(get_byte(raw, i)
      ORDER BY i), '[]') FROM generate_series(0, length(raw) - 1) i)) END))::text), '1h' FROM documents
    UNION ALL SELECT p || ':js-go:' || k, '', hex(jsonb_build_object('Id', id, 'due', iso(due), 'part', part, 'label', label)::text),
      ms(due) FROM rows
    UNION ALL SELECT p || ':js-doc:' || k, '', hex(jsonb_build_object('id', id, 'big', big, 'label', label)::text), NULL FROM rows
      WHERE name IS NULL OR length(name) > 0
    UNION ALL SELECT p || ':js-hex:' || k, '', hex(jsonb_build_object('raw', raw::text, 'attrs', attrs)::text), '2h' FROM rows
    UNION ALL SELECT p || ':js-most:' || k, '', hex((plain - 'amount')::text), NULL FROM documents
  )sql";

  static constexpr const char* kClasses = "ttl_classes: {unit: s, defaults: {long: 7200}}\n";

  void tables() {
    sql(std::string(kTables) +
        "CREATE FUNCTION hex(text) RETURNS text LANGUAGE sql AS $$ SELECT "
        "encode(convert_to($1, 'UTF8'), 'hex') $$; CREATE VIEW content(key, field, value, life) AS " +
        kContent);
    source_ = std::make_unique<SqlConnection>(postgres().conninfo(name()));
    source_->run("SET TimeZone = 'UTC'");
  }
  SqlConnection& source() { return *source_; }

  static std::string mappings() {
    return mapping("plain", "p", "{id}", "") + mapping("whole", "w", "{g}:{id}", "") +
           mapping("tracked", "t", "{g}:{id}", ", track: redis");
  }

  // What the rows say now; of a key whose moment has passed nothing.
  Structures expected() {
    Structures all;
    const std::string now = "extract(epoch FROM now()) * 1000";
    for (const auto& row : source()
                               .run("SELECT key, field, value, coalesce(life, 'never') FROM content WHERE NOT "
                                    "coalesce(life ~ '^-?[0-9]+$' AND life::numeric < " +
                                    now + ", false)")
                               .rows) {
      all[*row[0]][*row[1]] = from_hex(*row[2]);
      all[*row[0]][kLife] = *row[3];
    }
    return all;
  }
  Structures found() {
    Structures all = structures(redis().client(), "[pwt]:*");
    as_jsonb(all);
    for (auto& [key, members] : all) members[kLife] = life_of(key);
    return all;
  }
  testing::AssertionResult ends_equal() {
    return become_equal([this] { return found(); }, expected());
  }
  static long left_of(const std::string& key) { return std::atol(redis().command("PTTL", key).c_str()); }

 private:
  static constexpr const char* kLife = "(life)";

  static std::string mapping(const std::string& table, const std::string& prefix, const std::string& rest,
                             const std::string& more) {
    std::string text = kMapping;
    for (const auto& [sign, value] : {std::pair("$T", table), {"$P", prefix}, {"$K", rest}, {"$W", more}}) {
      for (auto at = text.find(sign); at != std::string::npos; at = text.find(sign, at)) text.replace(at, 2, value);
    }
    return text;
  }

  // As jsonb prints it, so that only the meaning is compared.
  void as_jsonb(Structures& all) {
    std::string array;
    std::vector<std::string*> values;
    for (auto& [key, members] : all) {
      if (key.find(":js") == std::string::npos || members.empty()) continue;
      array += (array.empty() ? "[" : ",") + members[""];
      values.push_back(&members[""]);
    }
    if (values.empty()) return;
    const auto printed = source().run("SELECT e::jsonb::text FROM json_array_elements($1) e", {array + "]"}).rows;
    ASSERT_EQ(printed.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) *values[i] = *printed[i][0];
  }

  // As `content` says it: a constant life may have begun up to two minutes ago.
  static std::string life_of(const std::string& key) {
    const long left = left_of(key);
    if (left < 0) return "never";
    for (const long hours : {1L, 2L}) {
      const long whole = hours * 3600'000;
      if (left > whole - 120'000 && left <= whole) return std::to_string(hours) + "h";
    }
    return redis().command("PEXPIRETIME", key);
  }

  std::unique_ptr<SqlConnection> source_;
};

}  // namespace walrelay::support
