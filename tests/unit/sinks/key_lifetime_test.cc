// How long keys live, in the commands of the kinds that have a ttl, and what a comparison expects.
#include "sinks/key_lifetime.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "bound.h"

namespace walrelay::sinks {
namespace {

using std::chrono::milliseconds;
using testing::absent;
using testing::Bound;
using ::testing::ElementsAre;
using testing::hash;
using ::testing::HasSubstr;
using testing::including;
using testing::null;
using testing::Outcome;
using testing::string;
using testing::Table;
using testing::unchanged;
using testing::until;
using testing::with;
using testing::with_lifetime;

constexpr const char* kZoned = "timestamp with time zone";

// A table with one column of each type that a moment is made of.
Table leases() {
  return {"public.leases", {"id:integer:key", std::string("at:") + kZoned, "ms:bigint", "text:text", "doc:jsonb"}};
}
testing::Cells lease(const testing::Cell& at, const testing::Cell& ms = null, const testing::Cell& text = null) {
  return {"1", at, ms, text, null};
}

TEST(KeyLifetime, AHashLivesUntilItsRowsMoment) {
  Bound bound(leases(), {with_lifetime(including(hash("l:{id}"), {"id", "doc"}), until("at"))});
  bound.apply(bound.table.insert(lease("2026-02-05 10:00:00.25+00")));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET l:1 id 1", "HDEL l:1 doc", "PEXPIREAT l:1 1770285600250"));
  bound.apply(bound.table.update(lease(null)));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET l:1 id 1", "HDEL l:1 doc", "PERSIST l:1"));
  bound.apply(bound.table.update(lease("infinity")));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET l:1 id 1", "HDEL l:1 doc", "PERSIST l:1"));
  // Redis removes the key at once, whoever does it again.
  bound.apply(bound.table.update(lease("1970-01-01 00:00:00+00")));
  EXPECT_THAT(bound.lines(), ElementsAre("HSET l:1 id 1", "HDEL l:1 doc", "PEXPIREAT l:1 1"));
  bound.writer->replace(bound.table.row(lease("2026-02-05 10:00:00+00")), false, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK l:1", "HSET l:1 id 1", "PEXPIREAT l:1 1770285600000"));
  bound.writer->replace(bound.table.row(lease(null)), true, bound.batch);
  EXPECT_THAT(bound.lines(), ElementsAre("HSET l:1 id 1"));
}

TEST(KeyLifetime, AStringLivesUntilItsRowsMoment) {
  Bound bound(leases(), {with_lifetime(string("l:{id}", "text"), until("ms", "s"))});
  bound.apply(bound.table.insert(lease(null, "1770285600", "x")));
  EXPECT_THAT(bound.lines(), ElementsAre("SET l:1 x PXAT 1770285600000"));
  bound.apply(bound.table.update(lease(null, null, "x")));
  EXPECT_THAT(bound.lines(), ElementsAre("SET l:1 x"));  // which takes away any other
  bound.apply(bound.table.update(lease(null, "0", "x")));
  EXPECT_THAT(bound.lines(), ElementsAre("SET l:1 x PXAT 1"));
}

struct MomentCase {
  std::string at, unit;
  milliseconds add;
  testing::Cells row;
  std::string expected;  // of PEXPIREAT; empty: PERSIST
};
class Moments : public ::testing::TestWithParam<MomentCase> {};

TEST_P(Moments, AreReckonedToTheMillisecond) {
  const MomentCase& tested = GetParam();
  Lifetime lifetime = until(tested.at, tested.unit);
  lifetime.add = tested.add;
  Bound bound(leases(), {with_lifetime(including(hash("l:{id}"), {"id"}), lifetime)});
  bound.apply(bound.table.insert(tested.row));
  EXPECT_EQ(bound.lines().back(), tested.expected.empty() ? "PERSIST l:1" : "PEXPIREAT l:1 " + tested.expected);
}

const milliseconds kNone{0};
INSTANTIATE_TEST_SUITE_P(
    KeyLifetime, Moments,
    ::testing::Values(MomentCase{"at", "", kNone, lease("2026-02-05 10:00:00+00"), "1770285600000"},
                      MomentCase{"at", "", milliseconds(60000), lease("2026-02-05 10:00:00+00"), "1770285660000"},
                      MomentCase{"at", "ms", kNone, lease("2026-02-05 10:00:00.0009+00"), "1770285600000"},
                      MomentCase{"at", "", kNone, lease("-infinity"), "1"},
                      MomentCase{"at", "", kNone, lease("294276-01-01 00:00:00+00"), "4000000000000000000"},
                      MomentCase{"text", "", kNone, lease(null, null, "2026-02-05T10:00:00Z"), "1770285600000"},
                      MomentCase{"text", "", kNone, lease(null, null, "2026-02-05T10:00:00+01:00"), "1770282000000"},
                      MomentCase{"text", "", kNone, lease(null, null, "2026-02-05"), "1770249600000"},
                      MomentCase{"text", "s", kNone, lease(null, null, "1770285600.5"), "1770285600500"},
                      MomentCase{"ms", "s", kNone, lease(null, "1770285600"), "1770285600000"},
                      MomentCase{"ms", "ms", kNone, lease(null, "1770285600001"), "1770285600001"},
                      MomentCase{"ms", "us", milliseconds(5), lease(null, "1770285600001999"), "1770285600006"},
                      MomentCase{"ms", "s", kNone, lease(null, "9223372036854775807"), "4000000000000000000"},
                      MomentCase{"ms", "ms", kNone, lease(null, "-9223372036854775808"), "1"},
                      MomentCase{"ms * 1000 + 1", "us", kNone, lease(null, "1770285600000"), "1770285600000"},
                      MomentCase{"ms / 1000.0", "s", kNone, lease(null, "1770285600250"), "1770285600250"},
                      MomentCase{"CASE WHEN text = 'held' THEN at END", "", kNone,
                                 lease("2026-02-05 10:00:00.5+00", null, "held"), "1770285600500"},
                      MomentCase{"CASE WHEN text = 'held' THEN at END", "", kNone, lease("2026-02-05 10:00:00.5+00"),
                                 ""}),
    [](const auto& tested) { return "case_" + std::to_string(tested.index); });

TEST(KeyLifetime, ARowWithoutAMomentInItIsRefused) {
  Bound text(leases(), {with_lifetime(hash("l:{id}"), until("text"))});
  EXPECT_THAT(text.row_error(text.table.insert(lease(null, null, "soon"))),
              HasSubstr("table public.leases, hash: ttl.at: column text is neither a timestamp nor a number in a row"));
  EXPECT_THAT(text.row_error(text.table.insert(lease(null, null, "1770285600"))), HasSubstr("\"unit\""));
  EXPECT_TRUE(text.batch.empty());
  EXPECT_THAT(
      testing::bind_error({testing::mapping("m", "leases", {with_lifetime(hash("l:{id}"), until("ms"))})}, leases()),
      HasSubstr("ttl.at: column ms is a number; say whether it counts s, ms or us"));
  EXPECT_THAT(
      testing::bind_error({testing::mapping("m", "leases", {with_lifetime(hash("l:{id}"), until("att"))})}, leases()),
      HasSubstr("ttl.at: "));
}

// The hash may have gone since, so that nothing that is unchanged can be relied on; nor is its moment known.
TEST(KeyLifetime, WithATtlARowMustSayEverything) {
  Bound bound(leases(), {with_lifetime(hash("l:{id}"), until("at"))});
  EXPECT_EQ(bound.apply(bound.table.update({"1", null, null, null, unchanged})), Outcome::reread);
  EXPECT_EQ(bound.apply(bound.table.update({"1", unchanged, null, null, null})), Outcome::reread);
  EXPECT_TRUE(bound.batch.empty());
  Bound computed(leases(), {with_lifetime(including(hash("l:{id}"), {"id"}), until("doc->>'at'"))});
  EXPECT_EQ(computed.apply(computed.table.update({"1", null, null, null, unchanged})), Outcome::reread);
  EXPECT_TRUE(computed.batch.empty());
  bound.apply(bound.table.remove({"1", absent, absent, absent, absent}));
  EXPECT_THAT(bound.lines(), ElementsAre("UNLINK l:1"));
}

TEST(KeyLifetime, JitterShortensByTheKey) {
  Lifetime lifetime;
  lifetime.constant = milliseconds(100000);
  lifetime.jitter = 10;
  Bound bound(leases(), {with_lifetime(including(hash("l:{id}"), {"id"}), lifetime)});
  std::set<long> seen;
  for (int id = 0; id < 200; ++id) {
    const std::string text = std::to_string(id);
    bound.apply(bound.table.insert({text, null, null, null, null}));
    const std::string line = bound.lines().back();
    const long ttl = std::stol(line.substr(line.rfind(' ') + 1));
    EXPECT_GE(ttl, 90000);
    EXPECT_LE(ttl, 100000);
    seen.insert(ttl);
    std::vector<Expectation> expected;
    bound.writer->expect(bound.table.row({text, null, null, null, null}), expected);
    EXPECT_EQ(expected.at(0).ttl.count(), ttl);
  }
  EXPECT_GT(seen.size(), 150U);
  EXPECT_LT(*seen.begin(), 91000);
  EXPECT_GT(*seen.rbegin(), 99000);
  // It is the same for ever: a key that was written by an earlier version is expected to live as long.
  bound.apply(bound.table.insert({"7", null, null, null, null}));
  EXPECT_EQ(bound.lines().back(), "PEXPIRE l:7 90875");
}

TEST(KeyLifetime, IsExpected) {
  Bound bound(leases(), {with_lifetime(including(hash("l:{id}"), {"id"}), until("at")),
                         testing::if_cached(string("c:{id}", "text")),
                         testing::if_cached(with_lifetime(string("t:{id}", "text"), until("ms", "ms")))});
  std::vector<Expectation> expected;
  bound.writer->expect(bound.table.row(lease("2026-02-05 10:00:00+00", "5000", "x")), expected);
  ASSERT_EQ(expected.size(), 3U);
  EXPECT_EQ(expected[0].deadline, 1770285600000);
  EXPECT_FALSE(expected[0].cached);
  EXPECT_TRUE(expected[1].cached);
  EXPECT_TRUE(expected[1].any_ttl);
  EXPECT_EQ(expected[1].deadline, 0);
  EXPECT_TRUE(expected[2].cached);
  EXPECT_FALSE(expected[2].any_ttl);
  EXPECT_EQ(expected[2].deadline, 5000);
  expected.clear();
  bound.writer->expect(bound.table.row(lease(null)), expected);
  EXPECT_EQ(expected[0].deadline, 0);
  EXPECT_TRUE(ExpectedEnd(expected[0]).never());
}

}  // namespace
}  // namespace walrelay::sinks
