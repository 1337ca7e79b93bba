// Which keys a mapping may have, by the table's replica identity.
#include "sinks/key_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs.h"
#include "tables.h"

namespace walrelay::sinks {
namespace {

using testing::hash;
using ::testing::HasSubstr;
using testing::mapping;
using testing::Table;

struct RuleCase {
  std::string name;
  Table table;
  std::string key;
  std::vector<std::string> messages;  // none: accepted
};
class KeyRules : public ::testing::TestWithParam<RuleCase> {};

TEST_P(KeyRules, Hold) {
  MappingSpec spec = mapping("m", GetParam().table.relation.qualified(), {hash(GetParam().key)});
  spec.writes[0].where = "walrelay.yaml:12:9";
  const std::string message = testing::bind_error({spec}, GetParam().table);
  if (GetParam().messages.empty()) {
    EXPECT_EQ(message, "accepted");
    return;
  }
  EXPECT_THAT(message, HasSubstr("mapping m, table public.t, hash at walrelay.yaml:12:9: "));
  for (const std::string& part : GetParam().messages) EXPECT_THAT(message, HasSubstr(part));
}

Table keyed(const std::vector<std::string>& columns) { return {"public.t", columns}; }

Table nothing(Table table) {
  table.relation.identity = testing::ReplicaIdentity::nothing;
  for (auto& column : table.relation.columns) column.identity = false;
  return table;
}

// The identity is a unique index on `name`, not the primary key.
Table by_index() {
  Table table = keyed({"id:integer:key", "name:text", "other:text"});
  table.relation.identity = testing::ReplicaIdentity::index;
  table.relation.columns[0].identity = false;
  table.relation.columns[1].identity = true;
  return table;
}

INSTANTIATE_TEST_SUITE_P(
    Mapping, KeyRules,
    ::testing::Values(
        RuleCase{"simple", keyed({"id:integer:key", "name:text"}), "k:{id}", {}},
        RuleCase{"unknown_column",
                 keyed({"id:integer:key", "name:text"}),
                 "k:{id}:{nmae}",
                 {"key: there is no column \"nmae\"; did you mean \"name\"?"}},
        RuleCase{"missing_one",
                 keyed({"id:integer:key", "part:integer:key", "name:text"}),
                 "k:{id}",
                 {"the key lacks the column part, and rows would overwrite each other", "as in {part}"}},
        RuleCase{"missing_several",
                 keyed({"id:integer:key", "part:integer:key", "name:text"}),
                 "k",
                 {"the key lacks the columns id, part, and rows would overwrite each other; add them"}},
        RuleCase{"outside_identity",
                 keyed({"id:integer:key", "na\"me:text"}),
                 "k:{id}:{na\"me}",
                 {"the key uses the column na\"me outside the table's replica identity, which a DELETE does not carry",
                  "ALTER TABLE \"public\".\"t\" REPLICA IDENTITY FULL;", "a unique index on (\"id\", \"na\"\"me\")",
                  "REPLICA IDENTITY USING INDEX"}},
        RuleCase{"full_may_use_any", keyed({"id:integer:key", "name:text"}).full(), "k:{id}:{name}", {}},
        RuleCase{"full_needs_primary_key",
                 keyed({"id:integer:key", "name:text"}).full(),
                 "k:{name}",
                 {"lacks the column id"}},
        RuleCase{"full_without_primary_key", keyed({"id:integer", "name:text"}).full(), "k:{name}", {}},
        RuleCase{"full_without_any_column", keyed({"id:integer"}).full(), "k", {"the key contains no column"}},
        RuleCase{"index_identity", by_index(), "k:{name}", {}},
        RuleCase{"index_identity_missing", by_index(), "k:{id}", {"lacks the column name"}},
        RuleCase{"index_identity_outside", by_index(), "k:{name}:{id}", {"uses the column id outside"}},
        RuleCase{"identity_nothing",
                 nothing(keyed({"id:integer:key"})),
                 "k:{id}",
                 {"the table has REPLICA IDENTITY NOTHING", "ALTER TABLE \"public\".\"t\" REPLICA IDENTITY DEFAULT;"}},
        RuleCase{"no_primary_key",
                 keyed({"id:integer"}),
                 "k:{id}",
                 {"the table has no primary key", "ALTER TABLE \"public\".\"t\" ADD PRIMARY KEY (...);",
                  "ALTER TABLE \"public\".\"t\" REPLICA IDENTITY FULL;"}}),
    [](const auto& tested) { return tested.param.name; });

// What mends an identity that is declared and not there: by the index, where the table has one.
TEST(DeclaredIdentity, NamesTheIndexToUse) {
  MappingSpec spec = mapping("m", "public.t", {hash("k:{id}")});
  spec.identity = {IdentitySpec::Form::columns, {"name", "id"}};
  Table table = keyed({"id:integer:key", "name:text"});
  EXPECT_THAT(
      testing::bind_error({spec}, table),
      HasSubstr("mend it with CREATE UNIQUE INDEX \"t_identity\" ON \"public\".\"t\" (\"name\", \"id\"); ALTER TABLE "
                "\"public\".\"t\" REPLICA IDENTITY USING INDEX \"t_identity\";"));
  table.relation.candidates = {{"other", {"name"}}, {"by_both", {"id", "name"}}};
  const std::string message = testing::bind_error({spec}, table);
  EXPECT_THAT(message,
              HasSubstr("mend it with ALTER TABLE \"public\".\"t\" REPLICA IDENTITY USING INDEX \"by_both\";"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("CREATE")));
}

}  // namespace
}  // namespace walrelay::sinks
