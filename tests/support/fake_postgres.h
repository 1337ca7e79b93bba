// A PostgreSQL that does what a test tells it, in the test's own loop: for the faults that a real one does not show on
// demand. It reads the client's messages; each is answered by a hook that the test may replace.
//
//   FakePostgres server(loop);
//   server.on_query = [](FakeSession& client, const std::string& sql) { client.send(backend::rows({"a"}, {{"1"}})); };
//   ... connect to 127.0.0.1, server.port()
//
// As it is, it accepts everybody, answers each query with an empty result, and START_REPLICATION with CopyBoth.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.h"

namespace walrelay::support {

// The server's messages, ready to be sent.
namespace backend {
using Row = std::vector<std::optional<std::string>>;
std::string message(char type, std::string_view body);
std::string authentication_ok();
std::string parameter(const std::string& name, const std::string& value);
std::string key_data(std::uint32_t pid);
std::string ready(char transaction = 'I');
std::string welcome();  // all that follows a start-up packet
std::string rows(const std::vector<std::string>& columns, const std::vector<Row>& values);  // with CommandComplete
std::string complete(const std::string& tag);
std::string error(const std::string& severity, const std::string& sqlstate, const std::string& primary,
                  const std::string& detail = "", const std::string& hint = "");
std::string notice(const std::string& primary);
std::string copy_out();
std::string copy_both();
std::string copy_data(std::string_view data);
std::string copy_done();
std::string xlog(std::uint64_t lsn, std::string_view payload);
std::string keepalive(std::uint64_t end, bool reply_requested);
}  // namespace backend

// A status update as the client sent it.
struct Status {
  std::uint64_t written = 0, flushed = 0, applied = 0;
  bool reply_requested = false;
  friend bool operator==(const Status&, const Status&) = default;
};

class FakePostgres;

// One client's connection, as the server sees it.
class FakeSession {
 public:
  FakeSession(FakePostgres& server, uv_stream_t* listener);
  FakeSession(const FakeSession&) = delete;
  FakeSession& operator=(const FakeSession&) = delete;

  void send(std::string bytes);
  void send_slowly(std::string bytes);  // one byte a turn of the loop
  void close();                         // sends what is left, then the end (FIN)
  void reset();                         // RST: the client loses what it has not read
  void stop_reading();                  // the client's messages pile up in the sockets
  void go_on_reading();
  [[nodiscard]] bool client_gone() const { return client_gone_; }
  [[nodiscard]] bool idle() const { return slow_.empty(); }

  std::vector<std::string> queries;
  std::vector<Status> statuses;
  std::string start_up;     // the parameters of the start-up packet, NUL-separated
  bool copy_done = false;   // the client ended the COPY
  bool terminated = false;  // the client said goodbye

 private:
  friend class FakePostgres;
  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) noexcept;
  void take(std::string_view bytes);
  bool take_start_up();
  void dispatch(char type, std::string body);

  FakePostgres& server_;
  event::UvHandle<uv_tcp_t> socket_;
  std::string input_;
  std::string slow_;
  std::string extended_;  // the statement of an extended query
  event::Deferred next_byte_;
  bool started_ = false;
  bool client_gone_ = false;
};

class FakePostgres {
 public:
  explicit FakePostgres(event::Loop& loop);
  ~FakePostgres();
  FakePostgres(const FakePostgres&) = delete;
  FakePostgres& operator=(const FakePostgres&) = delete;

  [[nodiscard]] int port() const { return port_; }
  void stop_listening() { listener_.reset(); }
  event::Loop& loop() { return loop_; }

  // A hook answers by session.send(). One that answers a query sends its ReadyForQuery too, unless it means not to.
  using Hook = std::function<void(FakeSession& session, const std::string& text)>;
  Hook on_connect;    // before anything was read
  Hook on_start_up;   // the default sends backend::welcome()
  Hook on_query;      // simple and extended; the default: an empty result, or CopyBoth
  Hook on_copy_data;  // after a status was noted in session.statuses
  Hook on_copy_done;  // the default ends the COPY in order

  std::deque<std::unique_ptr<FakeSession>> sessions;
  FakeSession& last() { return *sessions.back(); }

 private:
  friend class FakeSession;
  event::Loop& loop_;
  event::UvHandle<uv_tcp_t> listener_;
  int port_ = 0;
};

}  // namespace walrelay::support
