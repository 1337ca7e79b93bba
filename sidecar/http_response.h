// What an HTTP server sends, byte by byte, until it is one answer. No sockets here; http_client.cc feeds it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace walrelay::sidecar {

struct HttpResult {
  unsigned status = 0;
  std::string body;
};

// Throws std::runtime_error, a clause behind "the server at ...", for what is no HTTP/1 answer or has a body of more
// than 16 MiB.
class HttpResponseReader {
 public:
  explicit HttpResponseReader(bool has_body) : has_body_(has_body) {}  // false for the answer to HEAD
  void feed(std::string_view bytes);
  void end();  // the server has closed the connection
  [[nodiscard]] bool complete() const { return at_ == At::over; }
  HttpResult take() { return std::move(result_); }  // when complete

 private:
  enum class At { head, sized_body, body_until_end, chunk_size, chunk, chunk_end, trailer, over };
  bool step();  // false: more bytes are needed
  bool read_head();
  void read_header(std::string_view line);
  bool read_chunk_size();
  void read_body();
  bool take_line(std::string_view& line);

  const bool has_body_;
  At at_ = At::head;
  std::string buffer_;       // what was not looked at yet
  std::size_t used_ = 0;     // of buffer_
  std::size_t missing_ = 0;  // of the body, or of the chunk
  bool sized_ = false, chunked_ = false;
  HttpResult result_;
};

}  // namespace walrelay::sidecar
