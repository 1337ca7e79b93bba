// RedisInquiry: what stands in Redis against what is expected, by its bytes and closely.
#include "sinks/redis_inquiry.h"

#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {
namespace {

using Kind = Difference::Kind;

Expectation hash_of(const std::string& key, std::vector<std::pair<std::string, std::string>> fields) {
  Expectation expected;
  expected.key = key;
  expected.type = Expectation::Type::hash;
  expected.fields = std::move(fields);
  return expected;
}
Expectation string_of(const std::string& key, const std::string& value) {
  Expectation expected;
  expected.key = key;
  expected.type = Expectation::Type::string;
  expected.value = value;
  return expected;
}
Expectation nothing_at(const std::string& key) {
  Expectation expected;
  expected.key = key;
  return expected;
}

class RedisInquiryTest : public testing::Test {
 protected:
  RedisInquiryTest() : connection(loop, server.options()) {
    server.keys["h:good"] = {'h', "", {{"a", "1"}, {"b", std::string("\0\r\n$", 4)}}, {}};
    server.keys["h:stale"] = {'h', "", {{"a", "2"}, {"b", "x"}}, {}};
    server.keys["h:more"] = {'h', "", {{"a", "1"}, {"z", "x"}}, {}};
    server.keys["s:good"] = {'s', "text", {}, {}};
    server.keys["s:stale"] = {'s', "other", {}, {}};
    server.keys["s:there"] = {'s', "x", {}, {}};
    run_task(loop, connection.open());
  }

  static std::vector<std::pair<Expectation, Kind>> cases() {
    return {{hash_of("h:good", {{"a", "1"}, {"b", std::string("\0\r\n$", 4)}}), Kind::equal},
            {hash_of("h:stale", {{"a", "1"}, {"b", "x"}}), Kind::stale},
            {hash_of("h:more", {{"a", "1"}}), Kind::stale},
            {hash_of("h:gone", {{"a", "1"}}), Kind::missing},
            {hash_of("s:good", {{"a", "1"}}), Kind::wrong_type},
            {string_of("s:good", "text"), Kind::equal},
            {string_of("s:stale", "text"), Kind::stale},
            {string_of("s:gone", ""), Kind::missing},
            {string_of("h:good", "text"), Kind::wrong_type},
            {nothing_at("n:gone"), Kind::equal},
            {nothing_at("s:there"), Kind::unexpected}};
  }
  std::vector<Kind> ask(bool by_bytes, const std::vector<Expectation>& expectations) {
    std::vector<Kind> kinds;
    RedisInquiry inquiry(connection, by_bytes);
    inquiry.on_answer = [&](const Difference& difference) { kinds.push_back(difference.kind); };
    for (const Expectation& each : expectations) inquiry.ask(each);
    inquiry.flush();
    run_until(loop, [&] { return inquiry.under_way() == 0; });
    return kinds;
  }

  event::Loop loop;
  FakeRedis server{loop};
  RedisConnection connection;
};

TEST_F(RedisInquiryTest, JudgesEveryDifferenceInOrder) {
  std::vector<Expectation> asked;
  std::vector<Kind> closely, by_bytes;
  for (const auto& [expected, kind] : cases()) {
    asked.push_back(expected);
    closely.push_back(kind);
    by_bytes.push_back(kind == Kind::equal ? Kind::equal : Kind::stale);
  }
  for (const std::size_t bytes_a_turn : {0U, 1U, 3U}) {
    SCOPED_TRACE(bytes_a_turn);
    server.bytes_a_turn = bytes_a_turn;
    EXPECT_EQ(ask(false, asked), closely);
    EXPECT_EQ(ask(true, asked), by_bytes);
  }
}

// Replies that are not parsed must not pile up in the reader's buffer.
TEST_F(RedisInquiryTest, ManyInPackets) {
  std::vector<Expectation> asked(20000, string_of("s:good", "text"));
  asked[12345] = string_of("s:stale", "text");
  const auto kinds = ask(true, asked);
  ASSERT_EQ(kinds.size(), asked.size());
  EXPECT_EQ(kinds[12345], Kind::stale);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), Kind::equal), 19999);
}

TEST_F(RedisInquiryTest, EndedWithQuestionsUnderWayItClosesTheConnection) {
  {
    RedisInquiry inquiry(connection, true);
    inquiry.on_answer = [](const Difference&) { FAIL() << "nobody asks any more"; };
    inquiry.ask(string_of("s:good", "text"));
    inquiry.flush();
  }
  EXPECT_FALSE(connection.is_open());
  run_until(loop, [&] { return server.sessions() == 0; });
}

}  // namespace
}  // namespace walrelay::sinks
