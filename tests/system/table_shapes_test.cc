// Tables of every shape, each loaded and then changed: both ways must name the same keys and fields.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class TableShapesTest : public EndToEnd {};

TEST_F(TableShapesTest, PartitionedTableIsOneTable) {
  sql(R"(CREATE TABLE readings (day date, id int, v numeric, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
         CREATE TABLE readings_a PARTITION OF readings FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
         CREATE TABLE readings_b PARTITION OF readings FOR VALUES FROM ('2026-02-01') TO ('2026-03-01') PARTITION BY LIST (id);
         CREATE TABLE readings_b1 PARTITION OF readings_b FOR VALUES IN (1, 2, 3);
         CREATE TABLE readings_b2 PARTITION OF readings_b DEFAULT;
         INSERT INTO readings SELECT '2026-01-05'::date + i % 50, i, i * 1.50 FROM generate_series(1, 500) i)");
  start("  - {table: readings, write: {hash: {key: \"r:{day}:{id}\"}}}\n", "load: {chunk_bytes: 8192, connections: 3}");
  EXPECT_EQ(sql("SELECT pubviaroot FROM pg_publication"), "t");
  const std::string key = "'r:' || day || ':' || id";
  EXPECT_TRUE(in_step("readings", key, "r:*"));
  // Rows that move to another partition, and a partition that did not exist.
  sql(R"(UPDATE readings SET day = '2026-01-31' WHERE id = 40; UPDATE readings SET id = 2 WHERE id = 35;
         CREATE TABLE readings_c PARTITION OF readings FOR VALUES FROM ('2026-03-01') TO ('2026-04-01');
         INSERT INTO readings VALUES ('2026-03-03', 9, 9); DELETE FROM readings WHERE id = 7)");
  EXPECT_TRUE(in_step("readings", key, "r:*"));
}

// By the no-mappings default, which encodes what could make two rows' keys alike.
TEST_F(TableShapesTest, WeirdIdentifiersAndKeys) {
  const std::string table = R"("Sch.ema {x}"."we:ird *{}""T")";
  sql("CREATE SCHEMA \"Sch.ema {x}\"; CREATE TABLE " + table + R"( ("I D" int, "ke.y:{}" text, "naïve ""q""" text,
        "Upper" int, PRIMARY KEY ("I D", "ke.y:{}"));
        INSERT INTO )" +
      table + R"( VALUES (1, 'a:b{c} %', E'one\ntwo', 5), (2, '', NULL, NULL), (3, 'a%3Ab', '', 0))");
  start("");
  const std::string key = R"('Sch%2Eema%20%7Bx%7D.we%3Aird%20*%7B%7D"T:' || "I D" || ':' ||
      replace(replace(replace(replace(replace("ke.y:{}", '%', '%25'), ':', '%3A'), '{', '%7B'), '}', '%7D'), ' ', '%20'))";
  EXPECT_TRUE(in_step(table, key, "Sch*"));
  sql("UPDATE " + table + R"( SET "ke.y:{}" = 'b:' || "Upper", "naïve ""q""" = '*[x]?\' WHERE "I D" <> 2;
      DELETE FROM )" +
      table + R"( WHERE "I D" = 2; INSERT INTO )" + table + R"( VALUES (4, '€', 'ünï', -1))");
  EXPECT_TRUE(in_step(table, key, "Sch*"));
  sql("TRUNCATE " + table);
  EXPECT_TRUE(in_step(table, key, "Sch*"));
}

TEST_F(TableShapesTest, WeirdNamesInAMapping) {
  const std::string table = R"("Sch.ema"."we:ird *T")";
  sql("CREATE SCHEMA \"Sch.ema\"; CREATE TABLE " + table + R"( ("I D" int PRIMARY KEY, "Ünicode" text);
      INSERT INTO )" +
      table + " VALUES (1, 'x')");
  start(R"(  - {table: "Sch.ema.we:ird *T", write: {hash: {key: "w[*]{{{I D}}}"}}})"
        "\n");
  EXPECT_TRUE(in_step(table, "'w[*]{' || \"I D\" || '}'", "w\\[*"));
  sql("INSERT INTO " + table + " VALUES (2, 'y')");
  EXPECT_TRUE(in_step(table, "'w[*]{' || \"I D\" || '}'", "w\\[*"));
  redis().command("SET", "w[x]{3}", "not ours");
  redis().command("SET", "w[*]{x}", "not ours");
  sql("TRUNCATE " + table + "; INSERT INTO " + table + " VALUES (5, 'z')");
  EXPECT_TRUE(eventually_equal([] { return redis().keys("w\\[*"); },
                               std::vector<std::string>{"w[*]{5}", "w[*]{x}", "w[x]{3}"}));
}

TEST_F(TableShapesTest, GeneratedColumnsAreNotStreamedAndNotLoaded) {
  sql(R"(CREATE TABLE boxes (id int PRIMARY KEY, w int, h int, area int GENERATED ALWAYS AS (w * h) STORED);
         INSERT INTO boxes (id, w, h) VALUES (1, 2, 3))");
  start("  - {table: boxes, write: {hash: {key: \"box:{id}\"}}}\n");
  EXPECT_TRUE(in_step("boxes", "'box:' || id", "box:*"));
  sql("INSERT INTO boxes (id, w, h) VALUES (2, 4, 5); UPDATE boxes SET w = 10 WHERE id = 1");
  EXPECT_TRUE(in_step("boxes", "'box:' || id", "box:*"));
  EXPECT_EQ(redis().hgetall("box:1"), (std::map<std::string, std::string>{{"id", "1"}, {"w", "10"}, {"h", "3"}}));
}

TEST_F(TableShapesTest, EmptyTableOneColumnTableAndManyColumns) {
  sql("CREATE TABLE nothing (id int PRIMARY KEY, v text); CREATE TABLE narrow (id int PRIMARY KEY); INSERT INTO narrow "
      "VALUES (1)");
  std::string columns, names;
  for (int i = 0; i < 1000; ++i) columns += ", c" + std::to_string(i) + " int DEFAULT " + std::to_string(i);
  sql("CREATE TABLE wide (id int PRIMARY KEY" + columns + "); INSERT INTO wide (id) VALUES (1), (2)");
  start("");
  EXPECT_TRUE(in_step("narrow", "'narrow:' || id", "narrow:*"));
  EXPECT_TRUE(in_step("wide", "'wide:' || id", "wide:*"));
  EXPECT_TRUE(redis().keys("nothing:*").empty());
  sql("INSERT INTO nothing VALUES (1, NULL), (2, 'x'); UPDATE wide SET c999 = NULL, c0 = -1 WHERE id = 2; "
      "INSERT INTO narrow VALUES (2); DELETE FROM narrow WHERE id = 1");
  EXPECT_TRUE(in_step("nothing", "'nothing:' || id", "nothing:*"));
  EXPECT_TRUE(in_step("wide", "'wide:' || id", "wide:*"));
  EXPECT_TRUE(in_step("narrow", "'narrow:' || id", "narrow:*"));
}

TEST_F(TableShapesTest, CompositeKeysOfManyTypes) {
  sql(R"(CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy:)');
         CREATE TABLE deep (a text, b numeric(10,3), c date, d uuid, e mood, f bool, g timestamptz, h bytea, v int,
           PRIMARY KEY (a, b, c, d, e, f, g, h));
         INSERT INTO deep SELECT 'k:' || i, i / 8.0, '2026-01-01'::date + i, ('00000000-0000-0000-0000-00000000000' || i)::uuid,
           'so so', i % 2 = 0, '2026-01-01 10:00+02'::timestamptz + i * interval '1 hour', '\x00ff', i FROM generate_series(0, 9) i)");
  start("  - {table: deep, write: {hash: {key: \"d:{a}:{b}:{c}:{d}:{e}:{f}:{g}:{h}\"}}}\n");
  const std::string key = "concat_ws(':', 'd', a, b, c, d, e, f, g, h)";
  EXPECT_TRUE(in_step("deep", key, "d:*"));
  sql("UPDATE deep SET v = v + 1, e = 'happy:)', g = 'infinity' WHERE v > 5; DELETE FROM deep WHERE v = 1; "
      "INSERT INTO deep SELECT a || '?', b, c, d, e, f, g, h, v FROM deep");
  EXPECT_TRUE(in_step("deep", key, "d:*"));
}

// PostgreSQL keeps the spelling that was written where two values are equal but not the same text.
TEST_F(TableShapesTest, KeysThatAreEqualButSpelledDifferently) {
  sql("CREATE TABLE prices (p numeric PRIMARY KEY, v int); INSERT INTO prices VALUES (1.0, 1), (2.50, 2)");
  start("  - {table: prices, write: {hash: {key: \"p:{p}\"}}}\n");
  EXPECT_TRUE(in_step("prices", "'p:' || p", "p:*"));
  sql("UPDATE prices SET p = 1.00, v = 3 WHERE p = 1; UPDATE prices SET p = 2.5 WHERE p = 2.5");
  EXPECT_TRUE(in_step("prices", "'p:' || p", "p:*"));
}

}  // namespace
}  // namespace walrelay::support
