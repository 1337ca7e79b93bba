#include "config/expand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

const testing::Variables kVariables = {{"A", "alpha"}, {"EMPTY", ""}, {"EVIL", "${A} $$ : \"#\n- x"}, {"_x1", "under"}};

TEST(Expand, Values) {
  struct Row {
    const char* text;
    const char* expanded;
  };
  for (const Row& row : {
           Row{"plain", "plain"},
           Row{"", ""},
           Row{"${A}", "alpha"},
           Row{"<${A}${_x1}>", "<alphaunder>"},
           Row{"${EMPTY}", ""},
           Row{"${NONE:-default}", "default"},
           Row{"${NONE-default}", "default"},
           Row{"${NONE:-}", ""},
           Row{"${EMPTY:-default}", "default"},
           Row{"${EMPTY-default}", ""},
           Row{"${A:-default}", "alpha"},
           Row{"${A:?needed}", "alpha"},
           Row{"${EMPTY?needed}", ""},
           Row{"${NONE:-${A}}", "alpha"},
           Row{"${NONE:-${NONE2:-deep}}!", "deep!"},
           Row{"${NONE:-a$$b}", "a$b"},
           Row{"$$", "$"},
           Row{"$${A}", "${A}"},
           Row{"$$$${A}", "$${A}"},
           Row{"$$${A}", "$alpha"},
           Row{"a$b $1 $", "a$b $1 $"},
           Row{"^x$", "^x$"},
           Row{"{id}", "{id}"},
           Row{"${EVIL}", "${A} $$ : \"#\n- x"},  // a value is never read again
           Row{"${NONE:-postgres://u@h/d?x=1}", "postgres://u@h/d?x=1"},
       }) {
    const Expanded result = expand(row.text, testing::environment(kVariables));
    EXPECT_EQ(result.text, row.expanded) << row.text;
    EXPECT_THAT(result.complaints, ::testing::IsEmpty()) << row.text;
  }
}

TEST(Expand, Complaints) {
  const std::string form =
      "\"${...}\" must be ${NAME}, ${NAME:-default} or ${NAME:?message}; write \"$${\" for the characters themselves";
  const std::string open = "a \"${\" is not closed by \"}\"; write \"$${\" for the characters themselves";
  const auto unset = [](const std::string& name) {
    return "the environment variable " + name + " is not set; set it, or write ${" + name + ":-default}";
  };
  struct Row {
    std::string text;
    std::vector<std::string> complaints;
  };
  for (const Row& row : {
           Row{"${NONE}", {unset("NONE")}},
           Row{"${N1} ${N2}", {unset("N1"), unset("N2")}},
           Row{"${NONE:?set it in the pod}", {"the environment variable NONE: set it in the pod"}},
           Row{"${EMPTY:?set it}", {"the environment variable EMPTY: set it"}},
           Row{"${NONE?set it}", {"the environment variable NONE: set it"}},
           Row{"${NONE:?}", {unset("NONE")}},
           Row{"${NONE:-${N2}}", {unset("N2")}},
           Row{"${", {open}},
           Row{"${A", {open}},
           Row{"${NONE:-${A}", {open}},
           Row{"${}", {form}},
           Row{"${2}", {form}},
           Row{"${A B}", {form}},
           Row{"${A:}", {form}},
           Row{"${A:+x}", {form}},
       }) {
    EXPECT_EQ(expand(row.text, testing::environment(kVariables)).complaints, row.complaints) << row.text;
  }
}

TEST(Expand, NestingIsBounded) {
  std::string text = "end";
  for (int i = 0; i < 100; ++i) text = "${NONE:-" + text + "}";
  EXPECT_EQ(expand(text, testing::environment({})).complaints.size(), 1U);
}

TEST(Expand, NamesTheVariablesWhoseValuesItHolds) {
  EXPECT_THAT(expand("${NONE:-x} ${A} $$", testing::environment(kVariables)).variables, ::testing::ElementsAre("A"));
}

}  // namespace
}  // namespace walrelay::config
