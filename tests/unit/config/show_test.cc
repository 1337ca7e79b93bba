#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"
#include "config/schema.h"
#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::HasSubstr;
using testing::load;
using ::testing::Not;

TEST(Show, NamesEachOrigin) {
  const std::string text = show(load("source:\n  url: postgres://u:p@h/d\ntarget:\n  tls:\n    ca: /ca\nmappings:\n"
                                     "  - table: t\n    write: {hash: {key: \"t:{id}\", ttl: 90s}}\n",
                                     {{"WALRELAY_FLUSH_INTERVAL", "0"}}, {{{"log.level", "warn"}}}),
                                true);
  for (const char* line :
       {"source:\n  host: h  # w.yaml:2\n  user: u  # w.yaml:2\n  dbname: d  # w.yaml:2\n  password: \"***\"  # "
        "w.yaml:2\n",
        "  slot: walrelay  # default\n", "flush:\n  interval: 0  # environment WALRELAY_FLUSH_INTERVAL\n",
        "  level: warn  # flag\n",
        "  tls:\n    enabled: true  # w.yaml:5\n    ca: /ca  # w.yaml:5\n    verify: true  # default\n  timeout: 30s  "
        "# default\n",
        "mappings:\n  - name: t  # w.yaml:7:5\n    table: t\n    write:\n      - hash:  # w.yaml:8:13\n"
        "          key: \"t:{id}\"\n          ttl: 90s\n"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, Not(HasSubstr("url")));
}

// What it prints is a configuration, and the same one.
TEST(Show, LoadsAgain) {
  for (const std::string& text : std::vector<std::string>{
           "source: {url: postgres://h/d}\n", example(),
           "source: {host: /tmp, password_file: /a b}\ntarget: {unix: /s, database: 2}\nhttp: {listen: '', token: t}\n",
           "source: {host: h}\nhttp: {token_file: /run/secrets/token}\n",
           "source: {url: 'postgres://u:p@[::1]:5/d?options=-c%20a%3D%22%5C%22&sslcrldir=%24%7Bx%7D'}\n"
           "target: {url: 'rediss://u:p@h:1/2', tls: {verify: false}}\nack: fsynced\n",
           "source: {host: \"a # b\", user: \"null\", dbname: \"~\"}\n"
           "mappings:\n  - {tables: '^a\\.(?<x>[\"$$$${}]+)$', name: \"- x: y\", write: [{string: {key: \"\\t{a}\\x01 "
           "$$$${b}\", bare: false, format: raw, ttl: 0}},"
           " {hash: {key: k, columns: {include: [a, \"b, c\"], rename: {\"x: y\": \"'\"}}}}]}\n"
           "  - {table: t, write: {hash: {key: k, columns: {}}}}\n"}) {
    const std::string shown = show(load(text), false);
    EXPECT_EQ(show(load(shown), false), shown) << text;
  }
  const Config twice =
      load(show(load("source: {host: h}\nmappings: [{table: t, write: {hash: {key: 'a$$$${$${b}\"\\'}}}]\n"), true));
  EXPECT_EQ(twice.mappings.at(0).writes.at(0).parameters.at("key").text, "a$${${b}\"\\");
}

}  // namespace
}  // namespace walrelay::config
