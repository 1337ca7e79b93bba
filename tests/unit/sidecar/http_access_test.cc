#include "sidecar/http_access.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include "sidecar/http_address.h"

namespace walrelay::sidecar {
namespace {

TEST(HttpAccess, WhoMayAct) {
  using enum Access;
  struct Row {
    const char* configured;
    const char* sent;
    bool loopback;
    Access access;
  };
  for (const Row& row : {
           Row{"", "", true, granted},
           Row{"", "any", true, granted},
           Row{"", "", false, forbidden},
           Row{"", "any", false, forbidden},
           Row{"secret", "secret", true, granted},
           Row{"secret", "secret", false, granted},
           Row{"secret", "", true, granted},
           Row{"secret", "", false, unauthorized},
           Row{"secret", "secreT", true, unauthorized},
           Row{"secret", "secreT", false, unauthorized},
           Row{"secret", "secre", false, unauthorized},
           Row{"secret", "secretsecret", false, unauthorized},
           Row{"secret", "s", true, unauthorized},
           Row{"s", "secret", true, unauthorized},
       }) {
    HttpRequest request;
    request.token = row.sent;
    request.loopback = row.loopback;
    EXPECT_EQ(may_act(request, row.configured), row.access)
        << "configured \"" << row.configured << "\", sent \"" << row.sent << "\", loopback " << row.loopback;
  }
}

bool expected(const std::string& host, bool loopback = true) {
  HttpRequest request;
  request.host = host;
  request.loopback = loopback;
  return is_expected_host(request, "proxy.example, other.example");
}

// Any web page can let its own name point to 127.0.0.1; then its browser's requests come from the loopback.
TEST(HttpAccess, OnlyNamesOfThisMachineMayBeAskedByOnIt) {
  char name[256] = {};
  ASSERT_EQ(gethostname(name, sizeof name - 1), 0);
  for (const std::string host :
       {"", "localhost", "localhost:9847", "LocalHost.", "127.0.0.1", "127.0.0.1:9847", "10.1.2.3", "[::1]",
        "[::1]:9847", "proxy.example", "PROXY.example:80", "other.example"}) {
    EXPECT_TRUE(expected(host)) << host;
  }
  EXPECT_TRUE(expected(std::string(name) + ":9847"));
  for (const std::string host :
       {"evil.example", "evil.example:9847", "localhost.evil.example", "127.0.0.1.evil.example",
        "proxy.example.evil.example", "xlocalhost", "[evil", ":9847", "0x7f.1", "example"}) {
    EXPECT_FALSE(expected(host)) << host;
    EXPECT_TRUE(expected(host, false)) << host << ": elsewhere orders need the token anyway";
  }
}

TEST(HttpAccess, OrdersOfAPageFromElsewhereShow) {
  struct Row {
    const char* host;
    const char* origin;
    bool same;
  };
  for (const Row& row : {
           Row{"localhost:9847", "", true},
           Row{"localhost:9847", "http://localhost:9847", true},
           Row{"localhost:9847", "https://LOCALHOST:9847", true},
           Row{"localhost:9847", "http://localhost:80", false},
           Row{"localhost:9847", "http://localhost", false},
           Row{"localhost:9847", "https://evil.example", false},
           Row{"localhost:9847", "null", false},
           Row{"127.0.0.1:9847", "http://localhost:9847", false},
       }) {
    HttpRequest request;
    request.host = row.host;
    request.origin = row.origin;
    EXPECT_EQ(is_same_origin(request), row.same) << row.origin;
  }
}

bool loopback(const char* text) {
  sockaddr_storage storage{};
  if (inet_pton(AF_INET, text, &reinterpret_cast<sockaddr_in&>(storage).sin_addr) == 1) {
    storage.ss_family = AF_INET;
  } else if (inet_pton(AF_INET6, text, &reinterpret_cast<sockaddr_in6&>(storage).sin6_addr) == 1) {
    storage.ss_family = AF_INET6;
  }
  return is_loopback(reinterpret_cast<const sockaddr&>(storage));
}

TEST(HttpAddress, Loopback) {
  for (const char* text : {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1", "::ffff:127.9.9.9"}) {
    EXPECT_TRUE(loopback(text)) << text;
  }
  for (const char* text : {"0.0.0.0", "126.0.0.1", "128.0.0.1", "10.0.0.127", "::", "::2", "::ffff:10.0.0.1",
                           "::127.0.0.1", "fe80::1", "7f00::1", "no address"}) {
    EXPECT_FALSE(loopback(text)) << text;
  }
}

TEST(HttpAddress, BaseUrlIsWhereThisMachineFindsTheServer) {
  for (const auto& [listen, url] : std::map<std::string, std::string>{
           {"127.0.0.1:9847", "http://127.0.0.1:9847"},
           {"localhost:1", "http://127.0.0.1:1"},
           {":9847", "http://127.0.0.1:9847"},
           {"*:9847", "http://127.0.0.1:9847"},
           {"0.0.0.0:80", "http://127.0.0.1:80"},
           {"[::]:9847", "http://[::1]:9847"},
           {"[::1]:9847", "http://[::1]:9847"},
           {"[fd00::2]:9847", "http://[fd00::2]:9847"},
           {"10.1.2.3:9847", "http://10.1.2.3:9847"},
       }) {
    EXPECT_EQ(base_url(listen), url) << listen;
  }
  for (const char* listen : {"", "9847", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:0"}) {
    EXPECT_THROW(base_url(listen), std::runtime_error) << listen;
  }
}

TEST(HttpAddress, WhatCannotBeListenedOn) {
  for (const char* listen : {"9847", "127.0.0.1:x", "example.org:1", "192.0.2.1:0"}) {
    try {
      listening_socket(listen);
      FAIL() << listen;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()).find("http.listen \"" + std::string(listen) + "\": "), 0U) << error.what();
    }
  }
}

}  // namespace
}  // namespace walrelay::sidecar
