#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/url.h"

namespace walrelay::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string words(const TargetAddress& address) {
  const Target& t = address.target;
  std::string out;
  const auto add = [&](const char* name, const std::string& value) {
    if (address.given.contains(name)) out += (out.empty() ? "" : " ") + std::string(name) + "=" + value;
  };
  add("host", t.host);
  add("port", std::to_string(t.port));
  add("unix", t.unix_path);
  add("user", t.user);
  add("password", t.password.value.reveal());
  add("database", std::to_string(t.database));
  add("tls", t.tls ? "on" : "off");
  add("tls.verify", t.tls_verify ? "on" : "off");
  add("tls.ca", t.tls_ca);
  return out;
}

TEST(TargetUrl, EveryFormThatUsersWrite) {
  struct Row {
    const char* text;
    const char* words;
  };
  for (const Row& row : {
           Row{"redis://h", "host=h port=6379"},
           Row{"redis://h:6380/3", "host=h port=6380 database=3"},
           Row{"redis://h/", "host=h port=6379"},
           Row{"redis://", "host=127.0.0.1 port=6379"},
           Row{" redis://h/0\n", "host=h port=6379 database=0"},
           Row{"redis://:p@h", "host=h port=6379 password=p"},
           Row{"redis://u:p%40%2F@h/1", "host=h port=6379 user=u password=p@/ database=1"},
           Row{"redis://default:a@b@h", "host=h port=6379 user=default password=a@b"},
           Row{"redis://[::1]:7/2", "host=::1 port=7 database=2"},
           Row{"rediss://h:6380", "host=h port=6380 tls=on"},
           Row{"valkeys://h", "host=h port=6379 tls=on"},
           Row{"redis://h?db=4", "host=h port=6379 database=4"},
           Row{"redis://h/0?username=u&password=p", "host=h port=6379 user=u password=p database=0"},
           Row{"rediss://h?ssl_cert_reqs=none", "host=h port=6379 tls=on tls.verify=off"},
           Row{"rediss://h?ssl_cert_reqs=required&ssl_ca_certs=%2Fca.pem",
               "host=h port=6379 tls=on tls.verify=on tls.ca=/ca.pem"},
           Row{"unix:///run/redis.sock", "unix=/run/redis.sock"},
           Row{"unix:///run/my%20redis.sock?db=1", "unix=/run/my redis.sock database=1"},
           Row{"unix://u:p@/run/r.sock", "unix=/run/r.sock user=u password=p"},
           Row{"unix://:p@/run/r.sock?database=2", "unix=/run/r.sock password=p database=2"},
           Row{"redis+unix:///r.sock", "unix=/r.sock"},
           Row{"redis+socket://:p@/r.sock?db=3", "unix=/r.sock password=p database=3"},
           Row{"redis-socket:///r.sock", "unix=/r.sock"},
       }) {
    const TargetAddress address = parse_target(row.text);
    EXPECT_EQ(words(address), row.words) << row.text;
    EXPECT_THAT(address.mistakes, IsEmpty()) << row.text;
  }
}

TEST(TargetUrl, WordsOfOtherClientsAreUnderstoodNotUsed) {
  const TargetAddress address = parse_target("redis://h?protocol=3&max_connections=5&decode_responses=True&family=6");
  EXPECT_THAT(address.mistakes, IsEmpty());
  EXPECT_THAT(address.target.dropped,
              ::testing::ElementsAre("protocol", "max_connections", "decode_responses", "family"));
}

TEST(TargetUrl, Mistakes) {
  const std::string standalone =
      "this version of walrelay speaks to a standalone Redis only, not to Sentinel or Cluster; give the address of the "
      "primary as "
      "redis://host:port";
  const std::string scheme = "the URL must begin with redis://, rediss:// or unix://, as in redis://host:6379/0";
  const std::string socket = "the socket must be an absolute path, as in unix:///run/redis/redis.sock";
  const std::string database = "the database must be a number, as in redis://host:6379/0";
  struct Row {
    const char* text;
    std::vector<std::string> mistakes;
  };
  for (const Row& row : {
           Row{"redis+sentinel://h:26379/mymaster/0", {standalone}},
           Row{"redis-sentinel://h1,h2?sentinelMasterId=m", {standalone}},
           Row{"rediss+sentinel://h", {standalone}},
           Row{"redis+cluster://h1,h2", {standalone}},
           Row{"redis-cluster://h1:7000", {standalone}},
           Row{"redis://h1,h2", {"several hosts are given; " + standalone}},
           Row{"http://h", {scheme}},
           Row{"h:6379", {scheme}},
           Row{"", {scheme}},
           Row{"redis://h/x", {database}},
           Row{"redis://h/-1", {database}},
           Row{"redis://h/0/1", {database}},
           Row{"redis://h?db=x", {database}},
           Row{"unix://r.sock", {socket}},
           Row{"unix://", {socket}},
           Row{"unix:///", {socket}},
           Row{"redis://h:0",
               {"the port is no number from 1 to 65535; write special characters of user and password percent-encoded "
                "(% as %25, @ as %40, / as %2F, ? as %3F, # as %23, : as %3A)"}},
           Row{"redis://h?pasword=x",
               {"no known Redis client has a parameter \"pasword\"; did you mean \"password\"?"}},
       }) {
    EXPECT_EQ(parse_target(row.text).mistakes, row.mistakes) << row.text;
  }
}

TEST(TargetUrl, NoPieceOfAPasswordSpills) {
  const std::string special = "%/?#:@[]&=+ ,";
  for (const char a : special) {
    for (const char b : special) {
      const std::string secret = std::string("CANARY") + a + "CANARY" + b + "CANARY";
      for (const std::string& text :
           {"redis://u:" + secret + "@h:6379/0", "redis://:" + secret + "@h", "unix://:" + secret + "@/r.sock",
            "redis:/u:" + secret + "@h", "redis+sentinel://:" + secret + "@h", "redis://u:1?" + secret + "@h"}) {
        TargetAddress address = parse_target(text);
        for (const std::string& mistake : address.mistakes) EXPECT_THAT(mistake, Not(HasSubstr("CANARY"))) << text;
        if (!address.mistakes.empty()) continue;
        address.given.erase("password");
        EXPECT_THAT(words(address), Not(HasSubstr("CANARY"))) << text;
      }
    }
  }
}

}  // namespace
}  // namespace walrelay::config
