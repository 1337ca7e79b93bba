// Whether a server keeps JSON documents.
#include "sinks/redis_json.h"

#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {
namespace {

TEST_F(RedisConnectionTest, IsAskedWhetherItKeepsJsonDocuments) {
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  std::string answer;
  server.on_command = [&answer](const Words& words) -> std::optional<std::string> {
    if (words == Words{"COMMAND", "INFO", "JSON.SET"}) return answer;
    return std::nullopt;
  };
  const std::vector<std::pair<std::string, bool>> answers{
      {array({array({bulk("json.set"), integer(-4), array({}), integer(1), integer(1), integer(1)})}), true},
      {array({nil()}), false},
      {"*1\r\n*-1\r\n", false},
      {array({}), false}};
  for (const auto& [reply, has] : answers) {
    answer = reply;
    EXPECT_EQ(run_task(loop, has_json_documents(connection)), has) << reply;
  }
  answer = error("NOPERM this user has no permissions to run the 'command|info' command");
  EXPECT_EQ(error_from([&] { run_task(loop, has_json_documents(connection)); }).code(), "NOPERM");
}

}  // namespace
}  // namespace walrelay::sinks
