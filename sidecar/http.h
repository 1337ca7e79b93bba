// The HTTP side: libmicrohttpd without a thread of its own, its epoll descriptor watched by our loop.
//
//   client ── request ──> HttpServer ── HttpRequest, HttpReply ──> handler
//      ^                      |                                       |
//      └──── HttpAnswer ──────┴──── HttpReply::send, now or later ────┘
//
// The connection of a request that is answered later is suspended: nothing of it is read and no time runs out, so
// whoever keeps the reply sets the bound. Which pages there are: programs.cc.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "event/loop.h"

namespace walrelay::sidecar {

struct HttpRequest {
  std::string method;
  std::string path;                          // decoded, so that "%2F" is a "/" like any other
  std::map<std::string, std::string> query;  // decoded; the last of a repeated name
  std::string token;                         // of "Authorization: Bearer ..."; empty: none
  bool loopback = false;                     // the peer's address is 127.0.0.0/8 or ::1
  std::string host = {};                     // of the Host header: "localhost:9847"; empty: none
  std::string origin = {};                   // of the Origin header, which browsers send; empty: none
};

struct HttpAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body = {};
  std::string allow = {};     // 405: the methods that would do, "GET, HEAD"
  std::string location = {};  // 201, 3xx: where to look
  std::string policy = {};    // Content-Security-Policy of a page; empty: nothing may be loaded, run or framed
  unsigned retry_after = 0;   // 503: seconds; 0: nothing is said of it
};

// What a client may take. Beyond it others wait, or the connection ends; whoever turns the loop never waits for one.
struct HttpLimits {
  unsigned connections = 64;
  unsigned per_address = 48;        // so that one client, or one Pod, never shuts out the kubelet's probes
  event::milliseconds idle{10000};  // nothing is sent or received
  // From the connection, or from its last answer, until a request is complete: who sends a byte now and then is not
  // idle.
  event::milliseconds request{10000};
  event::milliseconds answer{30000};  // until an answer has been taken
};

class HttpExchange;  // one request on its way to an answer; see http.cc

// Answers one request, once; may be kept and used later from the loop. When the client has gone, or the server,
// answering does nothing. Destroyed without an answer it says 503.
class HttpReply {
 public:
  HttpReply(HttpReply&& other) noexcept;
  HttpReply& operator=(HttpReply&& other) noexcept;
  ~HttpReply();
  void send(HttpAnswer answer);

 private:
  friend class HttpExchange;
  explicit HttpReply(HttpExchange& exchange);
  HttpExchange* exchange_;  // null: answered, or there is nobody to answer any more
};

class HttpServer {
 public:
  // What it throws is answered with 500 and the exception's words. It must not destroy the server.
  using Handler = std::function<void(const HttpRequest&, HttpReply)>;
  // `listen`: see listening_socket(). Throws std::runtime_error naming the address.
  HttpServer(event::Loop& loop, const std::string& listen, Handler handler, HttpLimits limits = {});
  ~HttpServer();  // says 503 to those who still wait for an answer
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] int port() const;  // that it listens on

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sidecar
