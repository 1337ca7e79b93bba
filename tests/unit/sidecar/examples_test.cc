// The configurations of examples/ are valid: every key, kind and parameter in them is one that the program knows.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "config/load.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {
namespace {

using Variables = std::map<std::string, std::string>;

config::Config load(const std::string& example, Variables variables = {}) {
  const std::string path = std::string(SOURCE_DIRECTORY) + "/examples/" + example + "/walrelay.yaml";
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  variables["DATABASE_URL"] = "postgres://h/d";
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  return config::load_text(text.str(), path, environment, kind_rules(), {});
}

TEST(Examples, EachLoadsAndHasItsFiles) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SOURCE_DIRECTORY) + "/examples")) {
    if (!entry.is_directory()) continue;
    ++count;
    SCOPED_TRACE(entry.path().string());
    for (const char* file : {"schema.sql", "rows.sql", "tour.txt", "README.md"}) {
      EXPECT_TRUE(std::filesystem::exists(entry.path() / file)) << file;
    }
    EXPECT_FALSE(mapping_specs(load(entry.path().filename().string())).empty());
  }
  EXPECT_EQ(count, 5U);
}

TEST(Examples, TheSchemaOfE4sIsTheEnvironments) {
  EXPECT_EQ(load("e4s").mappings.at(0).table, "e4s_index.meter_index");
  EXPECT_EQ(load("e4s", {{"INDEX_PERSISTENCE_SCHEMA", "other"}}).mappings.at(0).table, "other.meter_index");
}

TEST(Examples, BundlesOfTheHybridAreTheEnvironments) {
  const auto with = mapping_specs(load("hybrid")).size();
  EXPECT_EQ(mapping_specs(load("hybrid", {{"USE_REDIS_BUNDLES", "false"}})).size(), with - 1);
}

}  // namespace
}  // namespace walrelay::sidecar
