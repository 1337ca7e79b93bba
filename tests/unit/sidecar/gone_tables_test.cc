// What Redis keeps of a table whose keys are to go with it.
#include "sidecar/gone_tables.h"

#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using replication::TableInfo;

TableInfo odd_table() {
  TableInfo info;
  info.oid = 4000000000U;
  info.schema = "my schema";
  info.name = "a \"b\"\n\xc3\xa4";
  info.identity = replication::ReplicaIdentity::full;
  info.columns = {{.name = "id", .type_oid = 23, .type_modifier = -1, .identity = true, .primary = true, .number = 1},
                  {.name = "price", .type_oid = 1700, .type_modifier = 655366, .identity = true, .number = 2},
                  {.name = "made", .type_oid = 25, .generated = true, .number = 3}};
  return info;
}

TEST(TableNote, KeepsWhatKeysAreMadeOf) {
  const TableInfo info = odd_table();
  const auto again = parse_table_note(table_note(info));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->oid, info.oid);
  EXPECT_EQ(again->qualified(), info.qualified());
  EXPECT_EQ(again->identity, info.identity);
  ASSERT_EQ(again->columns.size(), 2U) << "a generated column is not streamed";
  EXPECT_EQ(again->columns[0].name, "id");
  EXPECT_TRUE(again->columns[0].primary);
  EXPECT_EQ(again->columns[1].type_oid, 1700U);
  EXPECT_EQ(again->columns[1].type_modifier, 655366);
  EXPECT_TRUE(again->columns[1].identity);
  EXPECT_FALSE(again->columns[1].primary);
  EXPECT_EQ(table_note(*again), table_note(info));
}

TEST(TableNote, WhatIsNoneIsNothing) {
  for (const char* text : {"", "{", "[]", "{}", "\"x\"", R"({"oid":0,"schema":"s","name":"n","identity":"d"})",
                           R"({"oid":7,"schema":"s","identity":"d"})", R"({"oid":7,"schema":"s","name":"n"})",
                           R"({"oid":"7","schema":"s","name":"n","identity":"d"})"}) {
    EXPECT_FALSE(parse_table_note(text)) << text;
  }
}

}  // namespace
}  // namespace walrelay::sidecar
