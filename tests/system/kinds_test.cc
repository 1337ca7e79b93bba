// What a row looks like in Redis: hashes, strings, JSON. Values are compared with what PostgreSQL says of them.
#include <cstdlib>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class KindsTest : public EndToEnd {};

TEST_F(KindsTest, HashTakesTheColumnsThatAreNamed) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text, mail text, secret text); INSERT INTO users VALUES (1, 'a', "
      "'m', 's'), (2, NULL, NULL, 's')");
  start(R"(  - table: users
    write:
      - hash: {key: "some:{id}", columns: {include: [name, mail], rename: {mail: e-mail}}}
      - hash: {key: "rest:{id}", columns: {exclude: [secret, id]}}
      - hash: {key: "all:{id}"}
)");
  sql("CREATE VIEW some_of AS SELECT id, name, mail AS \"e-mail\" FROM users; CREATE VIEW rest_of AS SELECT id, name, "
      "mail "
      "FROM users");
  const auto both = [this] {
    Hashes expected = rows_of("some_of", "'some:' || id");
    for (const auto& [key, row] : rows_of("rest_of", "'rest:' || id")) expected[key] = row;
    for (auto& [key, row] : expected) row.erase("id");
    std::erase_if(expected, [](const auto& each) { return each.second.empty(); });  // Redis has no empty hashes
    Hashes found = redis().client().hashes("some:*");
    found.merge(redis().client().hashes("rest:*"));
    return same(found, expected);
  };
  EXPECT_TRUE(eventually(both));
  sql("UPDATE users SET name = 'b' WHERE id = 2; UPDATE users SET name = NULL, mail = NULL WHERE id = 1; INSERT INTO "
      "users VALUES (3, 'c', NULL, 't'); "
      "UPDATE users SET secret = 'u'; UPDATE users SET id = 4 WHERE id = 3");
  EXPECT_TRUE(eventually(both));
  EXPECT_TRUE(in_step("users", "'all:' || id", "all:*"));
}

TEST_F(KindsTest, TimeToLive) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'a')");
  start(
      R"(  - {table: users, write: [{hash: {key: "h:{id}", ttl: 1h}}, {string: {key: "j:{id}", ttl: 90s}}, {string: {key: "s:{id}", column: name}}]})"
      "\n");
  const auto ttl = [](const std::string& key) { return std::atol(redis().command("PTTL", key).c_str()); };
  EXPECT_LE(ttl("h:1"), 3600000);
  EXPECT_GT(ttl("h:1"), 3500000);
  EXPECT_LE(ttl("j:1"), 90000);
  EXPECT_GT(ttl("j:1"), 60000);
  EXPECT_EQ(ttl("s:1"), -1);
  redis().command("PEXPIRE", "h:1", "30000");
  sql("UPDATE users SET name = 'b'; INSERT INTO users VALUES (2, 'x')");
  EXPECT_TRUE(in_step("users", "'h:' || id", "h:*"));
  EXPECT_GT(ttl("h:1"), 3500000) << "every write begins it anew";
  EXPECT_GT(ttl("h:2"), 3500000);
}

TEST_F(KindsTest, StringOfOneColumn) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, E'a\\nb'), (2, NULL), (3, '')");
  start("  - {table: users, write: {string: {key: \"n:{id}\", column: name}}}\n");
  const auto get = [](const char* key) { return redis().command("GET", key); };
  EXPECT_EQ(get("n:1"), "a\nb");
  EXPECT_EQ(get("n:2"), "(nil)");
  EXPECT_EQ(redis().command("EXISTS", "n:3"), "1");
  sql("UPDATE users SET name = NULL WHERE id = 1; UPDATE users SET name = 'now' WHERE id = 2; UPDATE users SET id = 9 "
      "WHERE id = 3");
  EXPECT_TRUE(eventually_equal([&] { return get("n:2"); }, "now"));
  EXPECT_TRUE(eventually_equal([] { return redis().keys("n:*"); }, std::vector<std::string>{"n:2", "n:9"}));
}

// Each column: its type, a value, and the JSON that PostgreSQL makes of it, in walrelay's form where that differs.
struct Typed {
  const char* name;
  const char* type;
  const char* value;
  const char* json;  // SQL over the column c; "" = to_jsonb(c)
};

class JsonTest : public EndToEnd, public testing::WithParamInterface<bool> {};

const std::vector<Typed> kTyped = {
    {"i8", "int8", "9223372036854775807", ""},
    {"big", "numeric", "123456789012345678901234567890.000000000100", ""},
    {"tiny", "numeric", "-0.00000000000000000000000000000001", ""},
    {"nan", "numeric", "'NaN'", "'\"NaN\"'"},
    {"f4", "float4", "0.1", "'0.1'"},
    {"f8", "float8", "1e300", ""},
    {"finf", "float8", "'-Infinity'", "'\"-Infinity\"'"},
    {"b", "bool", "true", ""},
    {"t", "text", R"(E'line\n\ttab "quoted" \\ \u20ac \x01')", ""},
    {"c", "char(5)", "'ab'", ""},
    {"e", "text", "''", ""},
    {"u", "uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", ""},
    {"d", "date", "'2026-02-28'", ""},
    {"ts", "timestamp", "'2026-02-28 13:14:15.123456'", ""},
    {"tz", "timestamptz", "'2026-02-28 13:14:15.5+05:30'", "'\"2026-02-28T07:44:15.5Z\"'"},
    {"tinf", "timestamptz", "'infinity'", "'\"infinity\"'"},
    {"bc", "timestamp", "'0044-03-15 00:00:00 BC'", "to_jsonb(c::text)"},
    {"iv", "interval", "'1 year 2 days 03:04:05.6'", ""},
    {"by", "bytea", R"('\x00ff10'::bytea)", "to_jsonb(encode(c, 'base64'))"},
    {"js", "json", R"('{"a": [1, 2.50, {"b": null}], "a2" : "x"}')", ""},
    {"jb", "jsonb", R"('{"a": [1, 2.50, {"b": null}], "n": 1e400}')", ""},
    {"jnull", "jsonb", "'null'", "'null'"},
    {"ia", "int[]", "'{{1,2},{3,NULL}}'", ""},
    {"ta", "text[]", R"(ARRAY['a,b', 'c"d', '{e}', 'NULL', NULL, ''])", ""},
    {"ea", "int[]", "'{}'", ""},
    {"jba", "jsonb[]", R"(ARRAY['{"x": 1}', '[]']::jsonb[])", ""},
    {"ca", "pair[]", "ARRAY[ROW(1, 'x')::pair, NULL]", ""},
    {"cp", "nested", "ROW(1.50, ROW(2, NULL)::pair, ARRAY[true, false], '{\"k\": 1}')::nested", ""},
    {"en", "mood", "'so so'", ""},
    {"dm", "positive", "5", ""},
    {"ip", "inet", "'10.0.0.1/8'", ""},
    {"xm", "xml", "'<a>&amp;</a>'", ""},
    {"rg", "int4range", "'[1,5)'", ""},
};

// Loaded and streamed, in the binary form where a column allows it and in text.
TEST_P(JsonTest, ValuesAreWhatPostgresSays) {
  const bool binary = GetParam();
  sql("CREATE TYPE mood AS ENUM ('so so'); CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE pair AS (l "
      "int, r text); "
      "CREATE TYPE nested AS (n numeric, p pair, f bool[], j jsonb)");
  const std::vector<std::string> only_text = {"ca", "cp", "xm", "rg"};
  std::string columns, values, expected;
  for (const auto& typed : kTyped) {
    if (binary && std::find(only_text.begin(), only_text.end(), typed.name) != only_text.end()) continue;
    columns += ", \"" + std::string(typed.name) + "\" " + typed.type;
    values += ", " + std::string(typed.value);
    std::string json = *typed.json == '\0' ? "to_jsonb(c)" : "(" + std::string(typed.json) + ")::jsonb";
    if (const auto at = json.find("(c"); at != std::string::npos)
      json.replace(at + 1, 1, "\"" + std::string(typed.name) + "\"");
    if (json.find("base64") != std::string::npos) json = "to_jsonb(encode(\"by\", 'base64'))";
    expected += (expected.empty() ? "'" : ", '") + std::string(typed.name) + "', " + json;
  }
  sql("CREATE TABLE typed (id int PRIMARY KEY" + columns + "); INSERT INTO typed VALUES (1" + values +
      "); INSERT INTO typed (id) VALUES (3)");
  start("  - {table: typed, write: {string: {key: \"j:{id}\"}}}\n");
  walrelay().wait_log(binary ? "\"format\":\"binary\"" : "\"format\":\"text\"");
  sql("INSERT INTO typed VALUES (2" + values + ")");
  for (const std::string id : {"1", "2"}) {
    // Column by column, so that a failure names it.
    std::istringstream lines(sql("SELECT key || ' ' || value::text FROM typed, jsonb_each(jsonb_build_object(" +
                                 expected + ")) WHERE id = " + id));
    ASSERT_TRUE(eventually_equal([&] { return redis().command("EXISTS", "j:" + id); }, "1"));
    const std::string found = redis().command("GET", "j:" + id);
    for (std::string line; std::getline(lines, line);) {
      const auto space = line.find(' ');
      EXPECT_EQ(sql("SELECT $json$" + found + "$json$::jsonb -> '" + line.substr(0, space) + "'"),
                line.substr(space + 1))
          << line.substr(0, space) << " of row " << id << " in " << found;
    }
    EXPECT_EQ(sql("SELECT count(*) FROM jsonb_object_keys($json$" + found + "$json$::jsonb)"),
              sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'typed'::regclass AND attnum > 0"));
  }
  EXPECT_TRUE(json_is("j:3", "SELECT to_jsonb(typed) FROM typed WHERE id = 3"));  // NULLs
}

INSTANTIATE_TEST_SUITE_P(Formats, JsonTest, testing::Values(true, false),
                         [](const auto& instance) { return instance.param ? "Binary" : "Text"; });

TEST_F(KindsTest, SeveralWritesOfOneRowAreOneStep) {
  sql("CREATE TABLE users (id int PRIMARY KEY, name text); INSERT INTO users VALUES (1, 'v0')");
  start(R"(  - {table: users, write: [{hash: {key: "h:{id}"}}, {string: {key: "s:{id}", column: name}}]})"
        "\n");
  Beside writer(postgres(), name(),
                "DO $$ BEGIN FOR i IN 1..300 LOOP UPDATE users SET name = 'v' || i; COMMIT; END LOOP; END $$");
  while (!writer.done()) {
    redis().command("MULTI");
    redis().command("HGET", "h:1", "name");
    redis().command("GET", "s:1");
    const auto both = redis().client().call({"EXEC"}).elements;
    ASSERT_EQ(both.size(), 2U);
    EXPECT_EQ(both[0].text, both[1].text);
  }
  EXPECT_EQ(writer.join(), "");
  EXPECT_TRUE(eventually_equal([] { return redis().command("GET", "s:1"); }, "v300"));
}

}  // namespace
}  // namespace walrelay::support
