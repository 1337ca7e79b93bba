#include "sidecar/http_access.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

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
