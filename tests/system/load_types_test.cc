// Types of a real server's catalogue, with all their parts.
#include "tests/system/catalogue_fixture.h"

namespace walrelay::replication {
namespace {

using LoadTypesTest = CatalogueTest;

Oid oid_of(Postgres& postgres, const std::string& type) {
  return static_cast<Oid>(std::stoul(postgres.sql("SELECT '" + type + "'::regtype::oid")));
}

TEST_F(LoadTypesTest, LoadsTypesWithAllTheirParts) {
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

TEST_F(LoadTypesTest, ATypeThatIsGoneIsOfUnknownKind) {
  TypeCatalog catalog;
  run_task(loop_, load_types(admin(), {4000000000U}, catalog));
  EXPECT_EQ(catalog.find(4000000000U), nullptr);
}

}  // namespace
}  // namespace walrelay::replication
