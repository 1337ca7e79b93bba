#include "sinks/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walrelay::sinks {
namespace {

using replication::Lsn;
using replication::Position;

Checkpoint sample() {
  Checkpoint checkpoint;
  checkpoint.verified = {Lsn{0x16B374D848}, Lsn::invalid, 0};
  checkpoint.sent = {Lsn{0x16B374D848}, Lsn{0x17B374D900}, 12};
  checkpoint.origin = {"7300000000000000001", 3, "app", "16/B3000000"};
  checkpoint.epoch = 18446744073709551615U;
  checkpoint.phase = "stream";
  return checkpoint;
}

TEST(Checkpoint, NamesItsKeysByTheSlot) {
  EXPECT_EQ(checkpoint_key("cache"), "walrelay:{cache}:checkpoint");
  EXPECT_EQ(fence_key("cache"), "walrelay:{cache}:fence");
  EXPECT_EQ(load_key("cache"), "walrelay:{cache}:load");
  EXPECT_EQ(reread_key("cache"), "walrelay:{cache}:reread");
  EXPECT_EQ(dead_letter_key("cache"), "walrelay:{cache}:dead");
}

TEST(Checkpoint, WritesItsFields) {
  const std::map<std::string, std::string> expected{{"verified", "16/B374D848"},
                                                    {"sent", "16/B374D848+17/B374D900:12"},
                                                    {"system", "7300000000000000001"},
                                                    {"timeline", "3"},
                                                    {"database", "app"},
                                                    {"slot_incarnation", "16/B3000000"},
                                                    {"epoch", "18446744073709551615"},
                                                    {"phase", "stream"}};
  EXPECT_EQ(to_fields(sample()), expected);
}

TEST(Checkpoint, ReadsItsFieldsBack) {
  auto fields = to_fields(sample());
  fields["of_a_later_version"] = "ignored";
  const auto read = checkpoint_from_fields(fields);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->verified, sample().verified);
  EXPECT_EQ(read->sent, sample().sent);
  EXPECT_EQ(to_fields(*read), to_fields(sample()));
}

TEST(Checkpoint, AnEmptyHashIsNone) { EXPECT_FALSE(checkpoint_from_fields({}).has_value()); }

TEST(Checkpoint, NamesTheFieldThatCannotBeRead) {
  const auto message = [](const std::string& field, const char* text) -> std::string {
    auto fields = to_fields(sample());
    if (text == nullptr) {
      fields.erase(field);
    } else {
      fields[field] = text;
    }
    try {
      checkpoint_from_fields(fields);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "accepted";
  };
  for (const auto& [field, text] : to_fields(sample())) {
    EXPECT_THAT(message(field, nullptr), ::testing::HasSubstr("\"" + field + "\" is missing"));
  }
  for (const char* field : {"verified", "sent", "timeline", "epoch", "phase"}) {
    for (const char* text : {"", "x", "-1", "1 "}) {
      EXPECT_THAT(message(field, text), ::testing::HasSubstr("\"" + std::string(field) + "\""));
    }
  }
  EXPECT_THAT(message("timeline", "4294967296"), ::testing::HasSubstr("\"timeline\" cannot be read"));
}

TEST(Checkpoint, PositionsReadBack) {
  for (const Position& position : {Position{}, Position{Lsn{1}, Lsn::invalid, 0}, Position{Lsn{0}, Lsn{2}, 0},
                                   Position{Lsn{~0ULL}, Lsn{~0ULL}, ~0ULL}}) {
    EXPECT_EQ(position_from_field(to_field(position)), position) << to_field(position);
  }
}

TEST(Checkpoint, RefusesOtherTextForAPosition) {
  for (const char* text : {"", "1", "0/", "/0", "0/1+", "0/1+0/2", "0/1+0/2:", "0/1+0/2:x", "0/1+0/2:-1", "0/1+0/0:1",
                           "0/1+0/2:18446744073709551616", "0/1 ", "0/1+0/2:1+0/3:1", "+0/2:1"}) {
    EXPECT_FALSE(position_from_field(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace walrelay::sinks
