// WAL positions in PostgreSQL's notation, and the order of positions.
#include "replication/lsn.h"

#include <gtest/gtest.h>

namespace walrelay::replication {
namespace {

struct LsnCase {
  const char* text;
  std::uint64_t number;
};

TEST(Lsn, PrintsAndReadsPostgresNotation) {
  for (const auto& [text, number] : std::vector<LsnCase>{
           {"0/0", 0},
           {"0/1", 1},
           {"16/B374D848", 0x16B374D848},
           {"1/0", 0x100000000},
           {"FFFFFFFF/FFFFFFFF", ~std::uint64_t{0}},
       }) {
    EXPECT_EQ(to_string(Lsn{number}), text);
    EXPECT_EQ(parse_lsn(text), Lsn{number}) << text;
  }
}

TEST(Lsn, ReadsLowerCaseAndLeadingZeros) {
  EXPECT_EQ(parse_lsn("0000000a/0000000f"), Lsn{0xA0000000F});
  EXPECT_EQ(parse_lsn("ab/cDeF"), Lsn{0xAB0000CDEF});
}

TEST(Lsn, RefusesEverythingElse) {
  for (const char* text : {"", "/", "0", "0/", "/0", "0/0/0", " 0/0", "0/0 ", "0x0/0", "-1/0", "+1/0", "G/0", "0/G",
                           "123456789/0", "0/123456789", "0-0", "0 /0"}) {
    EXPECT_EQ(parse_lsn(text), std::nullopt) << text;
  }
}

TEST(Lsn, DistanceIsSigned) {
  EXPECT_EQ(distance(Lsn{100}, Lsn{160}), 60);
  EXPECT_EQ(distance(Lsn{160}, Lsn{100}), -60);
}

TEST(Position, OpenPartsLieBehindWhatIsCommittedBefore) {
  const Position nothing;
  const Position committed{.committed = Lsn{100}};
  const Position first_part{.committed = Lsn{100}, .open_commit = Lsn{150}, .changes = 10};
  const Position second_part{.committed = Lsn{100}, .open_commit = Lsn{150}, .changes = 20};
  const Position all{.committed = Lsn{160}};
  EXPECT_LT(nothing, committed);
  EXPECT_LT(committed, first_part);
  EXPECT_LT(first_part, second_part);
  EXPECT_LT(second_part, all);
  EXPECT_EQ(first_part, first_part);
  EXPECT_NE(first_part, second_part);
}

}  // namespace
}  // namespace walrelay::replication
