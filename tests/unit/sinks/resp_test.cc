#include "sinks/resp.h"

#include <gtest/gtest.h>

#include "model_redis.h"

namespace walrelay::sinks {
namespace {

TEST(Resp, WritesNumbersOfEverySize) {
  std::uint64_t number = 0;
  for (int digits = 0; digits < 20; ++digits) {
    for (const std::uint64_t near : {number - 1, number, number + 1}) {
      char text[resp::kHeaderRoom];
      const char* end = resp::put_number(text, near);
      EXPECT_EQ(std::string(text, static_cast<std::size_t>(end - text)), std::to_string(near));
    }
    number = number == 0 ? 1 : number * 10;
  }
}

TEST(Resp, HeadersFitTheRoomForThem) {
  char text[resp::kHeaderRoom];
  const char* end = resp::put_header(text, '$', UINT64_MAX);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(end - text)), "$18446744073709551615\r\n");
}

TEST(Resp, WritesCommandsThatReadBack) {
  const std::string binary("a\0\r\n$", 5), large(100'000, 'x');
  std::string bytes;
  resp::append_command(bytes, {"SET", "", binary});
  resp::append_header(bytes, 3);
  resp::append_bulk(bytes, "SET");
  resp::append_bulk(bytes, std::uint64_t{1234567890123});
  resp::append_bulk(bytes, large);
  const std::vector<testing::Command> expected{{"SET", "", binary}, {"SET", "1234567890123", large}};
  EXPECT_EQ(testing::RespReader(bytes).commands(), expected);
}

TEST(Resp, BulkIsTheBytesOfTheProtocol) {
  EXPECT_EQ(resp::bulk("HSET"), "$4\r\nHSET\r\n");
  EXPECT_EQ(resp::bulk(""), "$0\r\n\r\n");
}

}  // namespace
}  // namespace walrelay::sinks
