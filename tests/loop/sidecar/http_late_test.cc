// Answers that come later, or never.
#include <future>
#include <thread>

#include "sidecar/http_client.h"
#include "tests/loop/sidecar/http_fixture.h"

namespace walrelay::sidecar {
namespace {

using std::chrono::milliseconds;

TEST_F(HttpTest, AnswersLater) {
  serve_later();
  Client client(*this);
  client.ask("/");
  until_kept(1);
  EXPECT_FALSE(client.answered());
  event::Timer later(loop_, [this] { kept_.at(0).send({.status = 202, .body = "done"}); });
  later.start(milliseconds(5));
  EXPECT_EQ(client.short_answer(), "202 done");
  kept_.at(0).send({.body = "again"});  // nobody hears it
}

// A late answer leaves the connection as it was: the next request on it is answered, at once or late.
TEST_F(HttpTest, KeepsTheConnection) {
  serve([this](const HttpRequest& request, HttpReply reply) {
    if (request.path == "/late") return kept_.push_back(std::move(reply));
    reply.send({.body = request.path});
  });
  Client client(*this);
  client.ask("/now");
  EXPECT_EQ(client.short_answer(), "200 /now");
  for (std::size_t i = 0; i < 3; ++i) {
    client.ask("/late");
    until_kept(i + 1);
    kept_.back().send({.body = "late"});
    EXPECT_EQ(client.short_answer(), "200 late");
  }
  client.send("GET /late HTTP/1.1\r\nHost: h\r\n\r\nGET /behind HTTP/1.1\r\nHost: h\r\n\r\n");
  until_kept(4);
  EXPECT_FALSE(client.answered());
  kept_.back().send({.body = "late"});
  EXPECT_EQ(client.short_answer(), "200 late");
  EXPECT_EQ(client.short_answer(), "200 /behind");
}

TEST_F(HttpTest, AnswersOneFromTheHandlerOfAnother) {
  serve([this](const HttpRequest& request, HttpReply reply) {
    if (request.path == "/wait") return kept_.push_back(std::move(reply));
    kept_.clear();
    reply.send({.body = "cleared"});
  });
  Client waiting(*this), clearing(*this);
  waiting.ask("/wait");
  until_kept(1);
  clearing.ask("/clear");
  EXPECT_EQ(clearing.short_answer(), "200 cleared");
  EXPECT_EQ(waiting.short_answer(), "503 the request was given up; ask again\n");
}

TEST_F(HttpTest, ARepliesAssignmentGivesTheOldOneUp) {
  serve_later();
  Client one(*this), two(*this);
  one.ask("/");
  until_kept(1);
  two.ask("/");
  until_kept(2);
  kept_[0] = std::move(kept_[1]);
  EXPECT_EQ(one.short_answer(), "503 the request was given up; ask again\n");
  kept_[1].send({.body = "nobody"});
  kept_[0].send({.body = "two"});
  EXPECT_EQ(two.short_answer(), "200 two");
}

TEST_F(HttpTest, AClientThatGoesAway) {
  serve_later();
  for (const bool polite : {true, false}) {
    Client client(*this);
    client.ask("/");
    until_kept(1);
    if (!polite) client.send("GET / HTTP/1.1\r\n");  // unread bytes make the system reset the connection
    client.close();
    kept_.back().send({.body = std::string(1 << 20, 'x')});
    kept_.clear();
  }
  Client next(*this);
  next.ask("/");
  until_kept(1);
  kept_.back().send({.body = "still here"});
  EXPECT_EQ(next.short_answer(), "200 still here");
}

TEST_F(HttpTest, TheServerGoesFirst) {
  serve_later();
  Client one(*this), two(*this), gone(*this), half(*this);
  for (Client* client : {&one, &two, &gone}) client->ask("/");
  half.send("GET / HTTP/1.1\r\nHost");
  until_kept(3);
  gone.close();
  server_.reset();
  EXPECT_EQ(one.short_answer(), "503 walrelay is stopping\n");
  EXPECT_EQ(two.short_answer(), "503 walrelay is stopping\n");
  EXPECT_EQ(half.short_answer(), "closed");
  kept_.at(0).send({.body = "nobody"});
  kept_.clear();
}

// Resumed, but the loop did not turn before the server went.
TEST_F(HttpTest, TheServerGoesJustAfterALateAnswer) {
  serve_later();
  Client client(*this);
  client.ask("/");
  until_kept(1);
  kept_.at(0).send({.body = "at last"});
  server_.reset();
  EXPECT_EQ(client.short_answer(), "200 at last");
}

// 64 connections are taken; the others wait at the door until one of those has ended, also when all end at once.
TEST_F(HttpTest, MoreThatWaitThanConnectionsAreTaken) {
  serve_later();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 70; ++i) {
    clients.push_back(std::make_unique<Client>(*this, i % 2 == 0 ? 1 : 2));  // of each address at most 48
    clients.back()->ask("/", "GET", "Connection: close\r\n");
    for (int turn = 0; turn < 3; ++turn) uv_run(loop_.raw(), UV_RUN_NOWAIT);
  }
  until_kept(64);
  for (int turn = 0; turn < 50; ++turn) uv_run(loop_.raw(), UV_RUN_ONCE);
  EXPECT_EQ(kept_.size(), 64U);
  for (HttpReply& reply : kept_) reply.send({.body = "done"});
  until_kept(70);
  for (HttpReply& reply : kept_) reply.send({.body = "done"});
  for (const auto& client : clients) EXPECT_EQ(client->short_answer(), "200 done");
}

class HttpClientTest : public HttpTest {
 protected:
  // From a second thread, while the loop turns in this one.
  HttpResult request(const std::string& method, const std::string& path, const std::string& token = "",
                     milliseconds timeout = milliseconds(20000), const std::string& host = "127.0.0.1") {
    const std::string url = "http://" + host + ":" + std::to_string(server_->port());
    auto result = std::async(std::launch::async, [&] { return http_request(method, url, path, token, timeout); });
    until([&] { return result.wait_for(milliseconds(0)) == std::future_status::ready; });
    return result.get();
  }
};

TEST_F(HttpClientTest, AsksOurServer) {
  serve([](const HttpRequest& request, HttpReply reply) {
    const auto name = request.query.find("name");
    reply.send({.status = request.method == "POST" ? 202U : 200U,
                .body = request.path + " " + (name == request.query.end() ? "" : name->second) + " " + request.token});
  });
  const HttpResult posted = request("POST", "/a%20b?name=" + percent_encoded("x&y=z /\xC3\xBC"), "to.ken");
  EXPECT_EQ(posted.status, 202U);
  EXPECT_EQ(posted.body, "/a b x&y=z /\xC3\xBC to.ken");
  EXPECT_EQ(request("GET", "/").body, "/  ");
  EXPECT_EQ(request("GET", "/", "", milliseconds(20000), "localhost").status, 200U);
  const HttpResult head = request("HEAD", "/");
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(head.body, "");
}

TEST_F(HttpClientTest, AsksOverIpVersion6) {
  serve([](const HttpRequest& request, HttpReply reply) { reply.send({.body = request.loopback ? "yes" : "no"}); },
        "[::1]:0");
  EXPECT_EQ(request("GET", "/", "", milliseconds(20000), "[::1]").body, "yes");
}

TEST_F(HttpClientTest, WaitsForALateAndLargeAnswer) {
  const std::string large(8 << 20, 'x');
  event::Timer later(loop_, [&] { kept_.at(0).send({.body = large}); });
  serve([&](const HttpRequest&, HttpReply reply) {
    kept_.push_back(std::move(reply));
    later.start(milliseconds(20));
  });
  EXPECT_EQ(request("GET", "/").body, large);
}

std::string complaint(const std::function<void()>& act) {
  try {
    act();
  } catch (const HttpUnreachable& error) {
    return error.what();
  }
  return "none";
}

TEST_F(HttpClientTest, SaysWhereNobodyAnswers) {
  serve_later();
  const std::string url = "http://127.0.0.1:" + std::to_string(server_->port());
  EXPECT_EQ(complaint([&] { request("GET", "/", "", milliseconds(50)); }),
            "the server at " + url + " did not answer in time");
  server_.reset();
  EXPECT_EQ(complaint([&] { http_request("GET", url, "/", "", milliseconds(5000)); }),
            "no server answers at " + url + ": Connection refused");
}

TEST_F(HttpClientTest, SendsNothingThatWouldBeAnotherRequest) {
  const auto ask = [](const std::string& url, const std::string& path, const std::string& token) {
    http_request("GET", url, path, token, milliseconds(1000));
  };
  EXPECT_THROW(ask("http://127.0.0.1:1", "/a b", ""), std::invalid_argument);
  EXPECT_THROW(ask("http://127.0.0.1:1", "/", "a\r\nX: y"), std::invalid_argument);
  for (const char* url :
       {"", "127.0.0.1:1", "https://127.0.0.1:1", "http://", "http://h:", "http://h/path", "http://[::1"}) {
    EXPECT_THROW(ask(url, "/", ""), std::invalid_argument) << url;
  }
}

}  // namespace
}  // namespace walrelay::sidecar
