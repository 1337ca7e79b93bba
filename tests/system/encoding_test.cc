// Databases in other encodings, and roles whose settings change how values are printed.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

struct Encoded {
  const char* name;  // of the encoding
  const char* text;  // UTF-8: what it can write
};

class EncodingTest : public EndToEnd, public testing::WithParamInterface<Encoded> {
 protected:
  void create_database() override {
    postgres().sql("CREATE DATABASE " + name() + " ENCODING '" + GetParam().name + "' LOCALE 'C' TEMPLATE template0");
  }
};

// A column that is stored apart, did not change, and is therefore read again: by a key in the database's encoding.
TEST_P(EncodingTest, RowsAreReadAgainByTheirKey) {
  const std::string text = GetParam().text;
  const std::string utf8 = "SET client_encoding = 'UTF8'; ";
  sql(utf8 + "CREATE TABLE docs (\"k " + text +
      "\" text PRIMARY KEY, n int, big text); ALTER TABLE docs ALTER big SET STORAGE EXTERNAL; "
      "INSERT INTO docs VALUES ('" +
      text + "', 0, repeat('" + text + "', 1000))");
  start("  - {table: docs, write: {string: {key: \"{k " + text + "}\"}}}\n");
  sql("UPDATE docs SET n = 1");
  EXPECT_TRUE(eventually([&] { return redis().command("GET", text).find("\"n\":1,") != std::string::npos; }));
  EXPECT_NE(redis().command("GET", text).find("\"big\":\"" + text + text), std::string::npos);
  EXPECT_EQ(walrelay().metric("walrelay_rereads_total{slot=\"" + name() + "\"}"), 1);
}

TEST_P(EncodingTest, TextArrivesAsUtf8) {
  const std::string text = GetParam().text;
  const std::string utf8 = "SET client_encoding = 'UTF8'; ";
  sql(utf8 + "CREATE TABLE words (id text PRIMARY KEY, \"" + text + "\" text, j jsonb); INSERT INTO words VALUES ('" +
      text + "', '" + text + " loaded', '{\"k\": \"" + text + "\"}')");
  start("  - {table: words, write: [{hash: {key: \"w:{id}\"}}, {string: {key: \"j:{id}\"}}]}\n");
  sql(utf8 + "INSERT INTO words VALUES ('2" + text + "', '" + text + " streamed', '[\"" + text + "\"]')");
  EXPECT_TRUE(in_step("words", "'w:' || id", "w:*"));
  EXPECT_EQ(redis().hgetall("w:2" + text).at(text), text + " streamed");
  EXPECT_TRUE(
      eventually([&] { return redis().command("GET", "j:2" + text).find(text + " streamed") != std::string::npos; }));
  sql(utf8 + "UPDATE words SET id = '3" + text + "' WHERE id LIKE '2%'; DELETE FROM words WHERE id = '" + text + "'");
  EXPECT_TRUE(in_step("words", "'w:' || id", "w:*"));
}

INSTANTIATE_TEST_SUITE_P(All, EncodingTest,
                         testing::Values(Encoded{"UTF8", "€ ünï 漢字 😀"}, Encoded{"LATIN1", "ünïcode ÿ"},
                                         Encoded{"WIN1252", "€ „quoted“ ž"}, Encoded{"EUC_JP", "漢字かな"},
                                         Encoded{"LATIN9", "€ Œ"}, Encoded{"WIN1251", "Привет"},
                                         Encoded{"EUC_KR", "한글"}),
                         [](const auto& instance) { return std::string(instance.param.name); });

class BytesTest : public EndToEnd {
 protected:
  void create_database() override {
    postgres().sql("CREATE DATABASE " + name() + " ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
  }
};

// The server does not know what its bytes mean: they pass as they are, also where they are no UTF-8.
TEST_F(BytesTest, SqlAsciiPassesBytes) {
  sql("CREATE TABLE words (id int PRIMARY KEY, w text); INSERT INTO words VALUES (1, 'plain'), (2, E'\\xff\\xfe "
      "mixed'), (3, 'é')");
  start("  - {table: words, write: {hash: {key: \"w:{id}\"}}}\n");
  sql("INSERT INTO words VALUES (4, E'\\x80'); UPDATE words SET w = E'\\xe9' WHERE id = 3");
  const Hashes expected = rows_of("words", "'w:' || id", "SQL_ASCII");
  EXPECT_TRUE(eventually([&] { return same(redis().client().hashes("w:*"), expected); }));
  EXPECT_EQ(redis().hgetall("w:2").at("w"), "\xff\xfe mixed");
}

// A byte that WIN1252 does not define: PostgreSQL itself cannot turn the row into UTF-8.
class UndefinedByteTest : public EndToEnd {
 protected:
  void create_database() override {
    postgres().sql("CREATE DATABASE " + name() + " ENCODING 'WIN1252' LOCALE 'C' TEMPLATE template0");
  }
};

TEST_F(UndefinedByteTest, DoesNotStopTheStream) {
  sql("SET client_encoding = 'WIN1252'; CREATE TABLE words (id int PRIMARY KEY, w text); INSERT INTO words VALUES (1, "
      "E'a\\x81b')");
  start("  - {table: words, write: {hash: {key: \"w:{id}\"}}}\n");
  sql("SET client_encoding = 'WIN1252'; INSERT INTO words VALUES (2, E'c\\x8dd'), (3, 'after')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("HGET", "w:3", "w"); }, "after"));
  EXPECT_EQ(redis().keys("w:*").size(), 3U);
}

class RoleSettingsTest : public EndToEnd {};

TEST_F(RoleSettingsTest, ChangeNothing) {
  sql("CREATE ROLE odd_" + name() + " LOGIN SUPERUSER REPLICATION");
  for (const char* setting : {"datestyle = 'German, DMY'",
                              "bytea_output = 'escape'",
                              "extra_float_digits = -15",
                              "timezone = 'Asia/Tokyo'",
                              "intervalstyle = 'sql_standard'",
                              "search_path = 'nowhere'",
                              "statement_timeout = '300ms'",
                              "lc_monetary = 'C'",
                              "client_encoding = 'LATIN1'",
                              "quote_all_identifiers = on",
                              "xmlbinary = 'hex'",
                              "default_transaction_read_only = off",
                              "default_transaction_isolation = 'serializable'",
                              "row_security = on",
                              "idle_in_transaction_session_timeout = '300ms'",
                              "lock_timeout = '200ms'",
                              "enable_seqscan = off",
                              "standard_conforming_strings = off",
                              "backslash_quote = off",
                              "array_nulls = off",
                              "transform_null_equals = on"}) {
    sql("ALTER ROLE odd_" + name() + " SET " + setting);
  }
  sql(R"(CREATE TABLE odd (id int, "back\slash" text, at timestamptz, ts timestamp, d date, i interval, b bytea, f float8, f4 float4, m money, x text,
           a float8[], r tstzrange, PRIMARY KEY (id, at));
         INSERT INTO odd VALUES (1, 'a\b''c', '2026-01-02 03:04:05.678+00', '2026-01-02 03:04:05', '2026-12-31', '-1 day 02:03:04', '\x00ff61',
           0.1::float8 + 0.2, 0.1, 12.34, 'ü', '{0.30000000000000004}', '[2026-01-02,)'))");
  connect_as("odd_" + name());
  start("  - {table: odd, write: {hash: {key: \"o:{id}:{at}\"}}}\n");
  EXPECT_TRUE(in_step("odd", "'o:' || id || ':' || at", "o:*"));
  sql("INSERT INTO odd SELECT 2, \"back\\slash\", at, ts, d, i, b, f, f4, m, x, a, r FROM odd; UPDATE odd SET x = 'v' "
      "WHERE id = 1");
  EXPECT_TRUE(in_step("odd", "'o:' || id || ':' || at", "o:*"));
}

}  // namespace
}  // namespace walrelay::support
