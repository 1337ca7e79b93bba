// What is found out about tables, also by a role that may do little.
#include "tests/system/catalogue_fixture.h"

namespace walrelay::replication {
namespace {

using FindTablesTest = CatalogueTest;

std::vector<std::string> identity_of(const TableInfo& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) {
    if (column.identity) names.push_back(column.name);
  }
  return names;
}

TEST_F(FindTablesTest, FindsOrdinaryAndRootTablesOnly) {
  std::vector<std::string> names;
  for (const auto& [name, table] : tables(admin())) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("Odd \"schema\".it's.a table", "public.base", "public.by_index", "public.deferred",
                                 "public.empty_root", "public.heir", "public.keyless", "public.nothing",
                                 "public.parted", "public.plain", "public.silent", "public.uneven", "public.whole"));
}

TEST_F(FindTablesTest, AsksOnlyForWhatIsWanted) {
  std::vector<std::string> asked;
  const auto wants = [&](std::string_view schema, std::string_view name) {
    asked.push_back(std::string(schema) + "/" + std::string(name));
    return name == "plain";
  };
  const auto found = run_task(loop_, find_tables(admin(), "none", wants));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].qualified(), "public.plain");
  EXPECT_EQ(asked.size(), 13U);
  const auto nothing = [](std::string_view, std::string_view) { return false; };
  EXPECT_THAT(run_task(loop_, find_tables(admin(), "none", nothing)), IsEmpty());
}

TEST_F(FindTablesTest, DescribesColumns) {
  const TableInfo plain = tables(admin()).at("public.plain");
  ASSERT_EQ(plain.columns.size(), 3U);
  EXPECT_EQ(plain.columns[0].name, "id");
  EXPECT_EQ(plain.columns[0].type_oid, 20U);
  EXPECT_EQ(plain.columns[0].type_modifier, -1);
  EXPECT_TRUE(plain.columns[0].primary);
  EXPECT_EQ(plain.columns[1].type_oid, 1043U);
  EXPECT_EQ(plain.columns[1].type_modifier, 44);
  EXPECT_FALSE(plain.columns[1].primary);
  EXPECT_FALSE(plain.columns[1].generated);
  EXPECT_TRUE(plain.columns[2].generated);
  EXPECT_EQ(plain.estimated_rows, 5000);
  EXPECT_EQ(plain.pages, std::stoll(postgres_->sql("SELECT pg_relation_size('plain') / 8192")));
  EXPECT_EQ(std::to_string(plain.oid), postgres_->sql("SELECT 'plain'::regclass::oid"));
  EXPECT_FALSE(plain.partitioned);
  EXPECT_TRUE(plain.owned);
  EXPECT_TRUE(plain.may_select);
}

TEST_F(FindTablesTest, KnowsWhatIdentifiesARow) {
  struct Case {
    const char* table;
    ReplicaIdentity identity;
    bool usable;
    std::vector<std::string> columns;
  };
  const std::vector<Case> cases = {
      {"public.plain", ReplicaIdentity::default_, true, {"id"}},
      {"Odd \"schema\".it's.a table", ReplicaIdentity::default_, true, {"the \"key\"", "b.c"}},
      {"public.by_index", ReplicaIdentity::index, true, {"code"}},
      {"public.whole", ReplicaIdentity::full, true, {"a", "b"}},
      {"public.silent", ReplicaIdentity::nothing, false, {}},
      {"public.keyless", ReplicaIdentity::default_, false, {}},
      {"public.deferred", ReplicaIdentity::default_, false, {}},
      {"public.nothing", ReplicaIdentity::default_, false, {}},
      {"public.heir", ReplicaIdentity::default_, false, {}},
      {"public.parted", ReplicaIdentity::default_, true, {"id", "day"}},
      {"public.uneven", ReplicaIdentity::full, false, {"id", "v"}},  // its leaf writes only the key
      {"public.empty_root", ReplicaIdentity::default_, true, {"id"}},
  };
  const auto found = tables(admin());
  for (const Case& one : cases) {
    const TableInfo& table = found.at(one.table);
    EXPECT_EQ(table.identity, one.identity) << one.table;
    EXPECT_EQ(table.usable_identity, one.usable) << one.table;
    EXPECT_EQ(identity_of(table), one.columns) << one.table;
  }
}

TEST_F(FindTablesTest, KnowsWhichIndexesCouldIdentifyARow) {
  postgres_->sql(
      "CREATE TABLE choice (id int PRIMARY KEY, b int NOT NULL, a int NOT NULL, n int, t text NOT NULL); CREATE UNIQUE "
      "INDEX "
      "good ON choice (b, a) INCLUDE (n); CREATE UNIQUE INDEX \"Odd\" ON choice (a); CREATE UNIQUE INDEX nullable ON "
      "choice "
      "(n); CREATE UNIQUE INDEX partial ON choice (b) WHERE a > 0; CREATE UNIQUE INDEX computed ON choice (lower(t)); "
      "CREATE "
      "INDEX many ON choice (t); ALTER TABLE choice ADD CONSTRAINT later UNIQUE (t) DEFERRABLE");
  std::map<std::string, std::vector<std::string>> candidates;
  const auto found = tables(admin());
  for (const IdentityIndex& index : found.at("public.choice").candidates) candidates[index.name] = index.columns;
  const std::map<std::string, std::vector<std::string>> expected = {{"Odd", {"a"}}, {"good", {"a", "b"}}};
  EXPECT_EQ(candidates, expected);
  EXPECT_THAT(found.at("public.plain").candidates, IsEmpty());
  for (const auto& index : expected)  // PostgreSQL takes them
    postgres_->sql("ALTER TABLE choice REPLICA IDENTITY USING INDEX \"" + index.first + "\"");
  postgres_->sql("DROP TABLE choice");
}

TEST_F(FindTablesTest, CountsARootsLeavesWhateverTheirDepth) {
  const TableInfo parted = tables(admin()).at("public.parted");
  EXPECT_TRUE(parted.partitioned);
  EXPECT_THAT(parted.leaves, ElementsAre("public.parted_2024", "public.parted_2025_a", "public.parted_2025_b"));
  EXPECT_EQ(parted.estimated_rows, 20000);
  EXPECT_EQ(parted.pages, std::stoll(postgres_->sql("SELECT sum(pg_relation_size(relid)) / 8192 FROM "
                                                    "pg_partition_tree('parted')")));
  EXPECT_THAT(tables(admin()).at("public.empty_root").leaves, IsEmpty());
}

TEST_F(FindTablesTest, KnowsWhatAnotherRoleMay) {
  postgres_->sql(
      "CREATE ROLE little LOGIN; GRANT SELECT ON by_index, parted_2024, parted, base TO little;"
      "GRANT SELECT (id, v) ON plain TO little; GRANT SELECT (a) ON whole TO little; ALTER TABLE keyless OWNER TO "
      "little;"
      "GRANT SELECT ON \"Odd \"\"schema\"\"\".\"it's.a table\" TO little;"
      "ALTER TABLE base ENABLE ROW LEVEL SECURITY");
  Connection little(loop_, options("little"));
  run_task(loop_, little.open());
  const auto found = tables(little);
  EXPECT_TRUE(found.at("public.by_index").may_select);
  EXPECT_FALSE(found.at("public.by_index").owned);
  EXPECT_TRUE(found.at("public.plain").may_select);   // all but the generated column
  EXPECT_FALSE(found.at("public.whole").may_select);  // one column is missing
  EXPECT_FALSE(found.at("public.silent").may_select);
  EXPECT_FALSE(found.at("public.parted").may_select);                // two of its leaves are missing
  EXPECT_FALSE(found.at("Odd \"schema\".it's.a table").may_select);  // no USAGE of the schema
  EXPECT_FALSE(found.at("public.base").may_select);                  // row security would hide rows
  EXPECT_TRUE(found.at("public.keyless").owned);
  EXPECT_TRUE(found.at("public.keyless").may_select);
  postgres_->sql("GRANT SELECT ON parted_2025_a, parted_2025_b TO little; ALTER TABLE base DISABLE ROW LEVEL SECURITY");
  const auto later = tables(little);
  EXPECT_TRUE(later.at("public.parted").may_select);
  EXPECT_TRUE(later.at("public.base").may_select);
}

TEST_F(FindTablesTest, ReadsRowFiltersAndColumnLists) {
  postgres_->sql("CREATE PUBLICATION narrow FOR TABLE plain (id, v) WHERE (id > 10), by_index");
  const auto found = tables(admin(), "narrow");
  EXPECT_EQ(found.at("public.plain").row_filter, "(id > 10)");
  EXPECT_THAT(found.at("public.plain").published_columns, ElementsAre("id", "v"));
  EXPECT_EQ(found.at("public.by_index").row_filter, "");
  EXPECT_THAT(found.at("public.by_index").published_columns, IsEmpty());
  EXPECT_EQ(tables(admin(), "other").at("public.plain").row_filter, "");
  // Only what is published must be readable.
  postgres_->sql("CREATE ROLE reader LOGIN; GRANT SELECT (id, v) ON plain TO reader");
  Connection reader(loop_, options("reader"));
  run_task(loop_, reader.open());
  EXPECT_TRUE(tables(reader, "narrow").at("public.plain").may_select);
  postgres_->sql(
      "DROP PUBLICATION narrow; CREATE PUBLICATION narrow FOR TABLE keyless WHERE (a > 1), TABLES IN SCHEMA "
      "public");
  EXPECT_EQ(tables(admin(), "narrow").at("public.keyless").row_filter, "");  // the schema is published whole
}

}  // namespace
}  // namespace walrelay::replication
