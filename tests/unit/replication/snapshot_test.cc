// Which transactions a snapshot sees, also where 32-bit transaction numbers have turned over.
#include "replication/snapshot.h"

#include <gtest/gtest.h>

namespace walrelay::replication {
namespace {

struct SeesCase {
  const char* snapshot;
  std::uint32_t xid;
  bool sees;
};

class SnapshotSees : public testing::TestWithParam<SeesCase> {};

TEST_P(SnapshotSees, AsPostgresWould) {
  const auto snapshot = Snapshot::parse(GetParam().snapshot);
  ASSERT_TRUE(snapshot.has_value()) << GetParam().snapshot;
  EXPECT_EQ(snapshot->sees(GetParam().xid), GetParam().sees) << GetParam().snapshot << " and " << GetParam().xid;
}

INSTANTIATE_TEST_SUITE_P(Plain, SnapshotSees,
                         testing::Values(SeesCase{"10:20:10,14", 9, true}, SeesCase{"10:20:10,14", 10, false},
                                         SeesCase{"10:20:10,14", 11, true}, SeesCase{"10:20:10,14", 13, true},
                                         SeesCase{"10:20:10,14", 14, false}, SeesCase{"10:20:10,14", 15, true},
                                         SeesCase{"10:20:10,14", 19, true}, SeesCase{"10:20:10,14", 20, false},
                                         SeesCase{"10:20:10,14", 21, false}, SeesCase{"10:20:10,14", 3, true},
                                         SeesCase{"20:20:", 19, true}, SeesCase{"20:20:", 20, false}));

// 4294967296 is 2^32: one turn. The stream names transaction 2^32 + 5 as 5.
INSTANTIATE_TEST_SUITE_P(
    SecondTurn, SnapshotSees,
    testing::Values(SeesCase{"4294967301:4294967310:4294967305", 4, true},            // before xmin, same turn
                    SeesCase{"4294967301:4294967310:4294967305", 5, true},            // xmin, not in the list
                    SeesCase{"4294967301:4294967310:4294967305", 9, false},           // in the list
                    SeesCase{"4294967301:4294967310:4294967305", 13, true},           //
                    SeesCase{"4294967301:4294967310:4294967305", 14, false},          // xmax
                    SeesCase{"4294967301:4294967310:4294967305", 4294967290, true},   // the turn before
                    SeesCase{"4294967301:4294967310:4294967305", 2147483653, true},   // half a turn behind xmin
                    SeesCase{"4294967301:4294967310:4294967305", 2147483600, false},  // half a turn ahead
                    SeesCase{"8589934597:8589934600:", 6, true}, SeesCase{"8589934597:8589934600:", 8, false}));

// The snapshot itself spans the turn.
INSTANTIATE_TEST_SUITE_P(AcrossTheTurn, SnapshotSees,
                         testing::Values(SeesCase{"4294967290:4294967306:4294967292,4294967303", 4294967289, true},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 4294967290, true},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 4294967292, false},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 4294967295, true},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 3, true},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 7, false},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 9, true},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 10, false},
                                         SeesCase{"4294967290:4294967306:4294967292,4294967303", 11, false}));

// Compared with the definition in 64 bits, for every xid near the bounds.
TEST(Snapshot, AgreesWithSixtyFourBits) {
  for (const std::uint64_t base : {std::uint64_t{100}, (std::uint64_t{1} << 32) - 8, (std::uint64_t{5} << 32) + 3}) {
    const auto text = std::to_string(base) + ":" + std::to_string(base + 16) + ":" + std::to_string(base + 1) + "," +
                      std::to_string(base + 9) + "," + std::to_string(base + 15);
    const auto snapshot = Snapshot::parse(text);
    ASSERT_TRUE(snapshot.has_value()) << text;
    for (std::uint64_t xid = base - 60; xid < base + 60; ++xid) {
      if (static_cast<std::uint32_t>(xid) < 3) continue;  // never given to a transaction
      const auto at = xid - base;
      const bool expected = xid < base || (at < 16 && at != 1 && at != 9 && at != 15);
      EXPECT_EQ(snapshot->sees(static_cast<std::uint32_t>(xid)), expected) << text << " and " << xid;
    }
  }
}

TEST(Snapshot, RefusesWhatIsNoSnapshot) {
  for (const char* text : {"",
                           ":",
                           "::",
                           "10",
                           "10:20",
                           "10::",
                           ":20:",
                           "0:20:",
                           "20:10:",
                           "10:20:9",
                           "10:20:20",
                           "10:20:11,",
                           "10:20:,11",
                           "10:20:11,,12",
                           "10:20:x",
                           "-10:20:",
                           "10:20:11 ",
                           " 10:20:",
                           "18446744073709551616:18446744073709551617:",
                           "10:20:11:12"}) {
    EXPECT_FALSE(Snapshot::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace walrelay::replication
