// The shape `lifetime`: every form that is taken, and each mistake with its place.
#include "config/lifetime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using std::chrono::milliseconds;
using testing::load;
using testing::mistakes;

// The ttl begins in line 5, column 27.
std::string with(const std::string& ttl) {
  return "source: {url: postgres://h/d}\nttl_classes: {defaults: {assets: 5m, prices: 2s}}\n"
         "mappings:\n- table: t\n  write: {zset: {key: k, ttl: " +
         ttl + "}}\n";
}

Lifetime lifetime(const std::string& ttl, const testing::Variables& variables = {}) {
  const Parameter parameter = load(with(ttl), variables).mappings.at(0).writes.at(0).parameters.at("ttl");
  EXPECT_EQ(parameter.shape, Shape::lifetime);
  return parameter.lifetime;
}

TEST(Lifetime, OfATime) {
  for (const char* form : {"5m", "{for: 5m}", "{class: assets}", "\"${FIVE}\"", "{for: \"${FIVE}\"}",
                           "{class: \"${CLASS}\"}", "{for: 5m, jitter: 0, refresh: always}"}) {
    const Lifetime life = lifetime(form, {{"FIVE", "5m"}, {"CLASS", "assets"}});
    EXPECT_EQ(life.constant, milliseconds(300000)) << form;
    EXPECT_EQ(life.at + life.unit, "") << form;
    EXPECT_EQ(life.add, milliseconds(0)) << form;
    EXPECT_EQ(life.jitter, 0U) << form;
    EXPECT_FALSE(life.on_change) << form;
  }
  EXPECT_EQ(lifetime("0").constant, milliseconds(0));
  const Lifetime life = lifetime("{class: prices, jitter: 90, refresh: on_change}");
  EXPECT_EQ(life.constant, milliseconds(2000));
  EXPECT_EQ(life.jitter, 90U);
  EXPECT_TRUE(life.on_change);
}

TEST(Lifetime, UntilAnInstant) {
  const Lifetime life = lifetime("{at: \"deadline + 1\", unit: us, add: 1m}");
  EXPECT_EQ(life.at, "deadline + 1");
  EXPECT_EQ(life.unit, "us");
  EXPECT_EQ(life.add, milliseconds(60000));
  EXPECT_EQ(life.constant, milliseconds(0));
  EXPECT_EQ(lifetime("{at: deadline}").unit, "");
  EXPECT_EQ(lifetime("{unit: s, at: 0}").at, "0");
}

TEST(Lifetime, Mistakes) {
  const std::string rule = "write a whole number with its unit (ms, s, m, h or d), as in 100ms, 5s or 1h30m";
  struct Row {
    std::string ttl;
    std::vector<std::string> mistakes;  // with their columns
  };
  for (const Row& row : {
           Row{"60", {"31: zset.ttl: \"60\" has no unit; " + rule}},
           Row{"soon", {"31: zset.ttl: \"soon\" is no duration; " + rule}},
           Row{"", {"31: \"zset.ttl\" has no value; give one, or remove the key"}},
           Row{"[5m]", {"31: zset.ttl: must be a duration, or a map with \"for\", \"class\" or \"at\", not a list"}},
           Row{"{}", {"31: zset.ttl: says neither how long nor until when; give \"for\", \"class\" or \"at\""}},
           Row{"{jitter: 5, unit: s}",
               {"31: zset.ttl: says neither how long nor until when; give \"for\", \"class\" or \"at\""}},
           Row{"{clas: assets}",
               {"31: zset.ttl: says neither how long nor until when; give \"for\", \"class\" or \"at\"",
                "32: zset.ttl: unknown key \"clas\"; did you mean \"class\"?"}},
           Row{"{class: assets, for: 5m}",
               {"47: zset.ttl: \"class\" and \"for\" exclude each other; keep one of them"}},
           Row{"{for: 5m, class: assets}",
               {"41: zset.ttl: \"for\" and \"class\" exclude each other; keep one of them"}},
           Row{"{at: x, class: assets, jitter: 1}",
               {"39: zset.ttl: \"at\" and \"class\" exclude each other; keep one of them"}},
           Row{"{at: x, for: 1s, class: assets}",
               {"39: zset.ttl: \"at\" and \"for\" exclude each other; keep one of them",
                "48: zset.ttl: \"at\" and \"class\" exclude each other; keep one of them"}},
           Row{"{at: x, jitter: 10, refresh: always}",
               {"39: zset.ttl: \"jitter\" goes with \"for\" or \"class\", not with \"at\"",
                "51: zset.ttl: \"refresh\" goes with \"for\" or \"class\", not with \"at\""}},
           Row{"{class: assets, unit: ms, add: 1m}",
               {"47: zset.ttl: \"unit\" goes with \"at\" only", "57: zset.ttl: \"add\" goes with \"at\" only"}},
           Row{"{for: 5}", {"37: zset.ttl.for: \"5\" has no unit; " + rule}},
           Row{"{at: x, add: -1m}", {"44: zset.ttl.add: \"-1m\" is no duration; " + rule}},
           Row{"{at: ''}", {"36: zset.ttl.at: must not be empty"}},
           Row{"{at: x, unit: h}", {"45: zset.ttl.unit: \"h\" is not allowed; write s, ms or us"}},
           Row{"{for: 5m, jitter: 91}", {"49: zset.ttl.jitter: must be from 0 to 90, so many of a hundred"}},
           Row{"{for: 5m, jitter: -1}", {"49: zset.ttl.jitter: \"-1\" is less than 0"}},
           Row{"{for: 5m, jitter: 10%}", {"49: zset.ttl.jitter: \"10%\" is no whole number"}},
           Row{"{for: 5m, refresh: yes}", {"50: zset.ttl.refresh: \"yes\" is not allowed; write always or on_change"}},
           Row{"{class: [assets]}", {"39: \"zset.ttl.class\" must be a single value, not a list"}},
           Row{"{class: asets}", {"39: zset.ttl.class: unknown class \"asets\"; did you mean \"assets\"?"}},
           Row{"{class: lineage}",
               {"39: zset.ttl.class: unknown class \"lineage\"; \"ttl_classes\" has assets or prices"}},
           Row{"{class: \"not a name\"}", {"39: zset.ttl.class: unknown class; \"ttl_classes\" has assets or prices"}},
       }) {
    std::vector<std::string> expected;
    for (const std::string& mistake : row.mistakes) expected.push_back("w.yaml:5:" + mistake);
    EXPECT_EQ(mistakes(with(row.ttl)), expected) << row.ttl;
  }
}

// What stands in a variable may be a secret.
TEST(Lifetime, AClassFromAVariableIsNotShown) {
  EXPECT_THAT(
      mistakes(with("{class: \"${SECRET}\"}"), {{"SECRET", "hunter2"}}),
      ::testing::ElementsAre("w.yaml:5:39: zset.ttl.class: unknown class; \"ttl_classes\" has assets or prices"));
}

}  // namespace
}  // namespace walrelay::config
