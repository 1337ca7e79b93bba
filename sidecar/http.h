// The HTTP side: libmicrohttpd without a thread of its own, its epoll descriptor watched by our loop.
//
//   GET /livez    200 while the loop turns, whatever the servers do (a restart would not mend them)
//   GET /readyz   200 when every table was read and the stream runs; 503 otherwise, with the state in words
//   GET /metrics  Prometheus text
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "event/loop.h"

namespace walrelay::sidecar {

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const std::string& method, const std::string& path)>;
  // `listen`: "127.0.0.1:9847", "[::]:9847", ":9847". Throws std::runtime_error naming the address.
  HttpServer(event::Loop& loop, const std::string& listen, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sidecar
