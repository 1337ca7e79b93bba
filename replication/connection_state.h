// The inside of a Connection. Private to connection*.cc; the only header that includes libpq.
//
//   closed ──open()──> connecting ──> idle <──> busy (query, copy)
//     ^                                 └─────> streaming (until close)
//     └── every failure of the connection itself, and every operation that was not finished
#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replication/connect_parameters.h"
#include "replication/connection.h"
#include "replication/encoding.h"
#include "replication/resolve_hosts.h"
#include "replication/server_words.h"

namespace walrelay::replication {

struct LibpqDelete {
  void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
  void operator()(PGresult* result) const noexcept { PQclear(result); }
  void operator()(char* buffer) const noexcept { PQfreemem(buffer); }
  void operator()(PGnotify* notification) const noexcept { PQfreemem(notification); }
};
template <class T>
using Libpq = std::unique_ptr<T, LibpqDelete>;

// What one exchange with the server consists of.
struct Exchange {
  std::string sql;
  std::string what;
  std::optional<std::vector<std::optional<std::string>>> parameters;
  Connection::CopyRow row;
  bool replication = false;
};

struct Connection::State {
  enum class Use : std::uint8_t { closed, connecting, idle, busy, streaming };

  State(event::Loop& on, ConnectionOptions with, Connection& owner);

  // connection.cc
  void watch_anew(int directions);  // a new Poll on libpq's present socket
  void on_ready() noexcept;
  void notice_loss();
  void become_idle();
  static void require(bool holds, const char* otherwise);  // aborts: a programming error
  void drop();                                             // closes; whoever waits for the server learns it
  void start_connecting(const Address& address, const std::string& session_attributes);
  event::Task<> connect(Address address, std::string session_attributes);
  event::Task<> pin_session();
  event::Task<bool> try_addresses(std::vector<Address> addresses, std::string session_attributes);
  [[nodiscard]] event::milliseconds connect_patience() const;
  [[nodiscard]] PostgresError connect_error() const;

  // connection_query.cc
  event::Task<std::vector<Result>> exchange(Exchange request);
  event::Task<> receive(const Exchange& request, std::vector<Result>& results);
  event::Task<> receive_copy(const Exchange& request);
  void send(const Exchange& request);
  void encode(Exchange& request) const;
  [[nodiscard]] std::string from_server(std::string_view text) const;
  [[nodiscard]] Result take_rows(const PGresult* from) const;
  void wait_for_server();  // then: co_await ready
  void take_input(const std::string& what);
  void read_socket();
  void notice_closed_socket();
  [[nodiscard]] bool result_at_hand() const;
  void report_answered(std::chrono::steady_clock::time_point asked) const;
  [[nodiscard]] PostgresError lost(const std::string& what) const;
  [[nodiscard]] PostgresError reply_error(const PGresult* result, const std::string& what) const;

  event::Loop& loop;
  ConnectionOptions options;
  Connection& front;
  Use use = Use::closed;
  int operations = 0;   // under way, one inside another
  bool broken = false;  // the socket gives nothing more; libpq may still hold what came before
  Purpose purpose = Purpose::catalogue;
  std::chrono::nanoseconds paused{0};  // of the operation under way: its reader wanted no more
  bool server_ended_copy = false;      // streaming: what comes next is the result
  std::string cut;                     // why the operation under way must end, though the connection may be well
  std::string peer;
  std::optional<ServerWords> farewell;  // a FATAL error that answered no request
  std::vector<std::string> attempts;    // open(): what went wrong with each address
  std::string attempts_sqlstate;
  std::exception_ptr loss;

  // Of the database, null where bytes pass through. Statements and their rows are UTF-8 on our side; COPY data and the
  // stream's are not touched.
  std::unique_ptr<Encoding> encoding;
  Libpq<PGconn> conn;
  Libpq<char> copy_buffer;
  std::unique_ptr<event::Poll> poll;  // after conn: polling must stop before PQfinish closes the descriptor
  event::Event ready;                 // the socket, or drop(), or a time-out
  event::Event resumed;               // resume_copy(), or drop()
  event::Deferred report_loss;
};

// Around an operation: what does not reach finish() leaves the connection closed, as its answer may still be to come.
class Operation {
 public:
  Operation(Connection::State& state, Connection::State::Use use) : state_(state) {
    state_.use = use;
    ++state_.operations;
  }
  ~Operation() {
    --state_.operations;
    if (!finished_) state_.drop();
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  void finish() { finished_ = true; }

 private:
  Connection::State& state_;
  bool finished_ = false;
};

}  // namespace walrelay::replication
