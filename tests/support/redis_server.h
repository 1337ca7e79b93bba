// A throw-away Redis and a small client for it. The client is the test's own (no hiredis, no code of the project), so
// that what a test sees does not depend on what it tests.
//
//   Redis redis;
//   redis.command("SET", "k", "v");
//   EXPECT_EQ(redis.command("GET", "k"), "v");
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.h"

namespace walrelay::support {

// The server answered with an error; what() is its text.
struct RedisError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct RedisReply {
  char type = '$';                          // as on the wire: + - : $ *
  bool null = false;                        // a bulk string or an array that is not there
  std::string text;                         // of + - : $
  std::vector<RedisReply> elements;         // of *
  [[nodiscard]] std::string print() const;  // the text, "(nil)", or the elements, each in a line
};

// One connection over the unix socket, made when it is needed and again after it broke. Every call waits for its
// answer, at most ten seconds; std::runtime_error when the server is away. One thread at a time: an observer in a
// thread of its own makes its own.
class RedisClient {
 public:
  explicit RedisClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  ~RedisClient() { disconnect(); }
  RedisClient(const RedisClient&) = delete;
  RedisClient& operator=(const RedisClient&) = delete;

  RedisReply call(const std::vector<std::string>& words);  // an error is a reply too
  template <class... Words>
  std::string command(const Words&... words) {  // printable; throws RedisError
    return command_words({std::string(words)...});
  }
  std::string command_words(const std::vector<std::string>& words);

  std::map<std::string, std::string> hgetall(const std::string& key);
  std::vector<std::string> keys(const std::string& pattern = "*");  // sorted, by SCAN
  // Every hash whose key matches.
  std::map<std::string, std::map<std::string, std::string>> hashes(const std::string& pattern = "*");
  void disconnect();

 private:
  void connect();
  void send(const std::string& bytes);
  std::string line();
  std::string bytes(std::size_t count);
  void read_more();
  RedisReply reply();
  std::string socket_path_;
  int socket_ = -1;
  std::string received_;
  std::size_t consumed_ = 0;
};

class Redis {
 public:
  struct Options {
    std::vector<std::string> arguments = {};  // more of redis-server's, such as --maxmemory 1mb or --requirepass secret
    std::string password = {};                // what the fixture's own client says in AUTH
    bool start = true;
  };

  Redis() : Redis(Options()) {}
  explicit Redis(const Options& options);  // no persistence unless the arguments ask for it
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  void start();  // returns when it answers; the same port and folder again after a stop
  milliseconds stop();
  void kill();    // SIGKILL
  void pause();   // SIGSTOP: connections stay and nobody answers
  void resume();  // SIGCONT
  [[nodiscard]] bool running();

  [[nodiscard]] std::string socket_path() const { return folder_.path() + "/redis.sock"; }
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url(int database = 0) const;  // redis://127.0.0.1:<port>/<database>
  [[nodiscard]] std::string log() const { return read_file(folder_.path() + "/redis.out"); }
  Process& process() { return *server_; }

  RedisClient& client() { return client_; }
  template <class... Words>
  std::string command(const Words&... words) {
    return client_.command(words...);
  }
  std::map<std::string, std::string> hgetall(const std::string& key) { return client_.hgetall(key); }
  std::vector<std::string> keys(const std::string& pattern = "*") { return client_.keys(pattern); }
  void flush() { command("FLUSHALL"); }
  void save_dump(const std::string& name);     // as it is now, into a file beside its data
  void restore_dump(const std::string& name);  // while it is stopped: what the next start reads
  void replicate(Redis& master);               // returns when it holds all that the master holds
  // A field of INFO, "" when there is none.
  std::string info(const std::string& field);

 private:
  bool try_start();
  Options options_;
  TemporaryFolder folder_;
  RedisClient client_;
  int port_ = 0;
  bool port_is_known_ = false;
  std::unique_ptr<Process> server_;
};

}  // namespace walrelay::support
