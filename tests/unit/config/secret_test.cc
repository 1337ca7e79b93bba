// Secrets cannot be printed: not by a stream, not by `show`, not by any mistake.
#include "config/secret.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/unit/config/loading.h"

namespace walrelay::config {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Secret, PrintsAsStars) {
  std::ostringstream out;
  out << Secret("CANARY") << "," << Secret();
  EXPECT_EQ(out.str(), "***,");
  EXPECT_EQ(Secret("CANARY").reveal(), "CANARY");
}

// A secret that has no address around it: a file of a higher level replaces it, and the other way round.
TEST(Secret, TokenOrItsFileWhoeverIsHigher) {
  const std::string direct = "source: {host: h}\nhttp: {token: t}\n";
  const std::string file = "source: {host: h}\nhttp: {token_file: /t}\n";
  EXPECT_EQ(testing::load(direct).http.token.value.reveal(), "t");
  EXPECT_EQ(testing::load(file).http.token.file, "/t");
  EXPECT_FALSE(testing::load("source: {host: h}\nhttp: {token: ''}\n").http.token.given());
  const Config from_file = testing::load(direct, {{"WALRELAY_HTTP_TOKEN_FILE", "/u"}});
  EXPECT_EQ(from_file.http.token.file, "/u");
  EXPECT_TRUE(from_file.http.token.value.empty());
  EXPECT_EQ(from_file.origins.at("http.token_file"), "environment WALRELAY_HTTP_TOKEN_FILE");
  EXPECT_FALSE(from_file.origins.contains("http.token"));
  const Config from_variable = testing::load(file, {{"WALRELAY_HTTP_TOKEN", "u"}});
  EXPECT_EQ(from_variable.http.token.value.reveal(), "u");
  EXPECT_EQ(from_variable.http.token.file, "");
  EXPECT_THAT(testing::mistakes("source: {host: h}\nhttp: {token: t, token_file: /t}\n"),
              ::testing::ElementsAre("w.yaml:2:30: both http.token and http.token_file are given; keep one of them"));
}

// Each text holds the secret CANARY somewhere: in its place, or where a slip of the pen puts it.
TEST(Secret, NeverComesOut) {
  const std::vector<std::string> texts = {
      "source: {url: 'postgres://u:CANARY@h/d'}\ntarget: {url: 'redis://:CANARY@h'}\n",
      "source: {url: 'host=h password=CANARY sslpassword=CANARY'}\n",
      "source: {host: h, password: CANARY, sslpassword: CANARY}\ntarget: {user: u, password: CANARY}\n",
      "source: {host: h, password: \"${PASSWORD}\"}\n",
      "source: {host: h}\nhttp: {token: CANARY}\n",
      "source: {host: h}\nhttp: {token: CANARY, token_file: /f}\n",
      "source: {host: h}\nhttp: {token: [CANARY]}\n",
      "source: {url: 'postgres://u:${PASSWORD}@h/d'}\n",
      "source: {url: 'postgres://u:CANARY'}\n",
      "source: {url: 'postgres://u:CANARY/x@h/d'}\n",
      "source: {url: 'postgres://u:CANARY%@h/d'}\n",
      "source: {url: 'CANARY'}\n",
      "source: {url: 'mysql://u:CANARY@h'}\n",
      "source: {url: postgres://h/d}\ntarget: {url: 'redis://CANARY@h'}\n",
      "source: {url: postgres://h/d}\ntarget: {url: 'redis+sentinel://:CANARY@h'}\n",
      "source:\n  host: h\n  password:CANARY\n",
      "source:\n  host: h\n  password:CANARY: x\n",
      "source:\n  host: h\n  postgres://u:CANARY@h/d: x\n",
      "source:\n  host: h\n  password: *CANARY\n",
      "source:\n  host: h\n  password: !CANARY x\n",
      "source:\n  host: h\n  password: \"CANARY\n",
      "source:\n  host: h\n  password: \"\\qCANARY\"\n",
      "source:\n  host: h\n  password: {CANARY}\n",
      "source:\n  host: h\n  password: {CANARY\n",
      "source:\n  host: h\n  password: [CANARY]\n",
      "source:\n  host: h\n  password: CANARY: x\n",
      "source:\n  host: h\n  password: %CANARY\n",
      "source:\n  host: h\n  password: '${CANARY'\n",
      "source:\n  host: h\n  password: CANARY\n  password: CANARY\n",
      "source:\n  host: h\n  password: CANARY\n  password_file: /f\n",
      "source: {host: h, sslmode: \"${PASSWORD}\", port: \"${PASSWORD}\", slot: \"${PASSWORD}\"}\n",
      "source: {host: h, format: \"${PASSWORD}\", slot_timeout: \"${PASSWORD}\", create_slot: \"${PASSWORD}\"}\n",
      "source: {host: h}\nflush: {batch_size: \"${PASSWORD}\", max_bytes: \"${PASSWORD}\"}\n",
      "source: {host: h}\nmappings: [{table: t, write: {hash: {key: k, ttl: \"${PASSWORD}\"}}}]\n",
      "source: {host: h}\nmappings: [{table: t, write: {string: {key: k, format: \"${PASSWORD}\", bare: "
      "\"${PASSWORD}\"}}}]\n",
      "source: {host: h}\nx-a:\n  \"CANARY=\": 1\n  \"CANARY=\": 2\n",
      "source: {url_file: \"${PASSWORD}\"}\n",
      "CANARY\n",
  };
  const testing::Variables variables = {{"PASSWORD", "CANARY"}};
  int loaded = 0;
  for (const std::string& text : texts) {
    for (const std::string& mistake : testing::mistakes(text, variables))
      EXPECT_THAT(mistake, Not(HasSubstr("CANARY"))) << text;
    if (!testing::mistakes(text, variables).empty()) continue;
    EXPECT_THAT(show(testing::load(text, variables), true), Not(HasSubstr("CANARY"))) << text;
    ++loaded;
  }
  EXPECT_GE(loaded, 5);
}

TEST(Secret, NeverComesOutOfTheEnvironment) {
  for (const char* name : {"DATABASE_URL", "PG_URL", "REDIS_URL", "WALRELAY_SOURCE_URL", "WALRELAY_SOURCE_PASSWORD",
                           "WALRELAY_TARGET_URL", "WALRELAY_TARGET_PASSWORD", "WALRELAY_HTTP_TOKEN", "PGPASSWORD"}) {
    for (const char* value :
         {"CANARY", "postgres://u:CANARY@h/d", "redis://:CANARY@h", "redis://CANARY@h", "postgres://u:CANARY@h:p"}) {
      const testing::Variables variables = {{"PGHOST", "h"}, {name, value}};
      for (const std::string& mistake : testing::mistakes("", variables)) {
        EXPECT_THAT(mistake, Not(HasSubstr("CANARY"))) << name;
      }
      if (testing::mistakes("", variables).empty()) {
        EXPECT_THAT(show(testing::load("", variables), true), Not(HasSubstr("CANARY"))) << name;
      }
    }
  }
}

}  // namespace
}  // namespace walrelay::config
