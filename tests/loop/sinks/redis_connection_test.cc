// A RedisConnection that is open, against a fake server in the same loop (opening: redis_open_test.cc).
#include "sinks/redis_reply.h"
#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {
namespace {

TEST_F(RedisConnectionTest, RepliesOfEveryKindByteByByte) {
  server.bytes_a_turn = 1;
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    if (words[0] != "ASK") return std::nullopt;
    return array({status("OK"), status("FINE"), integer(7), integer(-1), integer(123456), bulk(std::string("a\0b", 3)),
                  nil(), "*-1\r\n", array({}), array({bulk("x"), error("WRONGTYPE no")})});
  };
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  const Reply reply = run_task(loop, connection.command({"ASK"}));
  ASSERT_EQ(reply.kind, Reply::Kind::array);
  ASSERT_EQ(reply.elements.size(), 10U);
  EXPECT_EQ(reply.elements[0].text, "OK");
  EXPECT_EQ(reply.elements[1].text, "FINE");
  EXPECT_EQ(reply.elements[2].integer, 7);
  EXPECT_EQ(reply.elements[3].integer, -1);
  EXPECT_EQ(reply.elements[4].integer, 123456);
  EXPECT_EQ(reply.elements[5].text, std::string("a\0b", 3));
  EXPECT_EQ(reply.elements[6].kind, Reply::Kind::nil);
  EXPECT_EQ(reply.elements[7].kind, Reply::Kind::nil);
  EXPECT_EQ(reply.elements[8].kind, Reply::Kind::array);
  EXPECT_EQ(reply.elements[9].elements[1].kind, Reply::Kind::error);
}

TEST_F(RedisConnectionTest, ErrorsCarryTheirCodeAndNoValues) {
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  const RedisError failure = error_from([&] { run_task(loop, connection.command({"NOSUCH", "value"})); });
  EXPECT_EQ(failure.code(), "ERR");
  EXPECT_THAT(failure.what(), HasSubstr("refused NOSUCH: ERR unknown command 'NOSUCH'"));
  EXPECT_THAT(failure.what(), testing::Not(HasSubstr("value")));
  EXPECT_TRUE(connection.is_open());
}

TEST_F(RedisConnectionTest, CommandsAndBulksKeepTheirOrder) {
  server.bytes_a_turn = 3;
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  const std::string bytes = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";
  std::vector<long long> numbers;
  std::vector<std::string> events;
  connection.send({bytes, 2, [&] { events.push_back("written"); },
                   [&](const redisReply& reply) { numbers.push_back(reply.integer); }});
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(connection.unwritten(), bytes.size());
  const Reply third = run_task(loop, connection.command({"INCR", "n"}));
  EXPECT_EQ(third.integer, 3);
  EXPECT_THAT(numbers, ElementsAre(1, 2));
  EXPECT_THAT(events, ElementsAre("written"));
  EXPECT_EQ(connection.unwritten(), 0U);
}

TEST_F(RedisConnectionTest, ABulkLargerThanEverySocketBuffer) {
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  std::string bytes;
  constexpr std::size_t kCommands = 40;
  const std::string value(1024 * 1024, 'x');
  for (std::size_t i = 0; i < kCommands; ++i) {
    bytes += "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + std::to_string(value.size()) + "\r\n" + value + "\r\n";
  }
  std::size_t answered = 0;
  bool written = false;
  connection.send({bytes, kCommands, [&] { written = true; }, [&](const redisReply&) { ++answered; }});
  run_until(loop, [&] { return answered == kCommands; });
  EXPECT_TRUE(written);
  EXPECT_EQ(connection.unwritten(), 0U);
}

TEST_F(RedisConnectionTest, ALossIsReportedOnceAndEndsEveryWaitingCommand) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    return words[0] == "WAITING" ? std::optional<std::string>("") : std::nullopt;
  };
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  std::vector<std::string> lost;
  connection.on_lost = [&](const std::exception_ptr& why) { lost.emplace_back(error_of(why).code()); };
  std::vector<std::string> failures;
  const auto done = [&](const std::exception_ptr& why) { failures.push_back(error_of(why).code()); };
  const auto wait = [](RedisConnection& on) -> event::Task<> {
    auto waiting = on.command({"WAITING"});
    co_await std::move(waiting);
  };
  const event::Job first(loop, wait(connection), done);
  const event::Job second(loop, wait(connection), done);
  run_until(loop, [&] { return server.seen.size() == 5; });
  server.disconnect_all();
  run_until(loop, [&] { return failures.size() == 2 && !lost.empty(); });
  EXPECT_THAT(failures, ElementsAre("LOST", "LOST"));
  EXPECT_THAT(lost, ElementsAre("LOST"));
  EXPECT_FALSE(connection.is_open());
  const RedisError late = error_from([&] { run_task(loop, connection.command({"PING"})); });
  EXPECT_EQ(late.code(), "LOST");
}

TEST_F(RedisConnectionTest, AHalfClosedServerIsLost) {
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  std::string why;
  connection.on_lost = [&](const std::exception_ptr& error) { why = error_of(error).what(); };
  server.half_close_all();
  run_until(loop, [&] { return !why.empty(); });
  EXPECT_THAT(why, HasSubstr("the server closed it"));
}

TEST_F(RedisConnectionTest, CloseIsSilentButEndsWaitingCommands) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    return words[0] == "WAITING" ? std::optional<std::string>("") : std::nullopt;
  };
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  bool lost = false;
  connection.on_lost = [&](const std::exception_ptr&) { lost = true; };
  std::string failure;
  const auto wait = [](RedisConnection& on) -> event::Task<> {
    auto waiting = on.command({"WAITING"});
    co_await std::move(waiting);
  };
  const event::Job job(loop, wait(connection), [&](const std::exception_ptr& why) { failure = error_of(why).code(); });
  connection.close();
  EXPECT_TRUE(failure.empty());
  run_until(loop, [&] { return !failure.empty(); });
  EXPECT_EQ(failure, "LOST");
  EXPECT_FALSE(lost);
}

// Whoever waits may go before the reply comes, and the connection may go before whoever waits.
TEST_F(RedisConnectionTest, AWaitingTaskAndItsConnectionMayDieInEitherOrder) {
  auto connection = std::make_unique<RedisConnection>(loop, server.options());
  run_task(loop, connection->open());
  const auto wait = [](RedisConnection& on) -> event::Task<> {
    auto waiting = on.command({"INCR", "n"});
    co_await std::move(waiting);
  };
  auto job = std::make_unique<event::Job>(loop, wait(*connection), nullptr);
  job.reset();
  const Reply second = run_task(loop, connection->command({"INCR", "n"}));
  EXPECT_EQ(second.integer, 2);
  job = std::make_unique<event::Job>(loop, wait(*connection), nullptr);
  connection.reset();
  run_until(loop, [&] { return server.sessions() == 0; });
  EXPECT_FALSE(job->finished());
}

TEST_F(RedisConnectionTest, SilenceIsALossOnlyWhileSomethingIsAwaited) {
  server.on_command = [](const Words& words) -> std::optional<std::string> {
    return words[0] == "WAITING" ? std::optional<std::string>("") : std::nullopt;
  };
  RedisOptions options = server.options();
  options.reply_timeout = event::milliseconds(40);
  RedisConnection connection(loop, options);
  run_task(loop, connection.open());
  bool over = false;
  event::Timer later(loop, [&] { over = true; });
  later.start(event::milliseconds(120));
  run_until(loop, [&] { return over; });
  EXPECT_TRUE(connection.is_open());
  const RedisError failure = error_from([&] { run_task(loop, connection.command({"WAITING"})); });
  EXPECT_EQ(failure.code(), "TIMEOUT");
  EXPECT_THAT(failure.what(), HasSubstr("no reply within 40 ms"));
}

TEST_F(RedisConnectionTest, WhatNobodyAskedForIsALoss) {
  struct Case {
    std::string bytes, code, words;
  };
  const std::vector<Case> cases = {{status("OK"), "LOST", "nobody asked for"},
                                   {">1\r\n$1\r\nx\r\n", "LOST", "nobody asked for"},
                                   {error("ERR idle too long"), "ERR", "it said: ERR idle too long"},
                                   {"\x16\x03\x01", "LOST", "no Redis protocol"}};
  for (const Case& one : cases) {
    RedisConnection connection(loop, server.options());
    run_task(loop, connection.open());
    std::optional<RedisError> failure;
    connection.on_lost = [&](const std::exception_ptr& why) { failure = error_of(why); };
    server.send_to_all(one.bytes);
    run_until(loop, [&] { return failure.has_value(); });
    EXPECT_EQ(failure->code(), one.code) << one.bytes;
    EXPECT_THAT(failure->what(), HasSubstr(one.words)) << one.bytes;
    run_until(loop, [&] { return server.sessions() == 0; });
  }
}

// The owner may close the connection in any callback.
TEST_F(RedisConnectionTest, CloseFromInsideEveryCallback) {
  const std::string bytes = "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n";
  for (int where = 0; where < 3; ++where) {
    RedisConnection connection(loop, server.options());
    run_task(loop, connection.open());
    int calls = 0;
    const auto close_at = [&](int place) {
      if (place == where) connection.close();
      ++calls;
    };
    int replies = 0;
    connection.send({bytes, 2, [&] { close_at(0); }, [&](const redisReply&) { close_at(++replies); }});
    run_until(loop, [&] { return !connection.is_open() && server.sessions() == 0; });
    EXPECT_EQ(calls, where + 1);
  }
}

TEST(RedisReply, ErrorsWithoutArguments) {
  EXPECT_EQ(error_code("WRONGTYPE Operation"), "WRONGTYPE");
  EXPECT_EQ(error_code("ERR"), "ERR");
  EXPECT_EQ(without_arguments("ERR unknown command 'X', with args beginning with: 'a' 'b'"), "ERR unknown command 'X'");
}

}  // namespace
}  // namespace walrelay::sinks
