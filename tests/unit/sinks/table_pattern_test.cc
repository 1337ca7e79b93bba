#include "sinks/table_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walrelay::sinks {
namespace {

using ::testing::HasSubstr;

struct PatternCase {
  std::string name, expression, schema, table;
  std::optional<Captures> captures;
};
class Patterns : public ::testing::TestWithParam<PatternCase> {};

TEST_P(Patterns, Match) {
  const TablePattern pattern(GetParam().expression);
  EXPECT_EQ(pattern.match(GetParam().schema, GetParam().table), GetParam().captures);
}

INSTANTIATE_TEST_SUITE_P(
    TablePattern, Patterns,
    ::testing::Values(
        PatternCase{"named", R"(^public\.items_(?<queue>[0-9A-Za-z]+)_(?<partition>[0-9]+)$)", "public", "items_a1_42",
                    Captures{{"queue", "a1"}, {"partition", "42"}}},
        PatternCase{"anchored", R"(^public\.items$)", "public", "items_2", std::nullopt},
        PatternCase{"not_anchored", "items", "public", "old_items_2", Captures{}},
        PatternCase{"numbered_before_named", R"(^(\w+)\.(?:a|b)(?<n>\d+)$)", "s", "b7", Captures{{"n", "7"}}},
        PatternCase{"nested", R"(^(?<all>public\.(?<part>x.))$)", "public", "xy",
                    Captures{{"all", "public.xy"}, {"part", "xy"}}},
        PatternCase{"optional_group", R"(^public\.t(?<n>\d+)?$)", "public", "t", Captures{{"n", ""}}},
        PatternCase{"escaped_parenthesis", R"(^public\.\((?<n>.)\)$)", "public", "(7)", Captures{{"n", "7"}}},
        PatternCase{"class_with_parenthesis", R"(^public\.[(\]]+(?<n>.)$)", "public", "(]7", Captures{{"n", "7"}}},
        PatternCase{"posix_class", R"(^public\.[[:alpha:](]+(?<n>\d)$)", "public", "a(7", Captures{{"n", "7"}}},
        PatternCase{"lookahead", R"(^public\.(?!pg_)(?<n>.*)$)", "public", "users", Captures{{"n", "users"}}},
        PatternCase{"lookahead_refuses", R"(^public\.(?!pg_)(?<n>.*)$)", "public", "pg_x", std::nullopt}),
    [](const auto& tested) { return tested.param.name; });

struct BadPattern {
  std::string name, expression, message;
};
class BadPatterns : public ::testing::TestWithParam<BadPattern> {};

TEST_P(BadPatterns, AreRefused) {
  try {
    TablePattern pattern(GetParam().expression);
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr(GetParam().message));
  }
}

INSTANTIATE_TEST_SUITE_P(TablePattern, BadPatterns,
                         ::testing::Values(BadPattern{"unbalanced", "(a", "regular expression"},
                                           BadPattern{"unclosed_class", "[a", ""},
                                           BadPattern{"trailing_backslash", "a\\", ""},
                                           BadPattern{"unclosed_name", "(?<a", "a group's name"},
                                           BadPattern{"empty_name", "(?<>a)", "a group's name"},
                                           BadPattern{"odd_name", "(?<a-b>a)", "a group's name"},
                                           BadPattern{"digit_first", "(?<1a>a)", "a group's name"},
                                           BadPattern{"twice", "(?<a>.)(?<a>.)", "two groups have the name \"a\""},
                                           BadPattern{"python", "(?P<a>.)", "without P"},
                                           BadPattern{"lookbehind", "(?<=a)b", "looking behind"}),
                         [](const auto& tested) { return tested.param.name; });

TEST(TablePattern, LongNamesDoNotOverflowTheStack) {
  const TablePattern pattern(R"(^(?<s>(a|b|ab)*)\.(?<t>(\w|_)*)$)");
  const std::string schema(63, 'a'), table(63, 'b');
  EXPECT_EQ(pattern.match(schema, table), (Captures{{"s", schema}, {"t", table}}));
}

}  // namespace
}  // namespace walrelay::sinks
