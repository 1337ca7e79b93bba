// One connection to Redis, driven by the loop.
//
//   open():  resolve ─> connect (tcp | unix) ─> TLS ─> AUTH ─> CLIENT SETNAME ─> SELECT ─> INFO server ─> ROLE
//   then:    command()  one command, its reply through a Task
//            send()     many commands at once, their replies in order to one reader (the bulk path)
//
// Replies come in the order of what was sent, whichever way. A lost connection is reported once: every waiting
// command() throws, and on_lost is called at the end of the loop turn.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "event/loop.h"
#include "event/task.h"

struct redisReply;

namespace walrelay::sinks {

struct RedisOptions {
  std::string host = "127.0.0.1";  // or
  std::string unix_path;
  int port = 6379;
  std::string user;
  std::function<std::string()> password;  // asked at every connect: secrets rotate; empty: none
  int database = 0;
  bool tls = false;
  std::string tls_ca, tls_certificate, tls_key,
      tls_server_name;  // PEM files; server name: what to check, host by default
  bool tls_verify = true;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds reply_timeout{30000};  // nothing received for so long while something is awaited: lost
  std::string client_name = "walrelay";
};

// `code` is the first word of an error reply (WRONGTYPE, OOM, READONLY, LOADING, NOAUTH, ...), "LOST" when the
// connection broke, "TIMEOUT", "CONNECT" when there never was one, "TLS", or "FENCED".
class RedisError : public std::runtime_error {
 public:
  RedisError(std::string code, const std::string& message) : std::runtime_error(message), code_(std::move(code)) {}
  [[nodiscard]] const std::string& code() const { return code_; }

 private:
  std::string code_;
};

// A reply that outlives the connection's buffers.
struct Reply {
  enum class Kind : std::uint8_t { nil, status, integer, string, array, error };
  Kind kind = Kind::nil;
  std::string text;  // status, string, error
  std::int64_t integer = 0;
  std::vector<Reply> elements;
};

class RedisConnection {
 public:
  RedisConnection(event::Loop& loop, RedisOptions options);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  event::Task<> open();  // throws RedisError
  [[nodiscard]] bool is_open() const;
  void close();  // silently: no on_lost; waiting commands, and open(), throw at the end of the turn

  // One command; an error reply throws RedisError with the reply's code.
  event::Task<Reply> command(std::vector<std::string> arguments);

  // The bulk path. `bytes` are complete RESP commands giving `replies` replies; they are borrowed until `on_written`
  // has been called (at once when the socket takes them), then each reply is given to `on_reply`, borrowed for the
  // call. Callbacks come from the loop, never from inside send().
  struct Bulk {
    std::string_view bytes;
    std::size_t replies = 0;
    std::function<void()> on_written;
    std::function<void(const redisReply& reply)> on_reply;
    // What the next reply is, to the byte, when all is well; empty: nobody knows. Such a reply is not parsed:
    // on_usual() stands for on_reply().
    std::function<std::string_view()> usual = {};
    std::function<void()> on_usual = {};
  };
  void send(Bulk bulk);
  [[nodiscard]] std::size_t unwritten() const;  // bytes accepted by send() that the socket has not taken yet

  std::function<void(std::exception_ptr)> on_lost;

  // The server's answers at open(): version, and whether it is a replica.
  [[nodiscard]] int server_version() const;  // 70015 for 7.0.15; 0 when it would not say
  [[nodiscard]] bool is_replica() const;

  [[nodiscard]] const RedisOptions& options() const;
  [[nodiscard]] std::string name() const;  // "Redis at 10.0.0.1:6379", for messages

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sinks
