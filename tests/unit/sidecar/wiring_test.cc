// What the user wrote arrives at the sinks as it was written, and the kinds of write at the configuration.
#include "sidecar/wiring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walrelay::sidecar {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

std::vector<sinks::MappingSpec> specs(const std::string& text) {
  using enum config::Shape;
  static const std::vector<config::KindRule> kinds = {{"all",
                                                       "",
                                                       {{"key", template_},
                                                        {"column", column},
                                                        {"profile", choice, false, {"plain", "go"}},
                                                        {"on", choices, false, {"insert", "delete"}},
                                                        {"after", duration},
                                                        {"maxlen", number},
                                                        {"bare", flag},
                                                        {"columns", columns},
                                                        {"score", expression},
                                                        {"ttl", lifetime},
                                                        {"explode", explode},
                                                        {"tables", tables}}}};
  const auto none = [](const std::string&) -> std::optional<std::string> { return std::nullopt; };
  return mapping_specs(config::load_text("source: {host: h}\n" + text, "w.yaml", none, kinds, {}));
}

TEST(Wiring, EveryShapeOfTheSinksIsKnown) {
  const auto rules = kind_rules();
  ASSERT_EQ(rules.size(), sinks::kinds().size());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& described = sinks::kinds()[i];
    EXPECT_EQ(rules[i].name, described.name);
    ASSERT_EQ(rules[i].parameters.size(), described.parameters.size());
    for (std::size_t j = 0; j < described.parameters.size(); ++j) {
      EXPECT_EQ(rules[i].parameters[j].name, described.parameters[j].name);
      EXPECT_EQ(rules[i].parameters[j].required, described.parameters[j].required);
      EXPECT_EQ(rules[i].parameters[j].choices, described.parameters[j].choices);
      // Both list the same shapes in the same order.
      EXPECT_EQ(static_cast<int>(rules[i].parameters[j].shape), static_cast<int>(described.parameters[j].shape));
    }
  }
}

TEST(Wiring, EveryParameterArrives) {
  const auto found = specs(R"(
mappings:
  - table: t
    write:
      all: {key: k, column: c, profile: go, on: [insert, delete], after: 5s, maxlen: 7, bare: true, score: 1 + 1,
            columns: {exclude: [a], rename: {b: c}}, explode: {column: s, field: key, value: value, where: type},
            ttl: {for: 1s, jitter: 10, refresh: on_change}, tables: {o: id}}
)");
  const auto& write = found.at(0).writes.at(0);
  EXPECT_EQ(write.kind, "all");
  EXPECT_EQ(write.where, "w.yaml:6:7");
  const auto& parameters = write.parameters;
  EXPECT_EQ(parameters.at("key").text + parameters.at("column").text + parameters.at("profile").text, "kcgo");
  EXPECT_THAT(parameters.at("on").include, ElementsAre("insert", "delete"));
  EXPECT_EQ(parameters.at("after").duration, std::chrono::seconds(5));
  EXPECT_EQ(parameters.at("maxlen").number, 7U);
  EXPECT_TRUE(parameters.at("bare").flag);
  EXPECT_EQ(parameters.at("score").text, "1 + 1");
  EXPECT_THAT(parameters.at("columns").exclude, ElementsAre("a"));
  EXPECT_THAT(parameters.at("columns").rename, ElementsAre(Pair("b", "c")));
  EXPECT_THAT(parameters.at("tables").rename, ElementsAre(Pair("o", "id")));
  const auto& explode = parameters.at("explode").explode;
  EXPECT_EQ(explode.column + " " + explode.field + " " + explode.value + " " + explode.where, "s key value type");
  const auto& life = parameters.at("ttl").lifetime;
  EXPECT_EQ(life.constant, std::chrono::seconds(1));
  EXPECT_EQ(life.jitter, 10U);
  EXPECT_TRUE(life.on_change);
}

TEST(Wiring, ALifetimeUntilAnInstantArrives) {
  const auto found = specs("mappings: [{table: t, write: {all: {ttl: {at: d, unit: us, add: 1m}}}}]\n");
  const auto& life = found.at(0).writes.at(0).parameters.at("ttl").lifetime;
  EXPECT_EQ(life.at + life.unit, "dus");
  EXPECT_EQ(life.add, std::chrono::minutes(1));
  EXPECT_EQ(life.constant.count(), 0);
  EXPECT_FALSE(life.on_change);
}

TEST(Wiring, LetsAndIdentityArrive) {
  const auto found = specs(R"(mappings:
  - {table: a, let: {z: "1", b: z + 1}, identity: [uid, x], write: {all: {key: k}}}
  - {table: b, identity: primary_key, write: {all: {key: k}}}
  - {table: c, identity: full, write: {all: {key: k}}}
  - {table: d, write: {all: {key: k}}}
)");
  using Form = sinks::IdentitySpec::Form;
  EXPECT_THAT(found.at(0).let, ElementsAre(Pair("z", "1"), Pair("b", "z + 1")));
  EXPECT_EQ(found[0].identity.form, Form::columns);
  EXPECT_THAT(found[0].identity.columns, ElementsAre("uid", "x"));
  EXPECT_EQ(found.at(1).identity.form, Form::primary_key);
  EXPECT_EQ(found.at(2).identity.form, Form::full);
  EXPECT_EQ(found.at(3).identity.form, Form::any);
  EXPECT_THAT(found[3].let, IsEmpty());
}

// A mapping without a word of its own does as all do.
TEST(Wiring, PoisonRows) {
  const std::string mappings = R"(mappings:
  - {table: a, write: {all: {key: k}}}
  - {table: b, on_poison: stop, write: {all: {key: k}}}
  - {table: c, on_poison: dead_letter, write: {all: {key: k}}}
  - {table: d, on_poison: skip, write: {all: {key: k}}}
)";
  const auto words = [](const std::vector<sinks::MappingSpec>& all) {
    std::vector<sinks::OnPoison> out;
    for (const auto& spec : all) out.push_back(spec.on_poison);
    return out;
  };
  using enum sinks::OnPoison;
  EXPECT_THAT(words(specs(mappings)), ElementsAre(stop, stop, dead_letter, skip));
  EXPECT_THAT(words(specs("on_row_error: halt\n" + mappings)), ElementsAre(stop, stop, dead_letter, skip));
  EXPECT_THAT(words(specs("on_row_error: dead_letter\n" + mappings)),
              ElementsAre(dead_letter, stop, dead_letter, skip));
}

}  // namespace
}  // namespace walrelay::sidecar
