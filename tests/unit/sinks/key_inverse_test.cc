// Keys read back: every reading, no other, and quickly.
#include "sinks/key_inverse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "sinks/glob.h"
#include "tables.h"

namespace walrelay::sinks {
namespace {

using ::testing::IsEmpty;
using testing::Table;
using ::testing::UnorderedElementsAreArray;

using Texts = std::vector<std::string>;

Table typed() { return Table("public.t", {"i:integer:key", "n:numeric", "u:uuid", "s:text", "s2:text"}); }

BoundTemplate bound(const Table& table, const std::string& text) {
  return bind_template(parse_template(text), table.relation, {});
}

std::optional<std::string> rendered(const BoundTemplate& key, const KeyReading& reading) {
  std::vector<replication::Value> row(5, replication::Value{replication::ValueState::absent, {}});
  for (const auto& [column, text] : reading.columns) row[column] = {replication::ValueState::text, text};
  std::string made;
  if (key.render(row, made)) return std::nullopt;
  return made;
}

// "i=7 s=a"
std::string shown(const Table& table, const KeyReading& reading) {
  std::string line;
  for (const auto& [column, text] : reading.columns) {
    line += (line.empty() ? "" : " ") + table.relation.columns[column].name + "=" + text;
  }
  return line;
}

struct ReadingCase {
  std::string text, key;
  Texts readings;
};
class Readings : public ::testing::TestWithParam<ReadingCase> {};

TEST_P(Readings, AreAllFound) {
  const Table table = typed();
  const KeyInverse inverse(bound(table, GetParam().text));
  std::vector<KeyReading> readings(1);  // what it held goes
  ASSERT_TRUE(inverse.readings(GetParam().key, 100, readings));
  Texts lines;
  for (const KeyReading& reading : readings) lines.push_back(shown(table, reading));
  EXPECT_THAT(lines, UnorderedElementsAreArray(GetParam().readings));
}

const std::string kUuid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
INSTANTIATE_TEST_SUITE_P(
    KeyInverse, Readings,
    ::testing::Values(ReadingCase{"k", "k", {""}}, ReadingCase{"k", "kk", {}}, ReadingCase{"k:{i}", "k:42", {"i=42"}},
                      ReadingCase{"k:{i}", "k:", {}}, ReadingCase{"k:{i}", "k:x", {}}, ReadingCase{"k:{i}", "x:1", {}},
                      ReadingCase{"k:{i}!", "k:1", {}}, ReadingCase{"{s}", "", {"s="}},
                      // splits
                      ReadingCase{"{s}:{s2}", "x:y:z", {"s=x s2=y:z", "s=x:y s2=z"}},
                      ReadingCase{"{s2}:{s}", "x:y", {"s=y s2=x"}},  // ascending by column
                      ReadingCase{"{s}:{i}", "x:4:7", {"i=7 s=x:4"}}, ReadingCase{"{i}{n}", "12.5", {"i=1 n=2.5"}},
                      ReadingCase{"{i}{n}", "123", {"i=1 n=23", "i=12 n=3"}},
                      ReadingCase{"{u}{s}", kUuid + "0", {"u=" + kUuid + " s=0"}},
                      ReadingCase{"{s}{u}", kUuid.substr(1), {}}, ReadingCase{"a{s}a", "aa", {"s="}},
                      ReadingCase{"a{s}a", "a", {}}, ReadingCase{"{s}aa{i}", "aaa1", {"i=1 s=a"}},
                      // %XX
                      ReadingCase{"{s|enc}:{s2|enc}", "a%3Ab:%25", {"s=a:b s2=%"}}, ReadingCase{"{s|enc}", "a%3ab", {}},
                      ReadingCase{"{s|enc}", "%4", {}}, ReadingCase{"{s|enc}", "%41", {}},
                      ReadingCase{"{s|enc}{s2}", "%25", {"s= s2=%25", "s=% s2="}},
                      // a column twice
                      ReadingCase{"{s}:{s}", "a:b:a:b", {"s=a:b"}}, ReadingCase{"{s}:{s}", "a:b", {}},
                      ReadingCase{"{i}-{i}", "-1--1", {"i=-1"}}, ReadingCase{"{s|enc}/{s}", "a%3Ab/a:b", {"s=a:b"}},
                      ReadingCase{"{s}/{s|enc}", "a:b/a%3Ab", {"s=a:b"}}, ReadingCase{"{s}/{s|enc}", "a%41/a%41", {}},
                      ReadingCase{"{s}{s2}{s}", "aaa", {"s= s2=aaa", "s=a s2=a"}}, ReadingCase{"{s}{s}", "aab", {}}),
    [](const auto& tested) { return "case_" + std::to_string(tested.index); });

// All texts of up to three letters in two columns, against all keys of up to three letters.
TEST(KeyInverse, FindsWhatTryingEverythingFinds) {
  Texts texts{""};
  for (std::size_t from = 0, size = 0; size < 3; ++size) {
    for (const std::size_t end = texts.size(); from < end; ++from) {
      for (const char letter : {'a', ':', '%', '2', '5'}) texts.push_back(texts[from] + letter);
    }
  }
  const Table table = typed();
  for (const char* text : {"{s}{s2}", "{s}:{s2}", "{s|enc}{s2}", "{s}a{s2|enc}", "{s2|enc}{s}{s2|enc}", "a{s}{s2}a"}) {
    const BoundTemplate key = bound(table, text);
    const KeyInverse inverse(key);
    std::map<std::string, std::multiset<std::string>> by_key;
    for (const std::string& s : texts) {
      for (const std::string& s2 : texts) {
        const KeyReading reading{{{3, s}, {4, s2}}};
        by_key[*rendered(key, reading)].insert(shown(table, reading));
      }
    }
    std::vector<KeyReading> readings;
    for (const std::string& made : texts) {
      ASSERT_TRUE(inverse.readings(made, 100, readings));
      std::multiset<std::string> lines;
      for (const KeyReading& reading : readings) lines.insert(shown(table, reading));
      EXPECT_EQ(lines, by_key[made]) << text << " " << made;
    }
  }
}

// Random templates over one to four columns, rows and keys.
class RandomKeys {
 public:
  explicit RandomKeys(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t limit) { return random_() % limit; }

  std::string text_template() {
    Texts columns{"i", "n", "u", "s", "s2"};
    std::shuffle(columns.begin(), columns.end(), random_);
    columns.resize(1 + below(4));
    repeats_ = below(4) == 0;
    if (repeats_) columns.push_back(columns[below(columns.size())]);
    std::string text = literal();
    for (const std::string& column : columns) text += "{" + column + (below(2) == 0 ? "|enc}" : "}") + literal();
    return text;
  }
  [[nodiscard]] bool repeats() const { return repeats_; }

  Texts row() {
    const auto one_of = [this](const Texts& all) { return all[below(all.size())]; };
    return {one_of({"0", "-1", "42", "-9223372036854775808"}), one_of({"0", "1.2500", "-0.001", "NaN", "-Infinity"}),
            kUuid, hostile(), hostile()};
  }

  // The key with a piece cut out, doubled, or another piece put in.
  std::string mutated(std::string key) {
    for (std::size_t times = 1 + below(3); times > 0; --times) {
      const std::size_t at = below(key.size() + 1), size = below(4);
      const std::string piece = below(3) == 0 ? hostile() : below(2) == 0 ? key.substr(at, size) : "";
      key.replace(at, below(2) == 0 ? size : 0, piece);
    }
    return key;
  }

 private:
  std::string literal() { return Texts{"", ":", "k:", "a", "-", "%", "7"}[below(7)]; }
  std::string hostile() {
    const Texts pieces{"a", ":", "::", "%", "%3A", "%25", "{", "}", " ", "\t", "7", "-1", "ü", "\xff", "\r\n", "k:"};
    std::string text;
    for (std::size_t left = below(6); left > 0; --left) text += pieces[below(pieces.size())];
    return text;
  }

  std::mt19937 random_;
  bool repeats_ = false;
};

constexpr std::size_t kMost = 200;

TEST(KeyInverse, FindsTheRowThatMadeTheKey) {
  std::size_t decided = 0;
  Table table = typed();
  for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
    RandomKeys random(seed);
    const std::string text = random.text_template();
    const Texts row = random.row();
    const BoundTemplate key = bound(table, text);
    const KeyInverse inverse(key);
    std::string made;
    key.render(table.row(testing::Cells(row.begin(), row.end())), made);
    SCOPED_TRACE("seed " + std::to_string(seed) + " template " + text + " key " + made);
    KeyReading original;
    for (const std::size_t column : inverse.columns()) original.columns.emplace_back(column, row[column]);
    std::vector<KeyReading> readings;
    if (!inverse.readings(made, kMost, readings)) {
      EXPECT_THAT(readings, IsEmpty());
      continue;
    }
    ++decided;
    std::size_t found = 0;
    for (const KeyReading& reading : readings) {
      EXPECT_EQ(rendered(key, reading), made);
      if (reading.columns == original.columns) ++found;
    }
    EXPECT_EQ(found, 1U);
  }
  EXPECT_GT(decided, 3000U);
}

TEST(KeyInverse, AgreesWithTheMatcher) {
  std::size_t accepted = 0, refused = 0;
  Table table = typed();
  for (std::uint32_t seed = 1; seed <= 4000; ++seed) {
    RandomKeys random(seed);
    const std::string text = random.text_template();
    const Texts row = random.row();
    const BoundTemplate key = bound(table, text);
    std::string made;
    key.render(table.row(testing::Cells(row.begin(), row.end())), made);
    const std::string tried = random.mutated(made);
    SCOPED_TRACE("seed " + std::to_string(seed) + " template " + text + " key " + tried);
    std::vector<KeyReading> readings;
    const bool all = KeyInverse(key).readings(tried, kMost, readings);
    if (!KeyMatcher(key)(tried)) {
      ++refused;
      EXPECT_TRUE(all);
      EXPECT_THAT(readings, IsEmpty());
    } else if (!random.repeats()) {  // the matcher does not compare the texts
      ++accepted;
      EXPECT_TRUE(!all || !readings.empty());
    }
    for (const KeyReading& reading : readings) EXPECT_EQ(rendered(key, reading), tried);
  }
  EXPECT_GT(accepted, 300U);
  EXPECT_GT(refused, 300U);
}

TEST(KeyInverse, SaysWhenThereAreMoreThanAskedFor) {
  const Table table = typed();
  const KeyInverse inverse(bound(table, "{s}:{s2}"));
  std::vector<KeyReading> readings;
  EXPECT_TRUE(inverse.readings("a:b:c:d", 3, readings));
  EXPECT_EQ(readings.size(), 3U);
  EXPECT_FALSE(inverse.readings("a:b:c:d", 2, readings));
  EXPECT_THAT(readings, IsEmpty());
  EXPECT_FALSE(inverse.readings("a:b", 0, readings));
  EXPECT_TRUE(inverse.readings("a", 0, readings));
  EXPECT_FALSE(KeyInverse(bound(table, "k")).readings("k", 0, readings));
}

TEST(KeyInverse, LongKeysWithManySplitsAreQuick) {
  const Table table = typed();
  const std::string letters(20'000, 'a');
  std::vector<KeyReading> readings;
  const KeyInverse splits(bound(table, "{s}a{s2}a{s}a{s2}a{s}a{s2}b"));
  EXPECT_TRUE(splits.readings(letters, 10, readings));
  EXPECT_THAT(readings, IsEmpty());
  EXPECT_FALSE(splits.readings(letters + "b", 10, readings));
  EXPECT_FALSE(KeyInverse(bound(table, "{s}a{s2}")).readings(letters, 10, readings));
  EXPECT_TRUE(KeyInverse(bound(table, "{s}aaab{s2|enc}c")).readings(letters + "b" + letters + "c", 10, readings));
  EXPECT_EQ(readings.size(), 1U);
  // No text fits, which only trying shows.
  EXPECT_FALSE(KeyInverse(bound(table, "{s}{s2}{s}{s2}c")).readings(letters + "bc", 10, readings));
  EXPECT_THAT(readings, IsEmpty());
}

}  // namespace
}  // namespace walrelay::sinks
