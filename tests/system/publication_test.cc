// The catalogue of a real server: tables, publications and types, also for a role that may do little.
#include "replication/publication.h"

#include "tests/support/loop_task.h"
#include "tests/support/servers.h"

namespace walrelay::replication {
namespace {

using support::Postgres;
using support::run_task;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kSchema = R"sql(
CREATE SCHEMA "Odd ""schema""";
CREATE TABLE plain (id bigint PRIMARY KEY, v varchar(40) NOT NULL, gone int, twice bigint GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE plain DROP COLUMN gone;
CREATE TABLE "Odd ""schema"""."it's.a table" ("the ""key""" int, "b.c" text, PRIMARY KEY ("the ""key""", "b.c"));
CREATE TABLE by_index (id int PRIMARY KEY, code text NOT NULL, extra int);
CREATE UNIQUE INDEX by_index_code ON by_index (code) INCLUDE (extra);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_code;
CREATE TABLE whole (a int, b text, c int GENERATED ALWAYS AS (a) STORED);
ALTER TABLE whole REPLICA IDENTITY FULL;
CREATE TABLE silent (id int PRIMARY KEY);
ALTER TABLE silent REPLICA IDENTITY NOTHING;
CREATE TABLE keyless (a int);
CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
CREATE VIEW looks AS SELECT 1;
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE heir (more int) INHERITS (base);
CREATE TABLE nothing ();

CREATE TABLE parted (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE parted_2024 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Odd ""schema"""."parted 2025" PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY HASH (id);
CREATE TABLE parted_2025_a PARTITION OF "Odd ""schema"""."parted 2025" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_2025_b PARTITION OF "Odd ""schema"""."parted 2025" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE uneven (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE uneven_1 PARTITION OF uneven FOR VALUES FROM (0) TO (10);
ALTER TABLE uneven REPLICA IDENTITY FULL;
CREATE TABLE empty_root (id int PRIMARY KEY) PARTITION BY RANGE (id);

INSERT INTO parted SELECT g, date '2024-01-01' + g % 700, repeat('x', 100) FROM generate_series(1, 20000) g;
INSERT INTO plain SELECT g, 'v' FROM generate_series(1, 5000) g;
ANALYZE;
)sql";

class PublicationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    postgres_ = std::make_unique<Postgres>();
    postgres_->sql(kSchema);
  }
  static void TearDownTestSuite() { postgres_.reset(); }
  static std::unique_ptr<Postgres> postgres_;

  ConnectionOptions options(const std::string& user = "postgres") const {
    ConnectionOptions all;
    all.parameters = {{"host", postgres_->socket_dir()},
                      {"port", std::to_string(postgres_->port())},
                      {"user", user},
                      {"dbname", "postgres"}};
    return all;
  }
  Connection& admin() {
    if (!admin_.is_open()) run_task(loop_, admin_.open());
    return admin_;
  }
  std::map<std::string, TableInfo> tables(Connection& connection, const std::string& publication = "none") {
    std::map<std::string, TableInfo> by_name;
    const auto all = [](std::string_view, std::string_view) { return true; };
    for (TableInfo& table : run_task(loop_, find_tables(connection, publication, all))) {
      by_name.emplace(table.qualified(), table);
    }
    return by_name;
  }
  std::vector<TableInfo> pick(const std::vector<std::string>& names) {
    const auto all = tables(admin());
    std::vector<TableInfo> picked;
    for (const std::string& name : names) picked.push_back(all.at(name));
    return picked;
  }
  // Makes the publication carry these; how many statements it took. Then none is needed any more.
  std::size_t apply(const std::string& name, const std::vector<TableInfo>& wanted) {
    const auto statements =
        publication_sql(name, run_task(loop_, find_publication(admin(), name)), wanted, admin().server_version());
    for (const std::string& statement : statements) run_task(loop_, admin().query(statement, "apply"));
    const auto found = run_task(loop_, find_publication(admin(), name));
    EXPECT_THAT(publication_sql(name, found, wanted, admin().server_version()), IsEmpty());
    return statements.size();
  }
  std::vector<std::string> published(const std::string& name) {
    return run_task(loop_, find_publication(admin(), name)).value().tables;
  }

  event::Loop loop_;
  Connection admin_{loop_, options()};
};
std::unique_ptr<Postgres> PublicationTest::postgres_;

std::vector<std::string> identity_of(const TableInfo& table) {
  std::vector<std::string> names;
  for (const auto& column : table.columns) {
    if (column.identity) names.push_back(column.name);
  }
  return names;
}

TEST_F(PublicationTest, FindsOrdinaryAndRootTablesOnly) {
  std::vector<std::string> names;
  for (const auto& [name, table] : tables(admin())) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("Odd \"schema\".it's.a table", "public.base", "public.by_index", "public.deferred",
                                 "public.empty_root", "public.heir", "public.keyless", "public.nothing",
                                 "public.parted", "public.plain", "public.silent", "public.uneven", "public.whole"));
}

TEST_F(PublicationTest, AsksOnlyForWhatIsWanted) {
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

TEST_F(PublicationTest, DescribesColumns) {
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

TEST_F(PublicationTest, KnowsWhatIdentifiesARow) {
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

TEST_F(PublicationTest, CountsARootsLeavesWhateverTheirDepth) {
  const TableInfo parted = tables(admin()).at("public.parted");
  EXPECT_TRUE(parted.partitioned);
  EXPECT_THAT(parted.leaves, ElementsAre("public.parted_2024", "public.parted_2025_a", "public.parted_2025_b"));
  EXPECT_EQ(parted.estimated_rows, 20000);
  EXPECT_EQ(parted.pages, std::stoll(postgres_->sql("SELECT sum(pg_relation_size(relid)) / 8192 FROM "
                                                    "pg_partition_tree('parted')")));
  EXPECT_THAT(tables(admin()).at("public.empty_root").leaves, IsEmpty());
}

TEST_F(PublicationTest, KnowsWhatAnotherRoleMay) {
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

TEST_F(PublicationTest, ReadsRowFiltersAndColumnLists) {
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

TEST_F(PublicationTest, IsCreatedAndBroughtToExactlyTheseTables) {
  const std::string name = "it's \"mine\"";
  EXPECT_EQ(run_task(loop_, find_publication(admin(), name)), std::nullopt);
  EXPECT_EQ(apply(name, pick({"public.plain", "Odd \"schema\".it's.a table", "public.parted"})), 1U);
  EXPECT_THAT(published(name), ElementsAre("Odd \"schema\".it's.a table", "public.parted", "public.plain"));
  EXPECT_EQ(apply(name, pick({"public.plain", "public.by_index", "public.base"})), 2U);
  EXPECT_THAT(published(name), ElementsAre("public.base", "public.by_index", "public.plain"));  // without heir
  EXPECT_EQ(apply(name, pick({"public.plain"})), 1U);
  EXPECT_EQ(apply(name, {}), 1U);
  EXPECT_THAT(published(name), IsEmpty());
  EXPECT_EQ(apply("empty from the start", {}), 1U);
}

TEST_F(PublicationTest, MendsOneThatSomebodyElseMade) {
  postgres_->sql(
      "CREATE PUBLICATION theirs FOR TABLE parted, parted_2024, heir, plain WHERE (id > 5) "
      "WITH (publish = 'insert')");
  const auto before = run_task(loop_, find_publication(admin(), "theirs")).value();
  EXPECT_TRUE(before.inserts);
  EXPECT_FALSE(before.updates || before.deletes || before.truncates || before.via_root || before.all_tables);
  EXPECT_THAT(before.tables, testing::Contains("public.parted_2025_a"));
  EXPECT_EQ(apply("theirs", pick({"public.parted", "public.plain"})), 2U);
  const auto after = run_task(loop_, find_publication(admin(), "theirs")).value();
  EXPECT_TRUE(after.inserts && after.updates && after.deletes && after.truncates && after.via_root);
  EXPECT_THAT(after.tables, ElementsAre("public.parted", "public.plain"));
  EXPECT_EQ(tables(admin(), "theirs").at("public.plain").row_filter, "(id > 5)");  // that stays theirs
}

TEST_F(PublicationTest, LeavesAllTablesAndWholeSchemasAlone) {
  postgres_->sql(
      "CREATE PUBLICATION everything FOR ALL TABLES; CREATE PUBLICATION one_schema FOR TABLES IN SCHEMA public "
      "WITH (publish_via_partition_root = true)");
  const auto everything = run_task(loop_, find_publication(admin(), "everything")).value();
  EXPECT_TRUE(everything.all_tables);
  EXPECT_THAT(everything.members, IsEmpty());
  EXPECT_EQ(apply("everything", pick({"public.plain"})), 0U);
  EXPECT_EQ(apply("one_schema", pick({"public.plain", "public.parted"})), 0U);
  EXPECT_EQ(apply("one_schema", pick({"public.plain", "Odd \"schema\".it's.a table"})), 1U);
}

TEST_F(PublicationTest, SaysWhoseItIs) {
  postgres_->sql("CREATE ROLE somebody LOGIN; CREATE PUBLICATION ours");
  EXPECT_TRUE(run_task(loop_, find_publication(admin(), "ours"))->owned);
  Connection somebody(loop_, options("somebody"));
  run_task(loop_, somebody.open());
  EXPECT_FALSE(run_task(loop_, find_publication(somebody, "ours"))->owned);
}

Oid oid_of(Postgres& postgres, const std::string& type) {
  return static_cast<Oid>(std::stoul(postgres.sql("SELECT '" + type + "'::regtype::oid")));
}

TEST_F(PublicationTest, LoadsTypesWithAllTheirParts) {
  postgres_->sql(
      "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
      "CREATE DOMAIN very_positive AS positive; CREATE DOMAIN tags AS text[];"
      "CREATE TYPE \"a Pair\" AS (first very_positive, \"the second\" mood[], dropped int, box box[]);"
      "ALTER TYPE \"a Pair\" DROP ATTRIBUTE dropped; CREATE TYPE nest AS (pairs \"a Pair\"[]);"
      "CREATE TYPE span AS RANGE (subtype = int4)");
  TypeCatalog catalog;
  const std::vector<std::string> names = {"nest", "tags", "span", "int2vector", "very_positive[]", "int4", "plain"};
  std::vector<Oid> oids;
  for (const std::string& name : names) oids.push_back(oid_of(*postgres_, name));
  run_task(loop_, load_types(admin(), oids, catalog));

  const ColumnType* nest = catalog.find(oids[0]);
  ASSERT_NE(nest, nullptr);
  EXPECT_EQ(nest->kind, TypeKind::composite);
  ASSERT_EQ(nest->fields.size(), 1U);
  EXPECT_EQ(nest->fields[0].type->kind, TypeKind::array);
  const ColumnType* pair = nest->fields[0].type->element;
  EXPECT_EQ(pair->name, "public.\"a Pair\"");
  ASSERT_EQ(pair->fields.size(), 3U);
  EXPECT_EQ(pair->fields[0].type->kind, TypeKind::integer);  // a domain over a domain
  EXPECT_EQ(pair->fields[0].type->oid, oid_of(*postgres_, "very_positive"));
  EXPECT_EQ(pair->fields[1].name, "the second");
  EXPECT_EQ(pair->fields[1].type->element->kind, TypeKind::enumeration);
  EXPECT_EQ(pair->fields[2].type->delimiter, ';');
  EXPECT_EQ(catalog.find(oids[1])->kind, TypeKind::array);
  EXPECT_EQ(catalog.find(oids[1])->element->kind, TypeKind::text);
  EXPECT_EQ(catalog.find(oids[2])->kind, TypeKind::other);
  EXPECT_EQ(catalog.find(oids[3])->kind, TypeKind::other);
  EXPECT_EQ(catalog.find(oids[4])->element->kind, TypeKind::integer);
  EXPECT_EQ(catalog.find(oids[6])->fields.size(), 3U);  // a table is a type too

  // Again: the same objects. After ALTER TYPE: a new one, and the old one as it was.
  run_task(loop_, load_types(admin(), oids, catalog));
  EXPECT_EQ(catalog.find(oids[0]), nest);
  postgres_->sql("ALTER TYPE \"a Pair\" ADD ATTRIBUTE fourth uuid");
  run_task(loop_, load_types(admin(), oids, catalog));
  EXPECT_NE(catalog.find(oids[0]), nest);
  EXPECT_EQ(catalog.find(oids[0])->fields[0].type->element->fields.size(), 4U);
  EXPECT_EQ(pair->fields.size(), 3U);
}

TEST_F(PublicationTest, ATypeThatIsGoneIsOfUnknownKind) {
  TypeCatalog catalog;
  run_task(loop_, load_types(admin(), {4000000000U}, catalog));
  EXPECT_EQ(catalog.find(4000000000U), nullptr);
}

}  // namespace
}  // namespace walrelay::replication
