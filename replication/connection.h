// One connection to PostgreSQL, driven by the loop. Only connection*.cc call libpq.
//
//   open():   resolve (uv_getaddrinfo) ─> PQconnectStart ─> PQconnectPoll ... ─> session pinned by start-up options
//   query():  one statement or several, results in order
//   copy():   a COPY ... TO STDOUT among them goes row by row to a handler, which may pause it
//   CopyBoth: begin_replication() leaves the connection to a Stream (stream.h)
//
// Statements, their rows and all messages are UTF-8, whatever the database's encoding is; COPY data and the stream's
// are what the server sent. Nothing here blocks. One operation at a time; a second one before the first is over is a
// programming error (aborts). An operation is cancelled by destroying its task; then the connection is closed, as the
// server's answer to it is still to come. A Connection outlives the tasks it gave out.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "event/loop.h"
#include "event/task.h"

namespace walrelay::replication {

// What PostgreSQL, or the connection to it, said. `sqlstate` is empty when there was no server to say one; then
// `lost` tells a connection that broke or was never made from an error reply.
class PostgresError : public std::runtime_error {
 public:
  PostgresError(std::string sqlstate, bool lost, const std::string& message)
      : std::runtime_error(message), sqlstate_(std::move(sqlstate)), lost_(lost) {}
  [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  std::string sqlstate_;
  bool lost_;
};

// What is asked of the server and why: for whoever counts how long it takes to answer.
enum class Purpose : std::uint8_t { catalogue, chunk, reread, document, sweep };

struct ConnectionOptions {
  // libpq keywords in order (host, port, user, dbname, sslmode, target_session_attrs, ...); several hosts as libpq
  // has them, separated by commas. No password here.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::function<std::string()> password;  // asked at every connect: secrets rotate; empty function: libpq's own ways
  bool replication = false;               // replication=database
  std::string application_name = "walrelay";
  std::chrono::milliseconds connect_timeout{10000};
  // Told of each operation that the server has answered to its end, be it with an error: how long that took, but for
  // the time that copy() was paused. Never throws.
  std::function<void(Purpose purpose, std::chrono::nanoseconds took)> on_answered = {};
};

// The rows of one statement. Owns its memory.
class Result {
 public:
  using Field = std::optional<std::string>;
  [[nodiscard]] std::size_t rows() const { return values_.size(); }
  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] const Field& at(std::size_t row, std::size_t column) const { return values_.at(row).at(column); }
  [[nodiscard]] std::string text(std::size_t row, std::size_t column) const { return at(row, column).value_or(""); }
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }

  std::vector<std::string> columns_;
  std::vector<std::vector<Field>> values_;
};

class Connection {
 public:
  Connection(event::Loop& loop, ConnectionOptions options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Tries each address of each host in turn, each at most connect_timeout long. Throws PostgresError (always `lost`;
  // with the SQLSTATE of the first server that gave one). Closes first what was open.
  event::Task<> open();
  [[nodiscard]] bool is_open() const;
  void close();  // an operation under way ends with a PostgresError

  // The last statement's rows. Several statements may be separated by semicolons. Throws PostgresError whose message
  // starts with `what` ("create slot \"cache\""), then the server's words and the SQLSTATE. After an error reply the
  // connection can be used on: a transaction that the statements began is rolled back before the error is thrown.
  event::Task<Result> query(std::string sql, std::string what);
  // One statement with bound text parameters ($1 ...).
  event::Task<Result> query(std::string sql, std::vector<std::optional<std::string>> parameters, std::string what);

  // Several statements: one Result each, in order.
  event::Task<std::vector<Result>> query_all(std::string sql, std::string what);

  // Statements of which one is a COPY ... TO STDOUT. Each CopyData goes to `row` (borrowed); when it returns false,
  // reading pauses until resume_copy(). The rows of the other statements are returned, one Result each, in order.
  // What `row` throws ends the operation, closes the connection, and comes out of the task.
  using CopyRow = std::function<bool(std::string_view data)>;
  event::Task<std::vector<Result>> copy(std::string sql, CopyRow row, std::string what);
  void resume_copy();

  void set_purpose(Purpose purpose);  // of what is asked from now on; at first it is the catalogue

  // START_REPLICATION: after it the connection belongs to a Stream.
  event::Task<> begin_replication(std::string sql, std::string what);

  // For Stream. Non-blocking; each throws PostgresError when the connection is over, next_copy_data() only after all
  // that had arrived before. `end`: the server ended the stream in order.
  enum class Got : std::uint8_t { data, nothing, end };
  void consume_input();
  [[nodiscard]] bool input_waiting() const;    // TLS holds bytes which the socket will not announce: consume them now
  Got next_copy_data(std::string_view& data);  // valid until the next call
  void put_copy_data(std::string_view data);
  void put_copy_end();
  bool flush_output();               // true: something is left, wait for writable
  [[nodiscard]] int socket() const;  // watched by nobody else once replication has begun; -1: closed
  [[nodiscard]] event::Loop& loop() const;

  // Notices when an idle connection breaks or the server says farewell (57P01 at shutdown): called once, at the end of
  // the loop turn. Watched while no operation is under way.
  std::function<void(std::exception_ptr)> on_lost;

  [[nodiscard]] int server_version() const;                     // 150020
  [[nodiscard]] std::string parameter(const char* name) const;  // server_encoding, in_hot_standby, ...
  [[nodiscard]] int backend_pid() const;
  [[nodiscard]] std::string peer() const;  // "db.example:5432/app" for messages, no secret

  struct State;  // connection_state.h: for connection*.cc alone

 private:
  std::unique_ptr<State> state_;
};

std::string quote_identifier(std::string_view name);  // always quoted
std::string quote_literal(std::string_view text);     // standard_conforming_strings form; E'' where a backslash stands

}  // namespace walrelay::replication
