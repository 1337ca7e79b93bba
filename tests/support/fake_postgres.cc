#include "tests/support/fake_postgres.h"

#include <arpa/inet.h>

#include <stdexcept>

#include "tests/support/bytes.h"

namespace walrelay::support {

namespace {

std::uint32_t read_u32(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

std::uint64_t read_u64(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint64_t>(read_u32(bytes, at)) << 32 | read_u32(bytes, at + 4);
}

void require(int status, const char* what) {
  if (status < 0) throw std::runtime_error(std::string("fake server: ") + what + ": " + uv_strerror(status));
}

struct Write {
  uv_write_t request{};
  std::string bytes;
};

event::UvHandle<uv_tcp_t> make_tcp(uv_loop_t* loop) {
  auto raw = std::make_unique<uv_tcp_t>();
  require(uv_tcp_init(loop, raw.get()), "uv_tcp_init");
  raw->data = nullptr;
  return event::UvHandle<uv_tcp_t>(raw.release());
}

uv_stream_t* stream(const event::UvHandle<uv_tcp_t>& handle) { return reinterpret_cast<uv_stream_t*>(handle.get()); }

constexpr std::uint32_t kSslRequest = 80877103, kGssRequest = 80877104;

}  // namespace

namespace backend {

std::string message(char type, std::string_view body) {
  return std::string(1, type) + Bytes().u32(static_cast<std::uint32_t>(body.size() + 4)).raw(body).str();
}
std::string authentication_ok() { return message('R', Bytes().u32(0).str()); }
std::string parameter(const std::string& name, const std::string& value) {
  return message('S', Bytes().cstring(name).cstring(value).str());
}
std::string key_data(std::uint32_t pid) { return message('K', Bytes().u32(pid).u32(1).str()); }
std::string ready(char transaction) { return message('Z', std::string(1, transaction)); }

std::string welcome() {
  return authentication_ok() + parameter("server_version", "13.9") + parameter("server_encoding", "UTF8") +
         parameter("client_encoding", "SQL_ASCII") + parameter("standard_conforming_strings", "on") + key_data(4711) +
         ready();
}

std::string rows(const std::vector<std::string>& columns, const std::vector<Row>& values) {
  Bytes description;
  description.u16(static_cast<std::uint16_t>(columns.size()));
  for (const std::string& column : columns) {
    description.cstring(column).u32(0).u16(0).u32(25).u16(0xFFFF).u32(0xFFFFFFFF).u16(0);
  }
  std::string all = message('T', description.str());
  for (const Row& row : values) {
    Bytes data;
    data.u16(static_cast<std::uint16_t>(row.size()));
    for (const auto& value : row) {
      if (value) {
        data.counted(*value);
      } else {
        data.u32(0xFFFFFFFF);
      }
    }
    all += message('D', data.str());
  }
  return all + complete("SELECT " + std::to_string(values.size()));
}

std::string complete(const std::string& tag) { return message('C', Bytes().cstring(tag).str()); }

std::string error(const std::string& severity, const std::string& sqlstate, const std::string& primary,
                  const std::string& detail, const std::string& hint) {
  Bytes body;
  body.cstring("S" + severity).cstring("V" + severity).cstring("C" + sqlstate).cstring("M" + primary);
  if (!detail.empty()) body.cstring("D" + detail);
  if (!hint.empty()) body.cstring("H" + hint);
  return message('E', body.u8(0).str());
}

std::string notice(const std::string& primary) {
  return message('N',
                 Bytes().cstring("SNOTICE").cstring("VNOTICE").cstring("C00000").cstring("M" + primary).u8(0).str());
}

std::string copy_out() { return message('H', Bytes().u8(0).u16(1).u16(0).str()); }
std::string copy_both() { return message('W', Bytes().u8(0).u16(0).str()); }
std::string copy_data(std::string_view data) { return message('d', data); }
std::string copy_done() { return message('c', ""); }
std::string xlog(std::uint64_t lsn, std::string_view payload) {
  return copy_data(Bytes("w").u64(lsn).u64(lsn).u64(0).raw(payload).str());
}
std::string keepalive(std::uint64_t end, bool reply_requested) {
  return copy_data(Bytes("k").u64(end).u64(0).u8(reply_requested ? 1 : 0).str());
}

}  // namespace backend

FakeSession::FakeSession(FakePostgres& server, uv_stream_t* listener)
    : server_(server), socket_(make_tcp(server.loop().raw())), next_byte_(server.loop(), [this] {
        if (slow_.empty()) return;
        send(slow_.substr(0, 1));
        slow_.erase(0, 1);
        if (!slow_.empty()) next_byte_.schedule();
      }) {
  socket_->data = this;
  require(uv_accept(listener, stream(socket_)), "uv_accept");
  go_on_reading();
}

void FakeSession::send(std::string bytes) {
  if (!socket_ || bytes.empty()) return;
  auto* write = new Write{.request = {}, .bytes = std::move(bytes)};
  write->request.data = write;
  const uv_buf_t buffer = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
  const int status = uv_write(&write->request, stream(socket_), &buffer, 1,
                              [](uv_write_t* request, int) noexcept { delete static_cast<Write*>(request->data); });
  if (status < 0) delete write;
}

void FakeSession::send_slowly(std::string bytes) {
  slow_ += bytes;
  next_byte_.schedule();
}

void FakeSession::close() {
  if (!socket_) return;
  auto* request = new uv_shutdown_t;
  const int status = uv_shutdown(request, stream(socket_), [](uv_shutdown_t* done, int) noexcept { delete done; });
  if (status < 0) delete request;
}

void FakeSession::reset() {
  if (!socket_) return;
  uv_tcp_t* raw = socket_.release();
  raw->data = nullptr;
  uv_tcp_close_reset(raw, [](uv_handle_t* closed) { delete reinterpret_cast<uv_tcp_t*>(closed); });
}

void FakeSession::stop_reading() {
  if (socket_) uv_read_stop(stream(socket_));
}

void FakeSession::go_on_reading() {
  const auto allocate = [](uv_handle_t*, std::size_t, uv_buf_t* buffer) noexcept {
    static char memory[65536];  // one loop, one thread, and used up before the next read
    *buffer = uv_buf_init(memory, sizeof memory);
  };
  if (socket_) uv_read_start(stream(socket_), allocate, on_read);
}

void FakeSession::on_read(uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) noexcept {
  auto* self = static_cast<FakeSession*>(from->data);
  if (self == nullptr) return;
  if (count < 0) {
    self->client_gone_ = true;
    uv_read_stop(from);
  } else {
    self->take({buffer->base, static_cast<std::size_t>(count)});
  }
}

void FakeSession::take(std::string_view bytes) {
  input_ += bytes;
  while (!started_) {
    if (!take_start_up()) return;
  }
  while (input_.size() >= 5) {
    const std::size_t length = read_u32(input_, 1);
    if (input_.size() < length + 1) return;
    const char type = input_[0];
    std::string body = input_.substr(5, length - 4);
    input_.erase(0, length + 1);
    dispatch(type, std::move(body));
  }
}

bool FakeSession::take_start_up() {
  if (input_.size() < 8 || input_.size() < read_u32(input_, 0)) return false;
  const std::uint32_t code = read_u32(input_, 4);
  const std::size_t length = read_u32(input_, 0);
  if (code == kSslRequest || code == kGssRequest) {
    input_.erase(0, length);
    send("N");
    return true;
  }
  start_up = input_.substr(8, length - 8);
  input_.erase(0, length);
  started_ = true;
  server_.on_start_up(*this, start_up);
  return true;
}

void FakeSession::dispatch(char type, std::string body) {
  switch (type) {
    case 'Q':
      queries.emplace_back(body.c_str());
      server_.on_query(*this, queries.back());
      break;
    case 'P':  // Parse: the statement's name, the statement
      extended_ = body.c_str() + body.find('\0') + 1;
      send(backend::message('1', ""));
      break;
    case 'B':
      send(backend::message('2', ""));
      break;
    case 'S':
      queries.push_back(extended_);
      server_.on_query(*this, extended_);
      break;
    case 'd':
      if (body.size() == 34 && body[0] == 'r') {
        statuses.push_back({read_u64(body, 1), read_u64(body, 9), read_u64(body, 17), body[33] != 0});
      }
      if (server_.on_copy_data) server_.on_copy_data(*this, body);
      break;
    case 'c':
      copy_done = true;
      server_.on_copy_done(*this, "");
      break;
    case 'X':
      terminated = true;
      break;
    default:
      break;  // Describe, Execute: the answer comes at Sync
  }
}

FakePostgres::FakePostgres(event::Loop& loop) : loop_(loop), listener_(make_tcp(loop.raw())) {
  on_start_up = [](FakeSession& session, const std::string&) { session.send(backend::welcome()); };
  on_query = [](FakeSession& session, const std::string& sql) {
    session.send(sql.starts_with("START_REPLICATION") ? backend::copy_both()
                                                      : backend::complete("SELECT 0") + backend::ready());
  };
  on_copy_done = [](FakeSession& session, const std::string&) {
    session.send(backend::copy_done() + backend::complete("COPY 0") + backend::complete("START_REPLICATION") +
                 backend::ready());
  };
  sockaddr_in address{};
  require(uv_ip4_addr("127.0.0.1", 0, &address), "uv_ip4_addr");
  require(uv_tcp_bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), 0), "uv_tcp_bind");
  listener_->data = this;
  require(uv_listen(stream(listener_), 16,
                    [](uv_stream_t* listener, int status) {
                      auto* self = static_cast<FakePostgres*>(listener->data);
                      if (self == nullptr || status < 0) return;
                      self->sessions.push_back(std::make_unique<FakeSession>(*self, listener));
                      if (self->on_connect) self->on_connect(self->last(), "");
                    }),
          "uv_listen");
  int length = sizeof address;
  require(uv_tcp_getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length), "uv_tcp_getsockname");
  port_ = ntohs(address.sin_port);
}

FakePostgres::~FakePostgres() = default;

}  // namespace walrelay::support
