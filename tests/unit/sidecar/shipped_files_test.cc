// What is shipped beside the program says what the program says.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "config/schema.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {
namespace {

std::string file(const std::string& path) {
  std::ifstream in(std::string(SOURCE_DIRECTORY) + "/" + path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(ShippedFiles, TheJsonSchemaIsWhatTheProgramPrints) {
  EXPECT_EQ(file("config/walrelay.schema.json"), config::json_schema(kind_rules()))
      << "run: walrelay config schema > config/walrelay.schema.json";
}

TEST(ShippedFiles, TheReferenceNamesEveryKindAndParameter) {
  const std::string text = file("docs/configuration.md");
  const std::string begin = "<!-- begin kinds -->\n", end = "<!-- end kinds -->";
  const std::size_t from = text.find(begin), to = text.find(end);
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  const std::string written = text.substr(from + begin.size(), to - from - begin.size());
  const std::string made = config::reference_of_kinds(kind_rules());
  EXPECT_NE(written.find(made), std::string::npos) << "between the kinds marks of docs/configuration.md should stand:\n"
                                                   << made;
}

TEST(ShippedFiles, EveryParameterOfEveryKindIsAccepted) {
  for (const auto& kind : kind_rules()) {
    std::string yaml =
        "source: {url: \"postgres://h/d\"}\nmappings:\n  - table: t\n    write:\n      - " + kind.name + ":\n";
    for (const auto& parameter : kind.parameters) {
      using Shape = config::ParameterRule::Shape;
      std::string value = "\"{id}\"";
      if (parameter.shape == Shape::duration) value = "5s";
      if (parameter.shape == Shape::flag) value = "true";
      if (parameter.shape == Shape::columns) value = "[a, b]";
      if (parameter.shape == Shape::column) value = "a";
      if (parameter.shape == Shape::choice) value = parameter.choices.at(0);
      if (parameter.shape == Shape::choices) value = "[" + parameter.choices.at(0) + "]";
      if (parameter.shape == Shape::number) value = "10";
      if (parameter.shape == Shape::expression) value = "\"a + 1\"";
      if (parameter.shape == Shape::lifetime) value = "{at: a, unit: ms}";
      if (parameter.shape == Shape::explode) value = "{column: a, field: key, value: value}";
      if (parameter.shape == Shape::tables) value = "{t: id}";
      yaml += "          " + parameter.name + ": " + value + "\n";
    }
    const auto none = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
    const auto config = config::load_text(yaml, "kind.yaml", none, kind_rules(), {});
    const auto specs = mapping_specs(config);
    ASSERT_EQ(specs.size(), 1U);
    EXPECT_EQ(specs[0].writes.at(0).parameters.size(), kind.parameters.size()) << kind.name;
  }
}

}  // namespace
}  // namespace walrelay::sidecar
