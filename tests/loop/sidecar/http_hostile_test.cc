// Clients that mean harm, or are broken: each gets the right status or the end of its connection, and never keeps the
// loop or another client waiting.
#include <gmock/gmock.h>

#include "tests/loop/sidecar/http_fixture.h"

namespace walrelay::sidecar {
namespace {

using std::chrono::milliseconds;
using ::testing::AnyOf;
using ::testing::StartsWith;

class HostileTest : public HttpTest {
 protected:
  using HttpTest::serve;
  void serve(const HttpLimits& limits = {}) {
    serve([](const HttpRequest& request, HttpReply reply) { reply.send({.body = request.path}); }, "127.0.0.1:0",
          limits);
  }
  std::string status_of(const std::string& bytes) {
    Client client(*this);
    client.send(bytes);
    return client.answer().substr(0, 12);
  }
  static HttpLimits impatient() {
    return {.idle = milliseconds(60000), .request = milliseconds(100), .answer = milliseconds(100)};
  }
};

TEST_F(HostileTest, NoHttp) {
  serve();
  EXPECT_THAT(status_of("\x16\x03\x01\x02\x01\x01\r\n\r\n"), AnyOf("", StartsWith("HTTP/1.1 400")));  // TLS
  EXPECT_THAT(status_of("GET\r\n\r\n"), AnyOf("", "HTTP/1.1 400"));
  EXPECT_THAT(status_of("GET / HTTP/9.9\r\nHost: h\r\n\r\n"), AnyOf("HTTP/1.1 400", "HTTP/1.1 505"));
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");  // without Host
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_THAT(status_of("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
              AnyOf("HTTP/1.1 400", "HTTP/1.1 413"));
  EXPECT_EQ(ask("/still"), "200 /still");
}

TEST_F(HostileTest, LongUrisAndHeaders) {
  serve();
  const std::string tail = " HTTP/1.1\r\nHost: h\r\n\r\n";
  EXPECT_THAT(status_of("GET /" + std::string(100000, 'a') + tail), AnyOf("HTTP/1.1 414", "HTTP/1.1 431"));
  EXPECT_THAT(status_of("GET /?" + std::string(20000, 'a') + tail), AnyOf("HTTP/1.1 414", "HTTP/1.1 431"));
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(100000, 'a') + "\r\n\r\n"), "HTTP/1.1 431");
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 2000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(ask("/still"), "200 /still");
}

// A byte now and then, so that the connection is never idle.
TEST_F(HostileTest, ARequestThatNeverEnds) {
  serve(impatient());
  Client headers(*this), body(*this), silent(*this);
  headers.send("GET / HTTP/1.1\r\nHost: h\r\n");
  body.ask("/", "POST", "Content-Length: 1000\r\n");
  until([&] {
    headers.send("X");
    body.send("y");
    return headers.closed() && body.closed() && silent.closed();
  });
  EXPECT_EQ(ask("/still"), "200 /still");
}

// The same between two requests of a connection, and not before its time.
TEST_F(HostileTest, AConnectionWithRequestsInTimeGoesOn) {
  serve(impatient());
  Client client(*this);
  const auto began = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - began < milliseconds(300)) {
    client.ask("/again");
    ASSERT_EQ(client.short_answer(), "200 /again");
  }
  until([&] { return client.closed(); });
}

TEST_F(HostileTest, AnAnswerThatNobodyTakes) {
  serve([](const HttpRequest& request,
           HttpReply reply) { reply.send({.body = request.path == "/large" ? std::string(64 << 20, 'x') : "small"}); },
        "127.0.0.1:0", impatient());
  Client client(*this);
  client.ask("/large");
  std::size_t received = 0;
  until([&] {  // a little of it, too little to come to the end
    received += client.take(20000);
    return client.ended();
  });
  EXPECT_LT(received, 64U << 20);
  EXPECT_EQ(ask("/"), "200 small");
}

// Who waits for an answer is not cut off: whoever keeps the reply sets the bound.
TEST_F(HostileTest, AnAnswerThatTakesItsTime) {
  serve([this](const HttpRequest&, HttpReply reply) { kept_.push_back(std::move(reply)); }, "127.0.0.1:0", impatient());
  Client client(*this);
  client.ask("/");
  until_kept(1);
  event::Timer later(loop_, [this] { kept_.at(0).send({.body = "late"}); });
  later.start(milliseconds(400));
  EXPECT_EQ(client.short_answer(), "200 late");
}

TEST_F(HostileTest, OneAddressDoesNotShutTheOthersOut) {
  serve(HttpLimits{.connections = 8, .per_address = 6});
  std::vector<std::unique_ptr<Client>> greedy;
  for (int i = 0; i < 20; ++i) greedy.push_back(std::make_unique<Client>(*this, 9));
  until([&] { return std::count_if(greedy.begin(), greedy.end(), [](auto& each) { return each->closed(); }) == 14; });
  EXPECT_EQ(ask("/probe"), "200 /probe");
}

}  // namespace
}  // namespace walrelay::sidecar
