// The catalogue of built-in types, and relations made from messages.
#include <gtest/gtest.h>

#include "replication/binary_text.h"
#include "replication/relation_message.h"

namespace walrelay::replication {
namespace {

struct BuiltinCase {
  Oid oid, array;
  TypeKind kind;
  const char* name;
};

TEST(TypeCatalog, KnowsTheBuiltInTypesAndTheirArrays) {
  const TypeCatalog catalog;
  for (const auto& [oid, array, kind, name] : std::vector<BuiltinCase>{
           {16, 1000, TypeKind::boolean, "boolean"},
           {17, 1001, TypeKind::bytea, "bytea"},
           {18, 1002, TypeKind::text, "\"char\""},
           {20, 1016, TypeKind::integer, "bigint"},
           {21, 1005, TypeKind::integer, "smallint"},
           {23, 1007, TypeKind::integer, "integer"},
           {25, 1009, TypeKind::text, "text"},
           {26, 1028, TypeKind::integer, "oid"},
           {114, 199, TypeKind::json, "json"},
           {600, 1017, TypeKind::other, "point"},
           {700, 1021, TypeKind::floating, "real"},
           {869, 1041, TypeKind::other, "inet"},
           {1043, 1015, TypeKind::text, "character varying"},
           {1082, 1182, TypeKind::date, "date"},
           {1083, 1183, TypeKind::time, "time without time zone"},
           {1114, 1115, TypeKind::timestamp, "timestamp without time zone"},
           {1184, 1185, TypeKind::timestamptz, "timestamp with time zone"},
           {1186, 1187, TypeKind::interval, "interval"},
           {1266, 1270, TypeKind::timetz, "time with time zone"},
           {1700, 1231, TypeKind::numeric, "numeric"},
           {2950, 2951, TypeKind::uuid, "uuid"},
           {3802, 3807, TypeKind::json, "jsonb"},
           {4451, 6150, TypeKind::other, "int4multirange"},
       }) {
    const auto* type = catalog.find(oid);
    const auto* array_type = catalog.find(array);
    ASSERT_TRUE(type != nullptr && array_type != nullptr) << name;
    EXPECT_EQ(type->oid, oid);
    EXPECT_EQ(type->kind, kind) << name;
    EXPECT_EQ(type->name, name);
    EXPECT_EQ(array_type->oid, array);
    EXPECT_EQ(array_type->kind, TypeKind::array) << name;
    EXPECT_EQ(array_type->element, type) << name;
    EXPECT_EQ(array_type->name, std::string(name) + "[]");
  }
  EXPECT_EQ(catalog.find(0), nullptr);
  EXPECT_EQ(catalog.find(16384), nullptr);
}

TEST(TypeCatalog, OnlyArraysOfBoxesHaveSemicolons) {
  const TypeCatalog catalog;
  EXPECT_EQ(catalog.find(1020)->delimiter, ';');
  EXPECT_EQ(catalog.find(1007)->delimiter, ',');
}

TEST(TypeCatalog, LeavesReplacedTypesToThoseWhoPointToThem) {
  TypeCatalog catalog;
  ColumnType mood;
  mood.oid = 20000;
  mood.name = "public.mood";
  const auto* first = catalog.add(mood);
  mood.name = "public.feeling";
  const auto* second = catalog.add(mood);
  EXPECT_EQ(catalog.find(20000), second);
  EXPECT_EQ(first->name, "public.mood");
  EXPECT_EQ(second->name, "public.feeling");
}

TEST(BinaryIsExact, ForTheTypesThatAreNamedAndNoOthers) {
  const TypeCatalog catalog;
  for (const Oid oid :
       {16U,   17U,   18U,   19U,   20U,   21U,   23U,   25U,   26U,   114U,  650U,  700U,  701U,  869U,
        1042U, 1043U, 1082U, 1083U, 1114U, 1184U, 1186U, 1266U, 1700U, 2950U, 3802U, 1007U, 1009U, 3807U}) {
    EXPECT_TRUE(binary_is_exact(*catalog.find(oid))) << catalog.find(oid)->name;
  }
  for (const Oid oid :
       {22U, 24U, 28U, 142U, 600U, 603U, 790U, 829U, 1560U, 2205U, 3220U, 3614U, 3904U, 5069U, 1020U, 1006U}) {
    EXPECT_FALSE(binary_is_exact(*catalog.find(oid))) << catalog.find(oid)->name;
  }
}

TEST(BinaryIsExact, ForDomainsAndEnumerationsButNotForForeignTypes) {
  ColumnType type;
  type.oid = 20000;
  type.kind = TypeKind::integer;
  type.name = "integer";  // a domain appears as its base
  EXPECT_TRUE(binary_is_exact(type));
  type.kind = TypeKind::text;
  type.name = "public.integer";
  EXPECT_FALSE(binary_is_exact(type));
  type.kind = TypeKind::enumeration;
  EXPECT_TRUE(binary_is_exact(type));
  type.kind = TypeKind::composite;
  EXPECT_FALSE(binary_is_exact(type));
  ColumnType array;
  array.kind = TypeKind::array;
  EXPECT_FALSE(binary_is_exact(array)) << "its element is not known";
  array.element = &type;
  EXPECT_FALSE(binary_is_exact(array));
}

TEST(MakeRelation, CarriesTheMessage) {
  const std::vector<pgoutput::RelationColumnMessage> columns = {{true, "id", 23, -1}, {false, "name", 1043, 24}};
  pgoutput::RelationMessage message{16385, "public", "users", ReplicaIdentity::index, columns};
  const auto relation = make_relation(message);
  EXPECT_EQ(relation->oid, 16385U);
  EXPECT_EQ(relation->qualified(), "public.users");
  EXPECT_EQ(relation->identity, ReplicaIdentity::index);
  ASSERT_EQ(relation->columns.size(), 2U);
  EXPECT_TRUE(relation->columns[0].identity);
  EXPECT_FALSE(relation->columns[0].primary);
  EXPECT_EQ(relation->columns[1].name, "name");
  EXPECT_EQ(relation->columns[1].type_oid, 1043U);
  EXPECT_EQ(relation->columns[1].type_modifier, 24);
  EXPECT_EQ(relation->columns[1].type, nullptr);
  EXPECT_GT(make_relation(message)->version, relation->version);
}

TEST(MakeRelation, AnEmptySchemaIsTheCatalogue) {
  EXPECT_EQ(make_relation({1259, "", "pg_class", ReplicaIdentity::nothing, {}})->qualified(), "pg_catalog.pg_class");
}

TEST(MakeRelation, ConvertsNames) {
  const std::vector<pgoutput::RelationColumnMessage> columns = {{true,
                                                                 "stra\xDF"
                                                                 "e",
                                                                 25, -1}};
  const auto latin1 = Encoding::make("LATIN1");
  const auto relation = make_relation({1,
                                       "\xFC"
                                       "ber",
                                       "\xE9t\xE9", ReplicaIdentity::full, columns},
                                      latin1.get());
  EXPECT_EQ(relation->qualified(), "über.été");
  EXPECT_EQ(relation->columns[0].name, "straße");
}

}  // namespace
}  // namespace walrelay::replication
