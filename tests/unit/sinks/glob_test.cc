#include "sinks/glob.h"

#include <gtest/gtest.h>

#include <random>

#include "tables.h"

namespace walrelay::sinks {
namespace {

using testing::Table;

// One column of each type that limits its text, and a text.
Table typed() {
  return Table("public.t",
               {"i:integer:key", "n:numeric", "d:double precision", "u:uuid", "b:boolean", "y:bytea", "day:date",
                "at:timestamp with time zone", "clock:time without time zone", "s:text", "s2:text"});
}

BoundTemplate bound(Table& table, const std::string& text, const Captures& captures = {}) {
  return bind_template(parse_template(text), table.relation, captures);
}

struct GlobCase {
  std::string name, text, glob;
};
class Globs : public ::testing::TestWithParam<GlobCase> {};

TEST_P(Globs, AreEscaped) {
  Table table = typed();
  EXPECT_EQ(key_glob(bound(table, GetParam().text, {{"c", "*[a]"}})), GetParam().glob);
}

INSTANTIATE_TEST_SUITE_P(Glob, Globs,
                         ::testing::Values(GlobCase{"literal", "a:b", "a:b"}, GlobCase{"column", "user:{i}", "user:*"},
                                           GlobCase{"special", "*?[]\\^-{{{i}", "\\*\\?\\[\\]\\\\\\^-{*"},
                                           GlobCase{"capture", "{c}:{i}", "\\*\\[a\\]:*"},
                                           GlobCase{"adjacent", "{i}{s}:{s2}x", "*:*x"}),
                         [](const auto& tested) { return tested.param.name; });

struct OwnsCase {
  std::string text, key;
  bool owned;
};
class Owning : public ::testing::TestWithParam<OwnsCase> {};

TEST_P(Owning, IsExact) {
  Table table = typed();
  EXPECT_EQ(KeyMatcher(bound(table, GetParam().text))(GetParam().key), GetParam().owned);
}

const std::string kUuid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
INSTANTIATE_TEST_SUITE_P(
    Glob, Owning,
    ::testing::Values(
        OwnsCase{"k", "k", true}, OwnsCase{"k", "kk", false}, OwnsCase{"k", "", false},
        // integers
        OwnsCase{"k:{i}", "k:0", true}, OwnsCase{"k:{i}", "k:-42", true},
        OwnsCase{"k:{i}", "k:9223372036854775807", true}, OwnsCase{"k:{i}", "k:92233720368547758070", false},
        OwnsCase{"k:{i}", "k:", false}, OwnsCase{"k:{i}", "k:-", false}, OwnsCase{"k:{i}", "k:-0", false},
        OwnsCase{"k:{i}", "k:007", false}, OwnsCase{"k:{i}", "k:4x", false}, OwnsCase{"k:{i}", "k:4:5", false},
        OwnsCase{"k:{i}", "x:4", false}, OwnsCase{"{i}{i}", "1", false}, OwnsCase{"{i}{i}", "12", true},
        OwnsCase{"{i|enc}", "12", true},
        // other numbers
        OwnsCase{"{n}", "1.2500", true}, OwnsCase{"{n}", "-0.5", true}, OwnsCase{"{n}", "NaN", true},
        OwnsCase{"{n}", "-Infinity", true}, OwnsCase{"{n}", "1e5", false}, OwnsCase{"{n}", "1.", false},
        OwnsCase{"{n}", ".5", false}, OwnsCase{"{n}", "", false}, OwnsCase{"{n}", "Inf", false},
        OwnsCase{"{n}", "01", false}, OwnsCase{"{d}", "1e+20", true}, OwnsCase{"{d}", "1.5e-07", true},
        OwnsCase{"{d}", "-0", true}, OwnsCase{"{d}", "1e", false}, OwnsCase{"{d}", "1e20", false},
        // fixed forms
        OwnsCase{"{u}", kUuid, true}, OwnsCase{"{u}", kUuid.substr(1), false}, OwnsCase{"{u}", kUuid + "0", false},
        OwnsCase{"{u}", "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0", false}, OwnsCase{"{u|enc}", kUuid, true},
        OwnsCase{"{b}", "t", true}, OwnsCase{"{b}", "true", false}, OwnsCase{"{b}", "", false},
        OwnsCase{"{y}", "\\x", true}, OwnsCase{"{y}", "\\x0aff", true}, OwnsCase{"{y}", "\\x0", false},
        OwnsCase{"{y}", "0aff", false}, OwnsCase{"{day}", "2024-01-02", true}, OwnsCase{"{day}", "infinity", true},
        OwnsCase{"{day}", "", false}, OwnsCase{"{day}", "2024-01-02x", false},
        OwnsCase{"{at}", "2024-01-02 03:04:05.678+00", true}, OwnsCase{"{at}", "0044-03-15 00:00:00+00 BC", true},
        OwnsCase{"{at|enc}", "2024-01-02%2003%3A04%3A05+00", true},
        OwnsCase{"{at|enc}", "2024-01-02 03:04:05+00", false}, OwnsCase{"{clock}", "03:04:05", true},
        OwnsCase{"{clock}", "3 o'clock", false},
        // text
        OwnsCase{"k:{s}", "k:", true}, OwnsCase{"k:{s}", "k:a:b", true},
        OwnsCase{"k:{s}", std::string("k:\0", 3), false}, OwnsCase{"k:{s|enc}", "k:a:b", false},
        OwnsCase{"k:{s|enc}", "k:a%3Ab", true}, OwnsCase{"k:{s|enc}", "k:a%3ab", false},
        OwnsCase{"k:{s|enc}", "k:a%41", false}, OwnsCase{"k:{s|enc}", "k:a%", false},
        OwnsCase{"k:{s|enc}", "k:a%3", false}, OwnsCase{"k:{s|enc}", "k:a b", false},
        OwnsCase{"k:{s|enc}", "k:%00", false}, OwnsCase{"k:{s|enc}:{s2|enc}", "k:a:b", true},
        OwnsCase{"k:{s|enc}:{s2|enc}", "k:a:b:c", false}, OwnsCase{"k:{s|enc}:{s2|enc}", "k:a", false},
        // splits
        OwnsCase{"{s}:{i}", "a:b:7", true}, OwnsCase{"{s}:{i}", "a:7:b", false}, OwnsCase{"{i}{s}x", "12xx", true},
        OwnsCase{"{s}:{i}:{s2}", "a:b:7:c:d", true}, OwnsCase{"{s}:{i}:{s2}", "a:b:c:d", false},
        OwnsCase{"{s}aa{i}", "aaa1", true}, OwnsCase{"{i}-{i}", "-1--1", true}, OwnsCase{"a{s}a", "a", false},
        OwnsCase{"a{s}a", "aa", true}),
    [](const auto& tested) { return "case_" + std::to_string(tested.index); });

// Random templates over all columns, with random rows.
class RandomKeys {
 public:
  explicit RandomKeys(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  std::string text_template(const Table& table) {
    std::string text = literal();
    for (std::uint32_t parts = 1 + below(3); parts > 0; --parts) {
      const auto& columns = table.relation.columns;
      text += "{" + columns[below(static_cast<std::uint32_t>(columns.size()))].name + (below(2) == 0 ? "|enc}" : "}");
      text += literal();
    }
    return text;
  }

  // As typed() has its columns.
  std::vector<std::string> row() {
    const auto one_of = [this](std::initializer_list<const char*> all) {
      return std::string(all.begin()[below(static_cast<std::uint32_t>(all.size()))]);
    };
    return {one_of({"0", "-1", "42", "2147483647", "-2147483648"}),
            one_of({"0", "1.2500", "-0.001", "NaN", "Infinity", "123456789012345678901234567890"}),
            one_of({"0", "-0", "1e+300", "1.5e-07", "-Infinity", "3.25"}),
            kUuid,
            one_of({"t", "f"}),
            one_of({"\\x", "\\x00ff"}),
            one_of({"2024-01-02", "0044-03-15 BC", "-infinity", "5874897-12-31"}),
            one_of({"2024-01-02 03:04:05.678+00", "infinity", "0044-03-15 00:00:00+00 BC"}),
            one_of({"03:04:05", "24:00:00", "00:00:00.000001"}),
            one_of({"", "a", "a:b", "{x}", "100%", "ü \t", "7", "-"}),
            one_of({"", "b", ":", "::", "%3A", "12"})};
  }

 private:
  std::string literal() {
    constexpr const char* kLiterals[] = {"", ":", "k:", "a", "-", "*", "7"};
    return kLiterals[below(7)];
  }
  std::mt19937 random_;
};

TEST(Glob, TemplatesOwnTheKeysTheyMake) {
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    RandomKeys random(seed);
    Table table = typed();
    const std::string text = random.text_template(table);
    SCOPED_TRACE("seed " + std::to_string(seed) + " template " + text);
    const BoundTemplate key = bound(table, text);
    const KeyMatcher owns(key);
    const auto row = random.row();
    std::string made;
    ASSERT_EQ(key.render(table.row(testing::Cells(row.begin(), row.end())), made), std::nullopt);
    EXPECT_TRUE(owns(made)) << made;
    const std::string zero(1, '\0');  // no text of PostgreSQL has one
    EXPECT_FALSE(owns(zero + made)) << made;
    EXPECT_FALSE(owns(made + zero)) << made;
  }
}

TEST(Glob, EncodedTemplatesOwnNoKeysOfOthers) {
  Table table = typed();
  const BoundTemplate two = bound(table, "t:{s|enc}:{s2|enc}"), one = bound(table, "t:{s|enc}"),
                      number = bound(table, "t:{i}"), other = bound(table, "u:{s|enc}");
  const std::vector<const BoundTemplate*> all{&two, &one, &number, &other};
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    RandomKeys random(seed);
    auto row = random.row();
    row[9] += "x";  // so that a text is never a number
    for (std::size_t made_by = 0; made_by < all.size(); ++made_by) {
      std::string made;
      all[made_by]->render(table.row(testing::Cells(row.begin(), row.end())), made);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const bool number_as_text = made_by == 2 && i == 1;  // 42 is also a text
        EXPECT_EQ(KeyMatcher(*all[i])(made), i == made_by || number_as_text) << seed << " " << made << " " << i;
      }
    }
  }
}

TEST(Glob, LongKeysWithManySplitsAreQuick) {
  Table table = typed();
  const KeyMatcher owns(bound(table, "{s}a{s2}a{s}a{s2}a{s}a{s2}b"));
  EXPECT_FALSE(owns(std::string(20'000, 'a')));
  EXPECT_TRUE(owns(std::string(20'000, 'a') + "b"));
}

}  // namespace
}  // namespace walrelay::sinks
