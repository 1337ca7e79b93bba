// A value of 64 MiB, every byte among it: from the table and from the stream.
#include "tests/system/end_to_end.h"

namespace walrelay::support {
namespace {

class LargeValueTest : public EndToEnd {
 protected:
  static constexpr int kPatterns = 64 * 1024 * 1024 / 256;
  // Every byte once, `count` times.
  static std::string bytes(int count) {
    std::string pattern, all;
    for (int byte = 0; byte < 256; ++byte) pattern += static_cast<char>(byte);
    for (int i = 0; i < count; ++i) all += pattern;
    return all;
  }
  static std::string sql_of_bytes(int count) {
    std::string digits;
    for (int byte = 0; byte < 256; ++byte) {
      constexpr const char* kDigits = "0123456789abcdef";
      digits += kDigits[byte / 16];
      digits += kDigits[byte % 16];
    }
    return "decode(repeat('" + digits + "', " + std::to_string(count) + "), 'hex')";
  }
};

TEST_F(LargeValueTest, SixtyFourMebibytesOfEveryByte) {
  sql("CREATE TABLE blobs (id int PRIMARY KEY, data bytea); INSERT INTO blobs VALUES (1, " + sql_of_bytes(kPatterns) +
      ")");
  start("  - {table: blobs, write: {string: {key: \"blob:{id}\", column: data, bytea: raw}}}\n");
  const std::string expected = bytes(kPatterns);
  EXPECT_TRUE(redis().client().call({"GET", "blob:1"}).text == expected) << "from the table";
  sql("INSERT INTO blobs SELECT 2, data FROM blobs; INSERT INTO blobs VALUES (3, '')");
  EXPECT_TRUE(eventually_equal([] { return redis().command("EXISTS", "blob:3"); }, "1"));
  EXPECT_TRUE(redis().client().call({"GET", "blob:2"}).text == expected) << "from the stream";
  EXPECT_EQ(walrelay().command({"verify"}).status, 0);
}

}  // namespace
}  // namespace walrelay::support
