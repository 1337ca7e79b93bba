// What the HTTP server makes of requests and answers, byte by byte.
#include "sidecar/http.h"

#include <gmock/gmock.h>

#include "tests/loop/sidecar/http_fixture.h"

namespace walrelay::sidecar {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpTest, AnswersAtOnceWithEveryHeader) {
  serve([](const HttpRequest&, HttpReply reply) { reply.send({.body = "hello\n"}); });
  Client client(*this);
  client.ask("/");
  const std::string answer = client.answer();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const char* header :
       {"Content-Type: text/plain; charset=utf-8", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY", "Referrer-Policy: no-referrer", "Cross-Origin-Resource-Policy: same-origin",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'none'",
        "Content-Length: 6"}) {
    EXPECT_THAT(answer, HasSubstr(std::string(header) + "\r\n"));
  }
  for (const char* header : {"Allow", "Location", "WWW-Authenticate", "Retry-After"})
    EXPECT_THAT(answer, Not(HasSubstr(header)));
  EXPECT_TRUE(answer.ends_with("\r\n\r\nhello\n"));
}

TEST_F(HttpTest, HeadersOfSomeStatuses) {
  serve([](const HttpRequest& request, HttpReply reply) {
    if (request.path == "/401") return reply.send({.status = 401});
    if (request.path == "/503") return reply.send({.status = 503, .policy = "default-src 'self'", .retry_after = 7});
    if (request.path == "/405") return reply.send({.status = 405, .allow = "GET, HEAD"});
    reply.send({.status = 202, .type = "application/json", .location = "/jobs/1"});
  });
  Client client(*this);
  client.ask("/401");
  EXPECT_THAT(client.answer(), HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  client.ask("/405");
  EXPECT_THAT(client.answer(), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  client.ask("/503");
  const std::string full = client.answer();
  EXPECT_THAT(full, HasSubstr("\r\nRetry-After: 7\r\n"));
  EXPECT_THAT(full, HasSubstr("\r\nContent-Security-Policy: default-src 'self'\r\n"));
  client.ask("/202", "POST");
  const std::string answer = client.answer();
  EXPECT_THAT(answer, HasSubstr("\r\nLocation: /jobs/1\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: application/json\r\n"));
}

TEST_F(HttpTest, HeadHasTheLengthAndNoBody) {
  serve([](const HttpRequest& request, HttpReply reply) { reply.send({.body = request.method}); });
  Client client(*this);
  client.ask("/", "HEAD");
  EXPECT_THAT(client.answer(false), HasSubstr("Content-Length: 4\r\n"));
  client.ask("/");  // on the same connection: a body before it would stand in its way
  EXPECT_EQ(client.short_answer(), "200 GET");
}

TEST_F(HttpTest, DecodesPathAndQuery) {
  serve([](const HttpRequest& request, HttpReply reply) {
    std::string text = request.method + " " + request.path;
    for (const auto& [name, value] : request.query) text += " [" + name + "=" + value + "]";
    reply.send({.body = text});
  });
  struct Row {
    const char* asked;
    const char* read;
  };
  for (const Row& row : {
           Row{"/", "/"},
           Row{"/a%20b/c%2Fd+e", "/a b/c/d+e"},
           Row{"/p?", "/p"},
           Row{"/p?a=1", "/p [a=1]"},
           Row{"/p?a=1&b=x%20y&c=x+y&d=x%2By", "/p [a=1] [b=x y] [c=x y] [d=x+y]"},
           Row{"/p?a=1&b=2&a=3", "/p [a=3] [b=2]"},
           Row{"/p?a&b=&=c&&d=e", "/p [a=] [b=] [d=e]"},
           Row{"/p?table=public.%C3%BC&k%65y=a=b", "/p [key=a=b] [table=public.\xC3\xBC]"},
           Row{"/p?a=%zz&b=%4", "/p [a=%zz] [b=%4]"},
       }) {
    EXPECT_EQ(ask(row.asked, "POST"), std::string("200 POST ") + row.read) << row.asked;
  }
}

TEST_F(HttpTest, ReadsTheBearerToken) {
  serve([](const HttpRequest& request, HttpReply reply) {
    reply.send({.body = "<" + request.token + (request.loopback ? "> loopback" : "> elsewhere")});
  });
  for (const auto& [header, token] : std::map<std::string, std::string>{
           {"", ""},
           {"Authorization: Bearer abc.DEF=\r\n", "abc.DEF="},
           {"authorization: bearer   abc  \r\n", "abc"},
           {"Authorization: Bearer\r\n", ""},
           {"Authorization: Bearer \r\n", ""},
           {"Authorization: Bearerabc\r\n", ""},
           {"Authorization: Basic dTpw\r\n", ""},
       }) {
    EXPECT_EQ(ask("/", "POST", header), "200 <" + token + "> loopback") << header;
  }
}

TEST_F(HttpTest, IsLoopbackAlsoOnASocketOfBothFamilies) {
  serve([](const HttpRequest& request, HttpReply reply) { reply.send({.body = request.loopback ? "yes" : "no"}); },
        "[::]:0");
  EXPECT_EQ(ask("/"), "200 yes");
}

TEST_F(HttpTest, AnException) {
  serve([this](const HttpRequest& request, HttpReply reply) {
    if (request.path == "/kept") kept_.push_back(std::move(reply));
    if (request.path == "/sent") reply.send({.body = "done"});
    if (request.path == "/int") throw 1;
    throw std::runtime_error("the slot is gone");
  });
  EXPECT_EQ(ask("/"), "500 the slot is gone\n");
  EXPECT_EQ(ask("/sent"), "500 the slot is gone\n");
  EXPECT_EQ(ask("/kept"), "500 the slot is gone\n");
  EXPECT_EQ(ask("/int"), "500 an unknown error\n");
  kept_.at(0).send({.body = "too late"});
}

TEST_F(HttpTest, AReplyThatIsDroppedSays503) {
  serve([](const HttpRequest&, HttpReply) {});
  EXPECT_EQ(ask("/"), "503 the request was given up; ask again\n");
}

TEST_F(HttpTest, OnlyTheFirstAnswerCounts) {
  serve([](const HttpRequest&, HttpReply reply) {
    reply.send({.body = "one"});
    reply.send({.body = "two"});
  });
  EXPECT_EQ(ask("/"), "200 one");
}

TEST_F(HttpTest, BodiesAreReadOverUpTo16KiB) {
  serve([](const HttpRequest& request, HttpReply reply) { reply.send({.body = request.path}); });
  Client client(*this);
  client.ask("/small", "POST", "Content-Length: 16384\r\n");
  client.send(std::string(16384, 'x'));
  EXPECT_EQ(client.short_answer(), "200 /small");
  client.ask("/chunked", "POST", "Transfer-Encoding: chunked\r\n");
  client.send("5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(client.short_answer(), "200 /chunked");
  client.ask("/chunked", "POST", "Transfer-Encoding: chunked\r\n");
  client.send("4001\r\n" + std::string(16385, 'x') + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.short_answer(), "413 no page here takes a body\n");
  client.ask("/large", "POST", "Content-Length: 16385\r\n");
  EXPECT_EQ(client.short_answer(), "413 no page here takes a body\n");
}

TEST_F(HttpTest, ABodyWithoutEndIsCutOff) {
  serve([](const HttpRequest& request, HttpReply reply) { reply.send({.body = request.path}); });
  Client client(*this);
  std::size_t sent = 0;
  client.ask("/endless", "POST", "Transfer-Encoding: chunked\r\n");
  until([&] {  // the loop turns, so that its buffers never fill
    const bool open = client.send("1000\r\n" + std::string(4096, 'x') + "\r\n");
    sent += 4096;
    return !open;
  });
  EXPECT_GT(sent, 1U << 20);
  EXPECT_LT(sent, 4U << 20);
  EXPECT_EQ(client.short_answer(), "closed");
}

TEST_F(HttpTest, AnAddressThatIsTaken) {
  serve([](const HttpRequest&, HttpReply) {});
  EXPECT_GT(server_->port(), 0);
  const std::string listen = "127.0.0.1:" + std::to_string(server_->port());
  EXPECT_THROW(HttpServer(loop_, listen, [](const HttpRequest&, HttpReply) {}), std::runtime_error);
}

}  // namespace
}  // namespace walrelay::sidecar
