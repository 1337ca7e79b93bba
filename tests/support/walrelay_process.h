// The program under test, as a user runs it: its own process, a configuration file, signals and HTTP.
//
//   Walrelay walrelay({.config = "source: {url: ...}\ntarget: {url: ...}\n"});
//   walrelay.start();
//   walrelay.wait_ready();
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace walrelay::support {

struct HttpAnswer {
  int status = 0;  // 0: nobody answered
  std::string body;
  std::string head = {};  // status line and headers
};
// The bytes of one request, over a connection of its own; nobody answers after `patience`.
HttpAnswer http_send(int port, const std::string& request, seconds patience = seconds(5));
// One request over a connection of its own; nobody answers after `patience`.
HttpAnswer http_ask(int port, const std::string& method, const std::string& path, const std::string& token = "",
                    seconds patience = seconds(5));
HttpAnswer http_get(int port, const std::string& path);

class Walrelay {
 public:
  struct Options {
    std::string config = {};  // YAML; gets `http: {listen: 127.0.0.1:<port()>}` unless it has a line `http:` itself
    std::vector<std::string> arguments = {"run"};  // `--config FILE` is added
    std::map<std::string, std::string> env = {};
  };

  explicit Walrelay(const Options& options);
  Walrelay(const Walrelay&) = delete;
  Walrelay& operator=(const Walrelay&) = delete;

  void start();                               // the same configuration again after an end
  void configure(const std::string& config);  // for the next start
  void set_environment(const std::map<std::string, std::string>& env) { options_.env = env; }  // for the next start
  void wait_ready(
      milliseconds timeout = seconds(60));  // until /readyz says 200; throws with the log when it ends before
  // Until this run's log holds `text`. Throws like wait_ready.
  void wait_log(const std::string& text, milliseconds timeout = seconds(60));
  // SIGTERM, and the exit status. Throws when it does not end.
  int terminate(milliseconds timeout = seconds(10));
  int wait(milliseconds timeout = seconds(60));  // for its end by itself; the exit status
  void kill();                                   // SIGKILL
  void pause();                                  // SIGSTOP
  void resume();                                 // SIGCONT

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] HttpAnswer http(const std::string& path) const { return http_get(port_, path); }
  [[nodiscard]] HttpAnswer ask(const std::string& method, const std::string& path,
                               const std::string& token = "") const {
    return http_ask(port_, method, path, token, seconds(40));  // partition requests answer after up to 30 s
  }
  // Another command of the program, with the same configuration and environment, to its end.
  [[nodiscard]] Finished command(std::vector<std::string> arguments) const;
  // The sum of the series of this name in /metrics whose labels hold `label` (`op="insert"`; "" for all); nothing when
  // there are none or nobody answers.
  [[nodiscard]] std::optional<double> metric(const std::string& name, const std::string& label = "") const;
  [[nodiscard]] std::string log() const;  // of the last run
  [[nodiscard]] std::string output() { return process().output(); }
  [[nodiscard]] bool running() { return process_ != nullptr && process_->running(); }
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  Process& process();

 private:
  void wait_for(const std::string& what, const std::function<bool()>& condition, milliseconds timeout);
  Options options_;
  TemporaryFolder folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace walrelay::support
