// Whom check tells that passwords and rows may be read on their way.
#include "sidecar/plain_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace walrelay::sidecar {
namespace {

using ::testing::HasSubstr;
using Parameters = std::vector<std::pair<std::string, std::string>>;

std::string warning(const Parameters& parameters) {
  config::Source source;
  source.parameters = parameters;
  return plain_text_warning(source);
}

TEST(PlainText, IsSaidOfOtherMachinesOnly) {
  EXPECT_EQ(
      warning({{"host", "db.example"}, {"sslmode", "disable"}}),
      "sslmode is disable, so the password and the rows go to host \"db.example\" in plain text, and nobody checks "
      "who answers there; set source.sslmode to verify-full");
  for (const char* mode : {"allow", "prefer"}) {
    EXPECT_THAT(warning({{"host", "db.example"}, {"sslmode", mode}}),
                HasSubstr("sslmode is " + std::string(mode) + ", so the password and the rows may go"));
  }
  EXPECT_THAT(warning({{"host", "db.example"}}), HasSubstr("sslmode is prefer (the default)"));
  EXPECT_THAT(warning({{"host", "localhost,10.1.2.3"}}), HasSubstr("\"10.1.2.3\"")) << "any of several";
  EXPECT_THAT(warning({{"host", "db"}, {"hostaddr", "10.1.2.3"}}), HasSubstr("\"10.1.2.3\""));
}

TEST(PlainText, IsFineHereAndWithTls) {
  for (const char* host : {"", "localhost", "127.0.0.1", "127.1.2.3", "::1", "/var/run/postgresql", "@here"}) {
    EXPECT_EQ(warning({{"host", host}, {"sslmode", "disable"}}), "") << host;
  }
  EXPECT_EQ(warning({{"host", "db"}, {"hostaddr", "127.0.0.1"}}), "");
  for (const char* mode : {"require", "verify-ca", "verify-full"}) {
    EXPECT_EQ(warning({{"host", "db.example"}, {"sslmode", mode}}), "") << mode;
  }
}

TEST(PlainText, TheEnvironmentCountsAsItDoesForLibpq) {
  ::setenv("PGSSLMODE", "verify-full", 1);
  EXPECT_EQ(warning({{"host", "db.example"}}), "");
  EXPECT_THAT(warning({{"host", "db.example"}, {"sslmode", "allow"}}), HasSubstr("is allow"));
  ::unsetenv("PGSSLMODE");
}

}  // namespace
}  // namespace walrelay::sidecar
