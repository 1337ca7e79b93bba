// The Lua that changes RoaringBitmaps inside Redis, against the library: the same bytes after every change, whatever
// containers the bitmap is made of, and whoever wrote it.
#include "sinks/roaring_script.h"

#include <gtest/gtest.h>
#include <roaring/roaring.h>

#include <memory>
#include <random>

#include "tests/support/redis_server.h"

namespace walrelay::support {
namespace {

using Bitmap = std::unique_ptr<roaring_bitmap_t, void (*)(const roaring_bitmap_t*)>;

std::string bytes_of(const roaring_bitmap_t* bitmap) {
  std::string bytes(roaring_bitmap_portable_size_in_bytes(bitmap), '\0');
  roaring_bitmap_portable_serialize(bitmap, bytes.data());
  return bytes;
}

class RoaringScriptTest : public testing::Test {
 protected:
  void change(std::uint32_t value, bool there) {
    const std::string body = sinks::roaring_functions() + "roaring_change(KEYS[1], ARGV[1], ARGV[2] == '1') return 1";
    const auto reply = redis_.client().call({"EVAL", body, "1", "k", std::to_string(value), there ? "1" : "0"});
    ASSERT_EQ(reply.text, "1");
    if (there) {
      roaring_bitmap_add(bitmap_.get(), value);
    } else {
      roaring_bitmap_remove(bitmap_.get(), value);
    }
  }
  std::string has(std::uint32_t value) {
    return redis_.client().call({"EVAL", sinks::roaring_has_script().body(), "1", "k", std::to_string(value)}).text;
  }
  std::string stored() { return redis_.client().call({"GET", "k"}).text; }
  // By values: where the library has kept runs that the script has not, the bytes may differ.
  void expect_equal_values() {
    const std::string bytes = stored();
    const Bitmap found(roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size()), roaring_bitmap_free);
    ASSERT_NE(found, nullptr);
    EXPECT_TRUE(roaring_bitmap_equals(found.get(), bitmap_.get()));
  }
  // As another program wrote it.
  void store(bool optimised) {
    if (optimised) roaring_bitmap_run_optimize(bitmap_.get());
    redis_.client().call({"SET", "k", bytes_of(bitmap_.get())});
  }

  Redis redis_;
  Bitmap bitmap_{roaring_bitmap_create(), roaring_bitmap_free};
};

TEST_F(RoaringScriptTest, TheBytesOfTheReference) {
  change(19723, true);
  change(19724, true);
  change(19723, true);  // again: nothing
  EXPECT_EQ(stored(),
            std::string("\x3a\x30\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x10\x00\x00\x00\x0b\x4d\x0c\x4d", 20));
  change(19724, false);
  change(19723, false);
  EXPECT_EQ(redis_.command("EXISTS", "k"), "0");
  change(5, false);  // of nothing
  EXPECT_EQ(redis_.command("EXISTS", "k"), "0");
}

TEST_F(RoaringScriptTest, ContainersChangeTheirFormAsTheLibrarysDo) {
  for (std::uint32_t i = 0; i < 4096; ++i) roaring_bitmap_add(bitmap_.get(), 65536 * 3 + 2 * i);
  store(false);
  change(65536 * 3 + 1, true);  // 4097: an array becomes bits
  EXPECT_EQ(stored(), bytes_of(bitmap_.get()));
  change(65536 * 3 + 4, false);  // and an array again
  EXPECT_EQ(stored(), bytes_of(bitmap_.get()));
  for (const std::uint32_t value : {0U, 4294967295U, 65536U * 3 - 1, 65536U * 4, 65536U * 9 + 7}) change(value, true);
  EXPECT_EQ(stored(), bytes_of(bitmap_.get()));
}

TEST_F(RoaringScriptTest, RandomChangesOfWhatOthersWrote) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    bitmap_.reset(roaring_bitmap_create());
    const std::uint64_t containers = 1 + random() % 6;
    for (std::uint64_t c = 0; c < containers; ++c) {
      const auto base = static_cast<std::uint32_t>(random() % 9) * 65536;
      const std::uint64_t count = random() % 3 == 0 ? 6000 : random() % 50;
      const bool runs = random() % 2 == 0;
      for (std::uint64_t i = 0; i < count; ++i) {
        roaring_bitmap_add(bitmap_.get(), base + static_cast<std::uint32_t>(runs ? i + 100 : random() % 65536));
      }
    }
    if (roaring_bitmap_is_empty(bitmap_.get())) roaring_bitmap_add(bitmap_.get(), 1);
    store(seed % 2 == 0);
    for (int i = 0; i < 60; ++i) {
      const auto value =
          static_cast<std::uint32_t>(random() % 9 * 65536 + random() % (random() % 2 == 0 ? 200 : 65536));
      change(value, random() % 3 != 0);
      EXPECT_EQ(has(value), roaring_bitmap_contains(bitmap_.get(), value) ? "1" : "0");
    }
    expect_equal_values();
    roaring_bitmap_remove_run_compression(bitmap_.get());
  }
}

TEST_F(RoaringScriptTest, WhatIsNoBitmapIsRefusedAndStays) {
  for (const std::string& text :
       {std::string("hello, world"), std::string("\x3a\x30\x00\x00\xff\xff\xff\xff", 8), std::string("x"),
        std::string("\x3a\x30\x00\x00\x01\x00\x00\x00\x00\x00\x09\x00\x10\x00\x00\x00\x0b\x4d", 18)}) {
    redis_.client().call({"SET", "k", text});
    const std::string body = sinks::roaring_functions() + "roaring_change(KEYS[1], ARGV[1], true) return 1";
    EXPECT_EQ(redis_.client().call({"EVAL", body, "1", "k", "7"}).type, '-');
    EXPECT_EQ(stored(), text);
  }
}

}  // namespace
}  // namespace walrelay::support
