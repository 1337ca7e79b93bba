// Whether a server keeps JSON documents.
#include "sinks/redis_json.h"

#include "tests/loop/sinks/redis_fixture.h"

namespace walrelay::sinks {
namespace {

TEST_F(RedisConnectionTest, IsAskedWhichCommandsOfDocumentsItHas) {
  RedisConnection connection(loop, server.options());
  run_task(loop, connection.open());
  std::string answer;
  server.on_command = [&answer](const Words& words) -> std::optional<std::string> {
    if (words == Words{"COMMAND", "INFO", "JSON.SET", "JSON.MERGE"}) return answer;
    return std::nullopt;
  };
  const auto known = [](const std::string& name) {
    return array({bulk(name), integer(-1), array({}), integer(1), integer(1), integer(1)});
  };
  const std::vector<std::pair<std::string, JsonDocuments>> answers{
      {array({known("json.set"), known("json.merge")}), JsonDocuments::set_and_merge},
      {array({known("json.set"), nil()}), JsonDocuments::set},
      {array({nil(), nil()}), JsonDocuments::none},
      {"*2\r\n*-1\r\n*-1\r\n", JsonDocuments::none},
      {array({}), JsonDocuments::none}};
  for (const auto& [reply, has] : answers) {
    answer = reply;
    EXPECT_EQ(run_task(loop, json_documents(connection)), has) << reply;
  }
  answer = error("NOPERM this user has no permissions to run the 'command|info' command");
  EXPECT_EQ(error_from([&] { run_task(loop, json_documents(connection)); }).code(), "NOPERM");
}

}  // namespace
}  // namespace walrelay::sinks
