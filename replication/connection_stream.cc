// What a Stream needs of its connection: CopyData in and out, without ever waiting.
#include <openssl/ssl.h>

#include "replication/connection_state.h"

namespace walrelay::replication {

// libpq reads as much as its buffer has room for. What OpenSSL has decrypted beyond that is nowhere in the kernel.
bool Connection::input_waiting() const {
  if (state_->conn == nullptr || state_->broken) return false;
  auto* tls = static_cast<SSL*>(PQsslStruct(state_->conn.get(), "OpenSSL"));
  return tls != nullptr && SSL_pending(tls) > 0;
}

void Connection::consume_input() {
  if (state_->conn == nullptr) throw state_->lost("");
  // A failure is not reported yet: first all that had arrived before, perhaps with the server's reason at its end.
  state_->read_socket();
}

Connection::Got Connection::next_copy_data(std::string_view& data) {
  State& s = *state_;
  if (s.conn == nullptr) throw s.lost("");
  char* raw = nullptr;
  const int length = s.server_ended_copy ? -1 : PQgetCopyData(s.conn.get(), &raw, 1);
  s.copy_buffer.reset(raw);
  if (length > 0) {
    data = {raw, static_cast<std::size_t>(length)};
    return Got::data;
  }
  if (length < -1) throw s.lost("");
  if (length == 0) {
    if (s.broken) throw s.lost("");
    return Got::nothing;
  }
  s.server_ended_copy = true;
  if (!s.result_at_hand()) return Got::nothing;
  const Libpq<PGresult> result(PQgetResult(s.conn.get()));
  const ExecStatusType status = PQresultStatus(result.get());
  if (result != nullptr && (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE)) {
    throw s.reply_error(result.get(), "");
  }
  return Got::end;
}

void Connection::put_copy_data(std::string_view data) {
  State& s = *state_;
  if (s.conn == nullptr) throw s.lost("");
  const int put = PQputCopyData(s.conn.get(), data.data(), static_cast<int>(data.size()));
  s.notice_closed_socket();
  if (put == 1) return;
  s.broken = true;
  throw s.lost("");
}

void Connection::put_copy_end() {
  State& s = *state_;
  if (s.conn != nullptr && PQputCopyEnd(s.conn.get(), nullptr) == 1) return;
  s.broken = true;
  throw s.lost("");
}

bool Connection::flush_output() {
  State& s = *state_;
  if (s.conn == nullptr) throw s.lost("");
  const int left = PQflush(s.conn.get());
  s.notice_closed_socket();
  if (left >= 0) return left > 0;
  s.broken = true;
  throw s.lost("");
}

int Connection::socket() const { return state_->conn == nullptr ? -1 : PQsocket(state_->conn.get()); }

}  // namespace walrelay::replication
