// Tables that change their shape while they are streamed.
#include <signal.h>

#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class SchemaChangeTest : public EndToEnd {
 protected:
  static constexpr const char* kItems = "  - {table: items, write: {hash: {key: \"item:{id}\"}}}\n";
  void items() {
    sql("CREATE TABLE items (id int PRIMARY KEY, a text, b int); INSERT INTO items SELECT i, 'a' || i, i FROM "
        "generate_series(1, 50) i");
  }
  testing::AssertionResult items_in_step() { return in_step("items", "'item:' || id", "item:*"); }
};

struct Alteration {
  const char* name;
  const char* sql;
};

class AlterTableTest : public SchemaChangeTest, public testing::WithParamInterface<Alteration> {};

// Rows written before, in the same transaction, and after; and rows that no event tells of, for a rewrite.
TEST_P(AlterTableTest, RowsFollowTheNewShape) {
  items();
  start(kItems);
  ASSERT_TRUE(items_in_step());
  sql("BEGIN; UPDATE items SET b = b + 1 WHERE id = 1; " + std::string(GetParam().sql) +
      "; UPDATE items SET id = 100 WHERE id = 2; COMMIT");
  EXPECT_TRUE(items_in_step());
  sql("INSERT INTO items (id) VALUES (200); DELETE FROM items WHERE id = 3; UPDATE items SET id = 300 WHERE id = 4");
  EXPECT_TRUE(items_in_step());
}

INSTANTIATE_TEST_SUITE_P(
    All, AlterTableTest,
    testing::Values(Alteration{"AddColumn", "ALTER TABLE items ADD c text"},
                    Alteration{"AddColumnWithDefault", "ALTER TABLE items ADD c text NOT NULL DEFAULT 'd'"},
                    Alteration{"AddColumnWithVolatileDefault",
                               "ALTER TABLE items ADD c text DEFAULT md5(random()::text)"},
                    Alteration{"DropColumn", "ALTER TABLE items DROP a"},
                    Alteration{"RenameColumn", "ALTER TABLE items RENAME a TO renamed"},
                    Alteration{"ChangeType", "ALTER TABLE items ALTER b TYPE text USING 'n' || b"},
                    Alteration{"WidenType", "ALTER TABLE items ALTER b TYPE bigint"},
                    Alteration{"DropAndAddOfTheSameName", "ALTER TABLE items DROP a, ADD a int DEFAULT 7"},
                    Alteration{"NewPrimaryKeyOfTheSameColumn",
                               "ALTER TABLE items DROP CONSTRAINT items_pkey; ALTER TABLE items ADD PRIMARY KEY (id)"},
                    Alteration{"FullIdentity", "ALTER TABLE items REPLICA IDENTITY FULL"}),
    [](const auto& instance) { return std::string(instance.param.name); });

struct Text {
  const char* name;
  const char* type;   // of the new column, which the binary format cannot carry or walrelay cannot read
  const char* value;  // SQL
  const char* before = "";
};

class TextOnlyTypeTest : public SchemaChangeTest, public testing::WithParamInterface<Text> {};

TEST_P(TextOnlyTypeTest, WalrelayTurnsToTextByItself) {
  items();
  sql(GetParam().before);
  start(kItems);
  walrelay().wait_log("\"format\":\"binary\"");
  sql("ALTER TABLE items ADD c " + std::string(GetParam().type) + "; UPDATE items SET c = " + GetParam().value +
      " WHERE id < 10");
  EXPECT_TRUE(items_in_step());
  walrelay().wait_log("\"format\":\"text\"");
  sql("INSERT INTO items (id, c) VALUES (100, " + std::string(GetParam().value) +
      "); UPDATE items SET c = NULL WHERE id = 1");
  EXPECT_TRUE(items_in_step());
  EXPECT_EQ(walrelay().log().find("\"level\":\"error\""), std::string::npos) << walrelay().log();
}

INSTANTIATE_TEST_SUITE_P(
    All, TextOnlyTypeTest,
    testing::Values(Text{"Money", "money", "12.34"}, Text{"Search", "tsvector", "to_tsvector('simple', 'a fat cat')"},
                    Text{"Range", "int4range", "'[1,5)'"},
                    Text{"Composite", "pair", "ROW(1, 'x, \"y\"')::pair", "CREATE TYPE pair AS (l int, r text)"},
                    Text{"WithoutBinaryOutput", "aclitem", "'postgres=r/postgres'"},
                    Text{"CompositeWithoutBinaryOutput", "grant_of", "ROW('postgres=r/postgres')::grant_of",
                         "CREATE TYPE grant_of AS (acl aclitem)"}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(SchemaChangeTest, EnumValuesDomainsAndArrays) {
  sql(R"(CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN age AS int CHECK (VALUE > 0); CREATE DOMAIN ages AS age[];
         CREATE TABLE items (id int PRIMARY KEY, m mood, a age, l mood[], d ages, n numeric[]);
         INSERT INTO items VALUES (1, 'sad', 5, '{sad,NULL}', '{1,2}', '{{1.50,NaN},{NULL,-0.1}}'))");
  start(kItems);
  EXPECT_TRUE(items_in_step());
  sql("ALTER TYPE mood ADD VALUE 'so, so' BEFORE 'sad'; ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'");
  sql("INSERT INTO items VALUES (2, 'so, so', NULL, '{\"so, so\",blue}', '{}', '[3:4]={1,2}'); UPDATE items SET a = 6 "
      "WHERE id = 1");
  sql("CREATE TYPE fresh AS ENUM ('x'); ALTER TABLE items ADD f fresh DEFAULT 'x', ADD fs fresh[] DEFAULT '{x}'; "
      "INSERT INTO items (id) VALUES (3)");
  EXPECT_TRUE(items_in_step());
}

TEST_F(SchemaChangeTest, DropAndCreateOfAMappedTable) {
  items();
  start(kItems);
  ASSERT_TRUE(items_in_step());
  sql("DROP TABLE items; CREATE TABLE items (id text PRIMARY KEY, z int); INSERT INTO items VALUES ('new', 1)");
  EXPECT_TRUE(items_in_step());
  sql("INSERT INTO items VALUES ('newer', 2); UPDATE items SET z = 3 WHERE id = 'new'");
  EXPECT_TRUE(items_in_step());
}

TEST_F(SchemaChangeTest, DropOfAMappedTableIsSaidAndStopsNothing) {
  items();
  sql("CREATE TABLE others (id int PRIMARY KEY)");
  start(std::string(kItems) + "  - {table: others, write: {hash: {key: \"other:{id}\"}}}\n");
  ASSERT_TRUE(items_in_step());
  sql("DROP TABLE items; INSERT INTO others VALUES (1)");
  walrelay().wait_log("a mapped table is gone");
  sql("INSERT INTO others VALUES (2)");
  EXPECT_TRUE(in_step("others", "'other:' || id", "other:*"));
}

// Two tables by a pattern, one of them with neighbours of other names; each test lets one go.
class GoneTableTest : public SchemaChangeTest {
 protected:
  void SetUp() override {
    SchemaChangeTest::SetUp();
    for (const std::string table : {"box_1", "box_2"}) {
      sql("CREATE TABLE " + table + " (id int PRIMARY KEY, tag text); INSERT INTO " + table +
          " SELECT i, 't' || i % 3 FROM generate_series(1, 500) i");
    }
    redis().command("SET", "box:1:none", "a stranger's");
    redis().command("HSET", "box:11:1", "id", "1");
  }
  static constexpr const char* kBoxes =
      "  - tables: '^public\\.box_(?<n>[0-9]+)$'\n    on_table_gone: purge\n    write:\n"
      "      - hash: {key: \"box:{n}:{id}\"}\n      - set: {key: \"tags\", member: \"{tag}\", track: redis}\n";
  testing::AssertionResult stands(const std::string& table, const std::string& prefix) {
    return in_step(table, "'" + prefix + ":' || id", prefix + ":[0-9]*");
  }
  testing::AssertionResult only_others_stand() {
    return eventually([] {
      const auto left = redis().keys("box:1:*");
      if (left == std::vector<std::string>{"box:1:none"}) return testing::AssertionSuccess();
      return testing::AssertionFailure() << left.size() << " keys of box:1 stand";
    });
  }
};

TEST_F(GoneTableTest, IsPurgedWhereTheMappingSaysSo) {
  start(kBoxes);
  ASSERT_TRUE(stands("box_1", "box:1"));
  // Redis is held back, so that rows of the table are still on their way when the catalogue is without it.
  redis().pause();
  sql("INSERT INTO box_1 SELECT i, 'last' FROM generate_series(1000, 3000) i");
  sql("DROP TABLE box_1; INSERT INTO box_2 VALUES (900, 'more')");
  walrelay().wait_log("a mapped table is gone; its keys go");
  redis().resume();
  EXPECT_TRUE(only_others_stand());
  EXPECT_TRUE(stands("box_2", "box:2"));
  EXPECT_EQ(redis().command("HGET", "box:11:1", "id"), "1");
  EXPECT_TRUE(eventually([] { return redis().command("SISMEMBER", "tags", "last") == "0"; }));
  EXPECT_EQ(redis().command("SCARD", "tags"), "4") << "those of box_2 stay";
  EXPECT_EQ(redis().command("HLEN", "walrelay:{" + name() + "}:tables"), "1");
  sql("CREATE TABLE box_1 (id int PRIMARY KEY, tag text, more int); INSERT INTO box_1 VALUES (7, 'anew', 1)");
  EXPECT_TRUE(eventually([] { return redis().command("HGET", "box:1:7", "more") == "1"; }));
}

TEST_F(GoneTableTest, IsPurgedWhenItWentWhileNobodyLooked) {
  start(kBoxes);
  ASSERT_TRUE(stands("box_1", "box:1"));
  walrelay().kill();
  sql("DROP TABLE box_1; UPDATE box_2 SET tag = 'u' WHERE id = 1");
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(only_others_stand());
  EXPECT_TRUE(stands("box_2", "box:2"));
}

TEST_F(GoneTableTest, IsGoneUnderItsOldNameWhenItIsRenamed) {
  start(kBoxes);
  ASSERT_TRUE(stands("box_1", "box:1"));
  sql("ALTER TABLE box_1 RENAME TO box_3");
  EXPECT_TRUE(only_others_stand());
  EXPECT_TRUE(stands("box_3", "box:3"));
  sql("ALTER TABLE box_3 RENAME TO not_mapped");
  EXPECT_TRUE(eventually([] { return redis().keys("box:3:*").empty(); }));
}

// What reads tables is gone by then; the catalogue's watch is not.
TEST_F(GoneTableTest, TablesComeAndGoWhileItDrains) {
  start(kBoxes);
  ASSERT_TRUE(stands("box_1", "box:1"));
  const auto before = walrelay().metric("walrelay_transactions_total").value_or(0);
  redis().pause();
  sql("INSERT INTO box_2 SELECT i, 'v' FROM generate_series(1000, 2000) i");
  EXPECT_TRUE(eventually([&] { return walrelay().metric("walrelay_transactions_total").value_or(0) > before; }));
  walrelay().process().signal(SIGTERM);
  walrelay().wait_log("stopping");
  sql("DROP TABLE box_1; CREATE TABLE box_9 (id int PRIMARY KEY, tag text); INSERT INTO box_9 VALUES (1, 'new'); "
      "ALTER TABLE box_2 ADD more int DEFAULT 7");
  const auto seen = [this] { return walrelay().log().find("a mapped table is gone") != std::string::npos; };
  EXPECT_TRUE(eventually([&] { return seen() || !walrelay().running(); }));
  redis().resume();
  EXPECT_EQ(walrelay().wait(seconds(20)), 0) << walrelay().log();
  walrelay().start();
  walrelay().wait_ready();
  EXPECT_TRUE(only_others_stand());
  EXPECT_TRUE(stands("box_2", "box:2"));
  EXPECT_TRUE(stands("box_9", "box:9"));
}

TEST_F(GoneTableTest, MadeAnewBeforeItsPurgeItStays) {
  start(kBoxes);
  ASSERT_TRUE(stands("box_1", "box:1"));
  sql("BEGIN; DROP TABLE box_1; CREATE TABLE box_1 (id int PRIMARY KEY, tag text); INSERT INTO box_1 VALUES (3, 'x'), "
      "(1000, 'y'); COMMIT");
  EXPECT_TRUE(stands("box_1", "box:1"));
  EXPECT_TRUE(stands("box_2", "box:2"));
}

TEST_F(SchemaChangeTest, UnmappedTablesDoNotMatter) {
  items();
  sql("CREATE TABLE noise (id int, v money)");
  start(kItems);
  sql("ALTER TABLE noise RENAME TO items2; INSERT INTO items2 VALUES (1, 1); ALTER TABLE items2 ADD x xml; DROP TABLE "
      "items2; "
      "CREATE TABLE noise (a int PRIMARY KEY); INSERT INTO noise VALUES (1); UPDATE items SET b = 0 WHERE id = 1");
  EXPECT_TRUE(items_in_step());
  EXPECT_EQ(walrelay().metric("walrelay_sessions_total{slot=\"" + name() + "\"}"), 1);
}

// A mapped table renamed away and another renamed to its name: the classic swap of a rebuilt table.
TEST_F(SchemaChangeTest, SwapOfTwoTablesByRename) {
  items();
  sql("CREATE TABLE items_new (id int PRIMARY KEY, a text, b int); INSERT INTO items_new VALUES (1, 'rebuilt', 0), "
      "(60, 'only here', 0)");
  start(kItems);
  ASSERT_TRUE(items_in_step());
  sql("BEGIN; ALTER TABLE items RENAME TO items_old; ALTER TABLE items_new RENAME TO items; COMMIT; INSERT INTO items "
      "VALUES (61, 'after', 1)");
  EXPECT_TRUE(items_in_step());
  sql("UPDATE items_old SET a = 'must not show'; UPDATE items SET b = 9 WHERE id = 1");
  EXPECT_TRUE(items_in_step());
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(items_in_step());
}

TEST_F(SchemaChangeTest, KeyColumnThatGoesStopsWithASentence) {
  items();
  start("  - {table: items, write: {hash: {key: \"item:{id}\", columns: {include: [a]}}}}\n");
  sql("ALTER TABLE items DROP a; INSERT INTO items VALUES (100)");
  EXPECT_EQ(walrelay().wait(), 78);
  EXPECT_NE(walrelay().log().find("there is no column"), std::string::npos) << walrelay().log();
}

}  // namespace
}  // namespace walrelay::support
