// One exchange with the server: statements out, results, COPY data or the beginning of replication in.
#include "replication/connection_state.h"

namespace walrelay::replication {

namespace {

std::string_view field(const PGresult* result, int code) {
  const char* value = PQresultErrorField(result, code);
  return value != nullptr ? value : "";
}

ServerWords words_of(const PGresult* result) {
  const std::string_view severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  const std::string_view sqlstate = field(result, PG_DIAG_SQLSTATE);
  if (sqlstate.empty()) return {.sqlstate = {}, .text = one_line(PQresultErrorMessage(result)), .fatal = false};
  return server_words(sqlstate, field(result, PG_DIAG_MESSAGE_PRIMARY), field(result, PG_DIAG_MESSAGE_DETAIL),
                      field(result, PG_DIAG_MESSAGE_HINT), severity == "FATAL" || severity == "PANIC");
}

std::string prefixed(const std::string& what, const std::string& text) {
  return what.empty() ? text : what + ": " + text;
}

}  // namespace

Result Connection::State::take_rows(const PGresult* from) const {
  Result result;
  const int columns = PQnfields(from);
  for (int column = 0; column < columns; ++column) result.columns_.push_back(from_server(PQfname(from, column)));
  for (int row = 0; row < PQntuples(from); ++row) {
    std::vector<Result::Field>& values = result.values_.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(from, row, column) != 0) {
        values.emplace_back();
      } else {
        values.emplace_back(
            from_server({PQgetvalue(from, row, column), static_cast<std::size_t>(PQgetlength(from, row, column))}));
      }
    }
  }
  return result;
}

std::string Connection::State::from_server(std::string_view text) const {
  if (encoding == nullptr || is_ascii(text)) return std::string(text);
  std::string utf8;
  encoding->append_utf8(text, utf8);
  return utf8;
}

void Connection::State::encode(Exchange& request) const {
  if (encoding == nullptr) return;
  const auto convert = [&](std::string& text) {
    std::string encoded;
    if (is_ascii(text)) return;
    if (!encoding->append_server(text, encoded)) {
      throw PostgresError("22P05", false,
                          prefixed(request.what, "a name or a value has a character that the database's encoding, " +
                                                     front.parameter("server_encoding") + ", does not have"));
    }
    text = std::move(encoded);
  };
  convert(request.sql);
  if (!request.parameters) return;
  for (auto& parameter : *request.parameters) {
    if (parameter) convert(*parameter);
  }
}

PostgresError Connection::State::lost(const std::string& what) const {
  if (!cut.empty()) return {"", true, prefixed(what, cut)};
  if (conn == nullptr) return {"", true, prefixed(what, "not connected to " + peer)};
  const std::string before = "connection to " + peer + " lost: ";
  if (farewell) return {farewell->sqlstate, true, prefixed(what, before + farewell->text)};
  std::string text = PQerrorMessage(conn.get());
  // What libpq adds in the following lines ("probably means the server terminated abnormally") is a guess.
  if (text.starts_with("server closed the connection")) text.resize(text.find('\n'));
  text = one_line(text);
  return {"", true, prefixed(what, before + (text.empty() ? "the server closed it" : text))};
}

PostgresError Connection::State::reply_error(const PGresult* result, const std::string& what) const {
  const ServerWords words = words_of(result);
  if (words.sqlstate.empty()) return lost(what);
  return {words.sqlstate, words.fatal, prefixed(what, from_server(words.text))};
}

void Connection::State::send(const Exchange& request) {
  int sent = 0;
  if (request.parameters) {
    std::vector<const char*> values;
    for (const auto& value : *request.parameters) values.push_back(value ? value->c_str() : nullptr);
    sent = PQsendQueryParams(conn.get(), request.sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                             nullptr, nullptr, 0);
  } else {
    sent = PQsendQuery(conn.get(), request.sql.c_str());
  }
  notice_closed_socket();
  if (sent == 0) throw lost(request.what);
}

// Writable only while something is left to send (it always is, else), and readable at the same time: the server may
// be waiting for us to read before it reads on.
void Connection::State::wait_for_server() {
  ready.reset();
  const bool left = PQflush(conn.get()) == 1;  // an error shows when reading, together with the server's words
  notice_closed_socket();
  poll->watch(event::Poll::readable | (left ? event::Poll::writable : event::Poll::none));
  if (broken || front.input_waiting()) ready.set();
}

// At the end of the stream libpq closes the socket by itself, while reading and even while writing.
void Connection::State::notice_closed_socket() {
  if (PQsocket(conn.get()) >= 0) return;
  broken = true;
  if (poll) poll->close();
}

void Connection::State::read_socket() {
  if (PQconsumeInput(conn.get()) == 0) broken = true;
  notice_closed_socket();
}

void Connection::State::take_input(const std::string& what) {
  if (conn == nullptr || !cut.empty()) throw lost(what);
  read_socket();
  if (broken && !result_at_hand() && PQstatus(conn.get()) != CONNECTION_BAD) throw lost(what);
}

// PQgetResult does not block then: a broken connection has no socket to wait for, it makes an error of it.
bool Connection::State::result_at_hand() const {
  return PQisBusy(conn.get()) == 0 || PQstatus(conn.get()) == CONNECTION_BAD;
}

void Connection::State::report_answered(std::chrono::steady_clock::time_point asked) const {
  if (options.on_answered) options.on_answered(purpose, std::chrono::steady_clock::now() - asked - paused);
}

event::Task<std::vector<Result>> Connection::State::exchange(Exchange request) {
  require(use == Use::idle || use == Use::closed, "an operation before the last one was over");
  if (use == Use::closed) throw lost(request.what);
  encode(request);
  const auto asked = std::chrono::steady_clock::now();
  paused = std::chrono::nanoseconds(0);
  std::vector<Result> results;
  std::optional<PostgresError> failure;
  {
    Operation operation(*this, Use::busy);
    send(request);
    try {
      auto receiving = receive(request, results);
      co_await std::move(receiving);
    } catch (const PostgresError& error) {
      if (error.lost() || use != Use::busy) throw;
      failure = error;
    }
    operation.finish();
  }
  if (use == Use::streaming) co_return results;
  report_answered(asked);
  become_idle();
  if (!failure) co_return results;
  if (PQtransactionStatus(conn.get()) == PQTRANS_INERROR) {
    Exchange rollback{.sql = "ROLLBACK", .what = request.what, .parameters = {}, .row = {}};
    auto ending = exchange(std::move(rollback));
    co_await std::move(ending);
  }
  throw PostgresError(*failure);
}

// All the results of a request. Throws an error reply when everything has been received, so that the next request can
// follow; throws at once when the connection is over.
event::Task<> Connection::State::receive(const Exchange& request, std::vector<Result>& results) {
  std::optional<PostgresError> failure;
  bool copied = false;
  for (;;) {
    while (!result_at_hand()) {
      wait_for_server();
      co_await ready;
      take_input(request.what);
    }
    const Libpq<PGresult> result(PQgetResult(conn.get()));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COPY_BOTH && request.replication) {
      poll.reset();  // the Stream has its own: there can be only one
      use = Use::streaming;
      co_return;
    }
    if (status == PGRES_COPY_OUT && request.row) {
      auto copying = receive_copy(request);
      co_await std::move(copying);
      copied = true;
    } else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
      if (!copied) results.push_back(take_rows(result.get()));
      copied = false;
    } else if (status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH) {
      throw PostgresError("", true, prefixed(request.what, "a COPY that was not expected; connection closed"));
    } else {
      if (!failure) failure = reply_error(result.get(), request.what);
      if (failure->lost() || broken) break;
    }
  }
  if (failure) throw PostgresError(*failure);
  if (PQstatus(conn.get()) == CONNECTION_BAD) throw lost(request.what);
  if (request.replication) {
    throw PostgresError("", false,
                        request.what + ": the server at " + peer +
                            " did not begin to stream; connect to PostgreSQL itself, not to a pooler");
  }
}

event::Task<> Connection::State::receive_copy(const Exchange& request) {
  for (;;) {
    char* raw = nullptr;
    const int length = PQgetCopyData(conn.get(), &raw, 1);
    const Libpq<char> data(raw);
    if (length == -1) co_return;  // the next result says whether it is complete
    if (length < -1) throw lost(request.what);
    if (length > 0) {
      resumed.reset();
      const bool more = request.row({data.get(), static_cast<std::size_t>(length)});
      if (conn == nullptr) throw lost(request.what);  // closed by the handler
      if (more) continue;
      poll->watch(event::Poll::none);
      const auto since = std::chrono::steady_clock::now();
      co_await resumed;
      paused += std::chrono::steady_clock::now() - since;
      if (conn == nullptr) throw lost(request.what);
    } else {
      if (broken) throw lost(request.what);
      wait_for_server();
      co_await ready;
      take_input(request.what);
    }
  }
}

event::Task<Result> Connection::query(std::string sql, std::string what) {
  auto querying = query_all(std::move(sql), std::move(what));
  std::vector<Result> results = co_await std::move(querying);
  co_return results.empty() ? Result() : std::move(results.back());
}

event::Task<std::vector<Result>> Connection::query_all(std::string sql, std::string what) {
  Exchange request{.sql = std::move(sql), .what = std::move(what), .parameters = {}, .row = {}};
  return state_->exchange(std::move(request));
}

event::Task<Result> Connection::query(std::string sql, std::vector<std::optional<std::string>> parameters,
                                      std::string what) {
  Exchange request{.sql = std::move(sql), .what = std::move(what), .parameters = std::move(parameters), .row = {}};
  auto querying = state_->exchange(std::move(request));
  std::vector<Result> results = co_await std::move(querying);
  co_return results.empty() ? Result() : std::move(results.back());
}

event::Task<std::vector<Result>> Connection::copy(std::string sql, CopyRow row, std::string what) {
  Exchange request{.sql = std::move(sql), .what = std::move(what), .parameters = {}, .row = std::move(row)};
  return state_->exchange(std::move(request));
}

void Connection::set_purpose(Purpose purpose) { state_->purpose = purpose; }

void Connection::resume_copy() { state_->resumed.set(); }

event::Task<> Connection::begin_replication(std::string sql, std::string what) {
  Exchange request{.sql = std::move(sql), .what = std::move(what), .parameters = {}, .row = {}, .replication = true};
  auto exchanging = state_->exchange(std::move(request));
  co_await std::move(exchanging);
}

}  // namespace walrelay::replication
