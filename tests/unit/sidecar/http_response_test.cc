#include "sidecar/http_response.h"

#include <gtest/gtest.h>

#include <optional>

#include "sidecar/http_client.h"

namespace walrelay::sidecar {
namespace {

// In pieces of `size`; nothing when it is not complete at the end, "error: ..." when it is refused.
std::string read(const std::string& bytes, std::size_t size, bool has_body = true) {
  HttpResponseReader reader(has_body);
  try {
    for (std::size_t at = 0; at < bytes.size() && !reader.complete(); at += size) reader.feed(bytes.substr(at, size));
    if (!reader.complete()) reader.end();
  } catch (const std::runtime_error& error) {
    return std::string("error: ") + error.what();
  }
  const HttpResult result = reader.take();
  return std::to_string(result.status) + " " + result.body;
}

TEST(HttpResponse, HoweverItIsCut) {
  struct Row {
    const char* bytes;
    const char* result;
  };
  for (const Row& row : {
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200 hello"},
           Row{"HTTP/1.1 200 OK\r\ncontent-length:5  \r\nX: y\r\n\r\nhello, and more", "200 hello"},
           Row{"HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", "202 "},
           Row{"HTTP/1.0 404 Not Found\r\n\r\nuntil the end", "404 until the end"},
           Row{"HTTP/1.1 204 No Content\r\n\r\n", "204 "},
           Row{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 x"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
               "200 abc0123456789"},
           Row{"HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\nContent-Length: 1\n\n1\na\n0\nTrailer: x\n\n", "200 a"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
               "error: closed the connection before its answer was complete"},
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
               "error: closed the connection before its answer was complete"},
           Row{"", "error: closed the connection before its answer was complete"},
           Row{"+PONG\r\n", "error: does not speak HTTP"},
           Row{"HTTP/1.1 abc OK\r\n\r\n", "error: does not speak HTTP"},
           Row{"HTTP/1.1 200 OK\r\nno header\r\n\r\n", "error: does not speak HTTP"},
           Row{"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "error: does not speak HTTP"},
           Row{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "error: does not speak HTTP"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "error: does not speak HTTP"},
           Row{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "error: does not speak HTTP"},
       }) {
    for (const std::size_t size : {1U, 2U, 7U, 1000U}) EXPECT_EQ(read(row.bytes, size), row.result) << row.bytes;
  }
}

TEST(HttpResponse, TheAnswerToHeadHasNoBody) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1000, false), "200 ");
}

TEST(HttpResponse, ABodyOf16MiBAndNoMore) {
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_EQ(read(head + std::string(kMost, 'x'), 65536).size(), kMost + 4);
  EXPECT_EQ(read(head + std::string(kMost + 1, 'x'), 65536), "error: answers with more than 16 MiB");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x'), 1000), "error: does not speak HTTP");
}

TEST(HttpClient, PercentEncoded) {
  EXPECT_EQ(percent_encoded(""), "");
  EXPECT_EQ(percent_encoded("azAZ09-._~"), "azAZ09-._~");
  EXPECT_EQ(percent_encoded("public.a b+c/d?e&f=g#%"), "public.a%20b%2Bc%2Fd%3Fe%26f%3Dg%23%25");
  EXPECT_EQ(percent_encoded("\xC3\xBC\r\n\x7F" + std::string(1, '\0')), "%C3%BC%0D%0A%7F%00");
}

}  // namespace
}  // namespace walrelay::sidecar
