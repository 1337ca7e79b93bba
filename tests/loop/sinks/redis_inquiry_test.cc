// RedisInquiry: what stands in Redis against what is expected, by its bytes and closely.
#include "sinks/redis_inquiry.h"

#include <chrono>

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

// Keys that may be absent, or end at a moment: neither needs a second look where all is well.
TEST_F(RedisInquiryTest, KnowsWhatMayBeAbsentAndWhatMustHaveGone) {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] == "PTTL" && words[1] == "s:ends") return integer(60'000);
    return std::nullopt;
  };
  server.keys["s:ends"] = {'s', "text", {}, {}};
  const auto cached = [](const std::string& key, const std::string& value) {
    Expectation expected = string_of(key, value);
    expected.cached = expected.any_ttl = true;
    return expected;
  };
  const auto until = [](const std::string& key, std::int64_t deadline) {
    Expectation expected = string_of(key, "text");
    expected.deadline = deadline;
    return expected;
  };
  Expectation expires = string_of("s:gone", "text"), no_hash = hash_of("h:gone", {{"a", "1"}});
  expires.ttl = no_hash.ttl = std::chrono::seconds(9);
  const std::vector<std::pair<Expectation, Kind>> asked{{cached("s:gone", "text"), Kind::equal},
                                                        {cached("s:good", "text"), Kind::equal},
                                                        {cached("s:ends", "text"), Kind::equal},
                                                        {cached("s:stale", "text"), Kind::stale},
                                                        {cached("h:good", "text"), Kind::wrong_type},
                                                        {expires, Kind::equal},
                                                        {no_hash, Kind::equal},
                                                        {until("s:ends", now + 60'000), Kind::equal},
                                                        {until("s:ends", now + 90'000), Kind::wrong_ttl},
                                                        {until("s:good", now + 60'000), Kind::wrong_ttl},
                                                        {until("s:gone", now + 60'000), Kind::missing},
                                                        {until("s:gone", now + 1'000), Kind::equal},
                                                        {until("s:gone", now - 60'000), Kind::equal},
                                                        {until("s:good", now - 60'000), Kind::unexpected}};
  std::vector<Expectation> expectations;
  std::vector<Kind> closely, by_bytes;
  for (const auto& [expected, kind] : asked) {
    expectations.push_back(expected);
    closely.push_back(kind);
    by_bytes.push_back(kind == Kind::equal ? Kind::equal : Kind::stale);
  }
  EXPECT_EQ(ask(false, expectations), closely);
  EXPECT_EQ(ask(true, expectations), by_bytes);
}

// A hash that is large, or has a long value, comes in the server's order: no second look where it is the same.
TEST_F(RedisInquiryTest, KnowsFieldsInAnyOrder) {
  const std::string array = "*6\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\na\r\n$4\r\n\r\n$1\r\n$1\r\nb\r\n$0\r\n\r\n";
  server.on_command = [&](const Words& words) -> std::optional<std::string> {
    if (words[0] == "HGETALL") return array;
    if (words[0] == "PTTL") return integer(-1);
    return std::nullopt;
  };
  const std::vector<Expectation> asked{
      hash_of("h", {{"a", "\r\n$1"}, {"b", ""}, {"c", "3"}}), hash_of("h", {{"a", "\r\n$1"}, {"b", ""}, {"c", "4"}}),
      hash_of("h", {{"a", "\r\n$1"}, {"b", ""}}), hash_of("h", {{"a", "\r\n$1"}, {"b", ""}, {"d", "3"}}),
      hash_of("h", {{"b", "\r\n$1"}, {"a", ""}, {"c", "3"}})};
  EXPECT_EQ(ask(true, asked), (std::vector<Kind>{Kind::equal, Kind::stale, Kind::stale, Kind::stale, Kind::stale}));
}

// RedisJSON gives a document back in its own words.
TEST_F(RedisInquiryTest, ComparesDocumentsByWhatTheySay) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] != "JSON.GET") return std::nullopt;
    if (words[1] == "s:good") return bulk(R"({"a":1.5,"b":2})");
    return words[1] == "h:good" ? error("WRONGTYPE Operation against a key holding the wrong kind of value") : nil();
  };
  const auto document = [](const std::string& key, const std::string& value) {
    Expectation expected = string_of(key, value);
    expected.type = Expectation::Type::document;
    return expected;
  };
  const std::vector<Expectation> asked{document("s:good", R"({"b": 2, "a": 1.50})"), document("s:good", R"({"a":1.5})"),
                                       document("s:none", "{}"), document("h:good", "{}")};
  const std::vector<Kind> kinds{Kind::equal, Kind::stale, Kind::missing, Kind::wrong_type};
  EXPECT_EQ(ask(false, asked), kinds);
  EXPECT_EQ(ask(true, asked), kinds);
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
