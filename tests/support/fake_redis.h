// A Redis that does what a test tells it, in the test's own loop: for the faults that a real one does not show on
// demand. It keeps strings, hashes and streams, knows MULTI, EXEC and WATCH, and can be told to lie, to be silent, to
// speak one byte at a time, and to break at any reply or any byte.
//
//   FakeRedis server(loop);
//   server.on_command = [](const auto& words) -> std::optional<std::string> { ... raw reply, or nothing ... };
//   RedisConnection connection(loop, server.options());
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "event/loop.h"
#include "sinks/redis_connection.h"

namespace walrelay::support {

class FakeRedisSession;

class FakeRedis {
 public:
  using Words = std::vector<std::string>;
  using Fields = std::map<std::string, std::string>;
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

  explicit FakeRedis(event::Loop& loop);  // on 127.0.0.1, a free port
  ~FakeRedis();
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] sinks::RedisOptions options() const;
  void disconnect_all();
  void send_to_all(const std::string& bytes);  // that nobody asked for
  void half_close_all();                       // no more replies, but still reading
  [[nodiscard]] std::size_t sessions() const;

  // The script. A raw reply takes the place of the command; "" is silence from then on.
  std::function<std::optional<std::string>(const Words&)> on_command;
  std::function<std::optional<std::string>(const Words&)> on_element;  // of a queued command when EXEC runs
  std::function<std::string(const Words&)> on_script;                  // EVALSHA: a raw reply
  std::function<void()> on_executed;                                   // after each EXEC that ran
  std::string greeting;                 // sent to whoever connects, and then the connection is closed
  std::size_t break_at_reply = kNever;  // counted from zero over all connections: not sent, connection closed
  bool run_before_break = true;         // is that command carried out?
  std::size_t break_at_byte = kNever;   // so many bytes are read over all connections
  std::size_t bytes_a_turn = 0;         // of replies; 0: no limit
  bool deaf = false;                    // reads nothing

  // What it holds, and what it saw.
  struct Value {
    char type = 's';  // string, hash, x: stream
    std::string text;
    Fields fields;
    std::vector<Words> entries;
  };
  std::map<std::string, Value> keys;
  std::vector<Words> seen;  // every command, in order
  std::size_t replies = 0, received = 0;
  Fields hash(const std::string& key) const;
  void write(const std::string& key, Value value);  // as another client would
  void flush_all();

 private:
  friend class FakeRedisSession;
  void accept_one();
  std::string run(const Words& words);
  std::string run_scan(const Words& words);
  std::string run_hash(const Words& words);
  void touch(const std::string& key) { ++versions_[key]; }

  event::Loop& loop_;
  int listener_ = -1;
  int port_ = 0;
  std::unique_ptr<event::Poll> poll_;
  std::vector<std::unique_ptr<FakeRedisSession>> sessions_;
  std::map<std::string, std::uint64_t> versions_;
  std::vector<std::string> cursors_;  // of SCAN: the key each goes on with
  event::Deferred bury_;
};

namespace resp_reply {
std::string status(const std::string& text);
std::string error(const std::string& text);
std::string integer(long long value);
std::string bulk(const std::string& text);
std::string nil();
std::string array(const std::vector<std::string>& elements);
}  // namespace resp_reply

}  // namespace walrelay::support
