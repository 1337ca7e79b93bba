#include "sinks/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sinks/nearest_name.h"
#include "tables.h"

namespace walrelay::sinks {
namespace {

using testing::Cells;
using ::testing::HasSubstr;
using testing::Table;

Table sample() { return Table("shop.items", {"id:integer:key", "name:text", "a b:text", "Größe:text", "queue:text"}); }

struct RenderCase {
  std::string name, text;
  Cells row;
  std::string key;
};
class Rendering : public ::testing::TestWithParam<RenderCase> {};

TEST_P(Rendering, GivesTheKey) {
  Table table = sample();
  const auto bound = bind_template(parse_template(GetParam().text), table.relation, {{"queue", "q{1}"}, {"part", ""}});
  std::string key = "kept ";
  EXPECT_EQ(bound.render(table.row(GetParam().row), key), std::nullopt);
  EXPECT_EQ(key, "kept " + GetParam().key);
}

const Cells kRow{"7", "x:y %{z}\t\x7f", "with space", "groß", "column"};
INSTANTIATE_TEST_SUITE_P(
    Template, Rendering,
    ::testing::Values(RenderCase{"literal", "plain:key", kRow, "plain:key"}, RenderCase{"empty", "", kRow, ""},
                      RenderCase{"column", "item:{id}", kRow, "item:7"},
                      RenderCase{"raw_text", "{name}", kRow, "x:y %{z}\t\x7f"},
                      RenderCase{"encoded", "{name|enc}", kRow, "x%3Ay%20%25%7Bz%7D%09%7F"},
                      RenderCase{"encoded_integer", "{id|enc}!", kRow, "7!"},
                      RenderCase{"braces", "{{{id}}}", kRow, "{7}"}, RenderCase{"only_braces", "{{}}{{", kRow, "{}{"},
                      RenderCase{"odd_names", "{a b}/{Größe}", kRow, "with space/groß"},
                      RenderCase{"capture_before_column", "{queue}:{id}", kRow, "q{1}:7"},
                      RenderCase{"encoded_capture", "{queue|enc}:{id}", kRow, "q%7B1%7D:7"},
                      RenderCase{"empty_capture", "<{part}>", kRow, "<>"},
                      RenderCase{"built_in", "{schema}.{table}:{id}", kRow, "shop.items:7"},
                      RenderCase{"adjacent", "{id}{id}{name|enc}", Cells{"1", "", "", "", ""}, "11"}),
    [](const auto& tested) { return tested.param.name; });

TEST(Template, AColumnNamedTableComesBeforeTheBuiltInName) {
  Table table("public.t", {"table:text:key"});
  const auto bound = bind_template(parse_template("{table}:{schema}"), table.relation, {});
  std::string key;
  bound.render(table.row({"column"}), key);
  EXPECT_EQ(key, "column:public");
}

struct SyntaxCase {
  std::string name, text, message;
};
class TemplateSyntax : public ::testing::TestWithParam<SyntaxCase> {};

TEST_P(TemplateSyntax, SaysWhatIsWrongWhere) {
  try {
    parse_template(GetParam().text);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().text));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Template, TemplateSyntax,
    ::testing::Values(
        SyntaxCase{"unclosed", "user:{id", "never closed; write '{{' for a brace in the key (character 6)"},
        SyntaxCase{"nested", "{a{b}}", "never closed"},
        SyntaxCase{"stray", "user:id}", "closes nothing; write '}}' for a brace in the key (character 8)"},
        SyntaxCase{"nameless", "{}", "needs the name of a column"},
        SyntaxCase{"nameless_encoded", "{|enc}", "needs the name of a column"},
        SyntaxCase{"modifier", "{id|hex}", "unknown modifier \"hex\"; the only one is \"enc\""}),
    [](const auto& tested) { return tested.param.name; });

TEST(Template, AnUnknownColumnComesWithASuggestion) {
  Table table = sample();
  try {
    bind_template(parse_template("{nmae}"), table.relation, {});
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "there is no column \"nmae\"; did you mean \"name\"?");
  }
}

TEST(Template, TellsTheFirstColumnWithoutText) {
  Table table = sample();
  const auto bound = bind_template(parse_template("{id}:{name}"), table.relation, {});
  for (const auto& missing : {testing::null, testing::absent, testing::unchanged}) {
    std::string key;
    EXPECT_EQ(bound.render(table.row({"1", missing, "", "", ""}), key), std::optional<std::size_t>(1));
  }
}

TEST(Template, EncodingIsInjective) {
  // Every text of up to three of these bytes, alone and as two parts joined by a colon.
  const std::string letters("a:%{} 25\x01\xC3", 11);
  std::vector<std::string> texts{""};
  for (std::size_t from = 0, size = 0; size < 3; ++size) {
    const std::size_t end = texts.size();
    for (; from < end; ++from) {
      for (const char letter : letters) texts.push_back(texts[from] + letter);
    }
  }
  std::set<std::string> keys;
  for (const std::string& text : texts) {
    std::string key;
    append_encoded(key, text);
    EXPECT_TRUE(keys.insert(key).second) << text;
    EXPECT_EQ(key.find_first_of(": {}\x01"), std::string::npos) << key;
  }
}

TEST(DidYouMean, FindsNearNamesOnly) {
  const std::vector<std::string> known{"customer_id", "created_at", "id"};
  EXPECT_EQ(did_you_mean("custmer_id", known), "; did you mean \"customer_id\"?");
  EXPECT_EQ(did_you_mean("Created_At", known), "; did you mean \"created_at\"?");
  EXPECT_EQ(did_you_mean("di", known), "; did you mean \"id\"?");
  EXPECT_EQ(did_you_mean("address", known), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace walrelay::sinks
