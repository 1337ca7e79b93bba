#include "tests/support/fake_redis.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "sinks/hiredis.h"

namespace walrelay::support {

using namespace resp_reply;

// One client's connection, as the server sees it.
class FakeRedisSession {
 public:
  FakeRedisSession(FakeRedis& server, int descriptor)
      : server_(server),
        descriptor_(descriptor),
        reader_(redisReaderCreate()),
        next_turn_(server.loop_, [this] { send(); }),
        poll_(std::make_unique<event::Poll>(server.loop_, descriptor, [this](int ready) { on_ready(ready); })) {
    watch();
  }
  ~FakeRedisSession() {
    poll_.reset();
    ::close(descriptor_);
    redisReaderFree(reader_);
  }
  FakeRedisSession(const FakeRedisSession&) = delete;
  FakeRedisSession& operator=(const FakeRedisSession&) = delete;

  void write(const std::string& bytes) {
    out_ += bytes;
    send();
  }
  void close() {
    if (closed) return;
    closed = true;
    poll_->watch(event::Poll::none);
    ::shutdown(descriptor_, SHUT_RDWR);
    server_.bury_.schedule();
  }
  void half_close() { ::shutdown(descriptor_, SHUT_WR); }
  bool closed = false;

 private:
  void watch() {
    if (closed) return;
    const bool wants_write = !out_.empty() && server_.bytes_a_turn == 0;
    poll_->watch(event::Poll::readable | (wants_write ? event::Poll::writable : event::Poll::none));
  }

  void on_ready(int ready) {
    if ((ready & event::Poll::readable) != 0) {
      if (server_.deaf) return poll_->watch(event::Poll::none);
      read();
    }
    if (!closed) send();
  }

  void read() {
    char buffer[64 * 1024];
    const ssize_t got = ::recv(descriptor_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return close();
    if (got < 0) return;
    std::size_t use = static_cast<std::size_t>(got);
    bool broken = false;
    if (server_.break_at_byte != FakeRedis::kNever && server_.received + use >= server_.break_at_byte) {
      use = server_.break_at_byte - std::min(server_.break_at_byte, server_.received);
      broken = true;
    }
    server_.received += use;
    redisReaderFeed(reader_, buffer, use);
    void* request = nullptr;
    while (!closed && redisReaderGetReply(reader_, &request) == REDIS_OK && request != nullptr) {
      auto* array = static_cast<redisReply*>(request);
      FakeRedis::Words words;
      for (std::size_t i = 0; i < array->elements; ++i)
        words.emplace_back(array->element[i]->str, array->element[i]->len);
      freeReplyObject(request);
      request = nullptr;
      answer(words);
    }
    if (broken) close();
  }

  void answer(const FakeRedis::Words& words) {
    server_.seen.push_back(words);
    if (silent_) return;
    const bool breaks = server_.replies == server_.break_at_reply;
    if (breaks && !server_.run_before_break) return close();
    std::string reply;
    const auto scripted = server_.on_command ? server_.on_command(words) : std::nullopt;
    reply = scripted ? *scripted : carry_out(words);
    if (scripted && words.front() == "EXEC") {
      queueing_ = false;
      queue_.clear();
      watched_.clear();
    }
    ++server_.replies;
    silent_ = reply.empty();
    if (breaks) return close();
    out_ += reply;
  }

  std::string carry_out(const FakeRedis::Words& words) {
    const std::string& name = words.front();
    if (name == "MULTI") {
      if (queueing_) return error("ERR MULTI calls can not be nested");
      queueing_ = true;
      return status("OK");
    }
    if (name == "EXEC") return execute();
    if (queueing_) {
      queue_.push_back(words);
      return status("QUEUED");
    }
    if (name == "WATCH") {
      for (std::size_t i = 1; i < words.size(); ++i) watched_.emplace(words[i], server_.versions_[words[i]]);
      return status("OK");
    }
    return server_.run(words);
  }

  std::string execute() {
    if (!queueing_) return error("ERR EXEC without MULTI");
    queueing_ = false;
    const auto queue = std::exchange(queue_, {});
    const auto watched = std::exchange(watched_, {});
    for (const auto& [key, version] : watched) {
      if (server_.versions_[key] != version) return "*-1\r\n";
    }
    std::vector<std::string> results;
    for (const auto& words : queue) {
      const auto scripted = server_.on_element ? server_.on_element(words) : std::nullopt;
      results.push_back(scripted ? *scripted : server_.run(words));
    }
    if (server_.on_executed) server_.on_executed();
    return array(results);
  }

  void send() {
    while (!closed && !out_.empty()) {
      const std::size_t size = server_.bytes_a_turn == 0 ? out_.size() : std::min(out_.size(), server_.bytes_a_turn);
      const ssize_t sent = ::send(descriptor_, out_.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return close();
      if (sent < 0) break;
      out_.erase(0, static_cast<std::size_t>(sent));
      if (server_.bytes_a_turn != 0) break;
    }
    if (server_.bytes_a_turn != 0 && !out_.empty()) next_turn_.schedule();
    watch();
  }

  FakeRedis& server_;
  int descriptor_;
  redisReader* reader_;
  std::string out_;
  bool queueing_ = false;
  bool silent_ = false;
  std::vector<FakeRedis::Words> queue_;
  std::map<std::string, std::uint64_t> watched_;
  event::Deferred next_turn_;
  std::unique_ptr<event::Poll> poll_;
};

FakeRedis::FakeRedis(event::Loop& loop)
    : loop_(loop), bury_(loop, [this] { std::erase_if(sessions_, [](const auto& one) { return one->closed; }); }) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the fake Redis cannot listen");
  }
  port_ = ntohs(address.sin_port);
  poll_ = std::make_unique<event::Poll>(loop, listener_, [this](int) { accept_one(); });
  poll_->watch(event::Poll::readable);
}

FakeRedis::~FakeRedis() {
  sessions_.clear();
  poll_.reset();
  ::close(listener_);
}

sinks::RedisOptions FakeRedis::options() const {
  sinks::RedisOptions options;
  options.port = port_;
  return options;
}

void FakeRedis::accept_one() {
  const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (descriptor < 0) return;
  sessions_.push_back(std::make_unique<FakeRedisSession>(*this, descriptor));
  if (greeting.empty()) return;
  sessions_.back()->write(greeting);
  sessions_.back()->close();
}

std::size_t FakeRedis::sessions() const { return sessions_.size(); }
void FakeRedis::disconnect_all() {
  for (const auto& session : sessions_) session->close();
}
void FakeRedis::send_to_all(const std::string& bytes) {
  for (const auto& session : sessions_) session->write(bytes);
}
void FakeRedis::half_close_all() {
  for (const auto& session : sessions_) session->half_close();
}

}  // namespace walrelay::support
