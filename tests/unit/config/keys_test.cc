// The table of keys, and what is made from it: schema, documentation, example.
#include "config/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>
#include <sstream>

#include "config/key_values.h"
#include "config/schema.h"
#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string file_text(const std::string& path) {
  std::ifstream in(std::string(SOURCE_DIRECTORY) + "/" + path);
  EXPECT_TRUE(in.is_open()) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Keys, NamesAreUniqueAlsoInTheEnvironment) {
  std::set<std::string> names, variables;
  for (const Key& key : keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(variables.insert(environment_name(key.name)).second) << key.name;
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_TRUE(key.help.ends_with('.')) << key.name;
    EXPECT_TRUE(key.stands_for.empty() || find_key(key.stands_for) != nullptr) << key.name;
  }
  EXPECT_EQ(environment_name("source.password_file"), "WALRELAY_SOURCE_PASSWORD_FILE");
}

// A default that the key itself would refuse could not be written down.
TEST(Keys, DefaultsAreValid) {
  Config defaults;
  for (const Key& key : keys()) {
    const std::string text = effective(key, defaults);
    if (text.empty()) continue;
    Config changed;
    EXPECT_EQ(assign(key, text, "it", changed), "") << key.name;
    EXPECT_EQ(effective(key, changed), text) << key.name;
  }
}

TEST(Keys, SecretsHaveAFileBesideThem) {
  for (const Key& key : keys()) {
    const bool secret = key.type == Type::secret || key.type == Type::url;
    EXPECT_TRUE(!secret || find_key(key.name + "_file") != nullptr) << key.name;
  }
}

TEST(Schema, HoldsEveryKeyKindAndParameter) {
  const YAML::Node schema = YAML::Load(json_schema(testing::kinds()));  // JSON is YAML
  EXPECT_EQ(schema["$schema"].as<std::string>(), "http://json-schema.org/draft-07/schema#");
  for (const Key& key : keys()) {
    YAML::Node at = YAML::Clone(schema["properties"]);
    std::stringstream path(key.name);
    std::string word;
    std::string seen;
    while (std::getline(path, word, '.')) {
      if (!seen.empty()) {
        at = at["anyOf"] && !at["properties"] ? at["anyOf"][0]["properties"] : at["properties"];
      }
      seen += "/" + word;
      at = YAML::Clone(at[word]);
      ASSERT_TRUE(at.IsMap()) << seen;
    }
  }
  const YAML::Node write = schema["definitions"]["write"]["properties"];
  EXPECT_EQ(write.size(), testing::kinds().size());
  for (const KindRule& kind : testing::kinds()) {
    for (const ParameterRule& rule : kind.parameters) {
      EXPECT_TRUE(write[kind.name]["properties"][rule.name].IsMap()) << kind.name << "." << rule.name;
    }
  }
  EXPECT_EQ(write["hash"]["required"][0].as<std::string>(), "key");
  for (const ListedKey& key : mapping_keys()) {
    EXPECT_TRUE(schema["definitions"]["mapping"]["properties"][key.name].IsMap()) << key.name;
  }
  for (const ListedKey& key : ttl_classes_keys()) {
    EXPECT_TRUE(schema["properties"]["ttl_classes"]["properties"][key.name].IsMap()) << key.name;
  }
  EXPECT_EQ(schema["properties"]["flush"]["properties"]["interval"]["default"].as<std::string>(), "100ms");
  EXPECT_EQ(schema["properties"]["flush"]["properties"]["batch_size"]["default"].as<int>(), 1000);
}

TEST(Schema, ShippedFileHasTheSameKeys) {
  const YAML::Node shipped = YAML::Load(file_text("config/walrelay.schema.json"));
  const YAML::Node made = YAML::Load(json_schema(testing::kinds()));
  EXPECT_EQ(YAML::Dump(shipped["properties"]), YAML::Dump(made["properties"]))
      << "write it anew: walrelay config schema > config/walrelay.schema.json";
}

TEST(Example, LoadsAndIsTheShippedFile) {
  EXPECT_THAT(testing::mistakes(example()), IsEmpty());
  EXPECT_EQ(testing::load(example()).mappings.size(), 2U);
  EXPECT_EQ(example(), file_text("config/walrelay.example.yaml"))
      << "write it anew: walrelay config example > config/walrelay.example.yaml";
}

// The part of the page between two comments.
std::string generated_part(const std::string& page, const std::string& name) {
  const std::string begin = "<!-- begin " + name + " -->\n";
  const std::size_t start = page.find(begin);
  const std::size_t end = page.find("<!-- end " + name + " -->");
  EXPECT_NE(start, std::string::npos) << name;
  EXPECT_NE(end, std::string::npos) << name;
  if (start == std::string::npos || end == std::string::npos) return "";
  return page.substr(start + begin.size(), end - start - begin.size());
}

TEST(Documentation, ListsEveryKeyAsTheTableHasIt) {
  EXPECT_EQ(generated_part(file_text("docs/configuration.md"), "keys"), reference_of_keys())
      << "put the text above between the comments of docs/configuration.md";
}

TEST(Documentation, KindsAreListedWithTheirParameters) {
  const std::string text = reference_of_kinds(testing::kinds());
  EXPECT_THAT(text, HasSubstr("### `hash`\n\nA hash of the row's columns.\n\n"));
  EXPECT_THAT(text, HasSubstr("| `key` | template | yes | Key. |\n"));
  EXPECT_THAT(text, HasSubstr("| `format` | `raw`, `json` |  | How. |\n"));
  EXPECT_THAT(text, HasSubstr("| `score` | expression |  | Score. |\n"
                              "| `on` | `all`, `insert`, `delete`, or a list of them |  | When. |\n"
                              "| `maxlen` | number |  | How many. |\n"
                              "| `ttl` | lifetime |  | Time to live. |\n"
                              "| `explode` | explode |  | What of. |\n"
                              "| `tables` | tables |  | Which tables. |\n"));
}

}  // namespace
}  // namespace walrelay::config
