// A fixture's tests on a Redis that keeps JSON documents. WALRELAY_TEST_REDISJSON is the library of RedisJSON, which is
// no package of Debian's; where it says nothing they are skipped.
#pragma once

#include <cstdlib>

#include "tests/system/end_to_end.h"

namespace walrelay::support {

template <class Fixture>
class OnRedisJson : public Fixture {
 public:
  static void SetUpTestSuite() {
    if (library() != nullptr) Fixture::open_servers({}, {.arguments = {"--loadmodule", library()}});
  }

 protected:
  void SetUp() override {
    if (library() == nullptr) GTEST_SKIP() << "WALRELAY_TEST_REDISJSON does not say where RedisJSON is";
    Fixture::SetUp();
  }
  void TearDown() override {
    if (library() != nullptr) Fixture::TearDown();
  }
  // How often the server has run a command, those of scripts too.
  static long calls_of(const std::string& command) {
    const std::string all = Fixture::redis().command("INFO", "commandstats"), name = "cmdstat_" + command + ":calls=";
    const std::size_t at = all.find(name);
    return at == std::string::npos ? 0 : std::atol(all.c_str() + at + name.size());
  }

 private:
  static const char* library() { return std::getenv("WALRELAY_TEST_REDISJSON"); }
};

}  // namespace walrelay::support
