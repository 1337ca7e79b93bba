#include "tests/support/redis_server.h"

#include <signal.h>

#include <filesystem>
#include <sstream>

namespace walrelay::support {

Redis::Redis(const Options& options) : options_(options), folder_("redis"), client_(socket_path()) {
  if (options_.start) start();
}

Redis::~Redis() {
  if (server_ != nullptr && server_->running()) server_->signal(SIGKILL);
}

void Redis::start() {
  // Before the first start any port will do. Later clients know it, so a lost one is only waited for.
  const auto next_try = [this] {
    if (!port_is_known_) port_ = free_port();
    return try_start();
  };
  if (!wait_until(next_try, seconds(60))) throw std::runtime_error("Redis found no free port: " + log());
  port_is_known_ = true;
}

// False when somebody else has the port.
bool Redis::try_start() {
  std::vector<std::string> argv = {"redis-server",
                                   "--port",
                                   std::to_string(port_),
                                   "--bind",
                                   "127.0.0.1",
                                   "--unixsocket",
                                   socket_path(),
                                   "--dir",
                                   folder(),
                                   "--save",
                                   "",
                                   "--appendonly",
                                   "no",
                                   "--daemonize",
                                   "no",
                                   "--protected-mode",
                                   "no"};
  argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
  const auto log_before = log().size();
  server_ = std::make_unique<Process>(
      Process::Options{.argv = argv, .env = {}, .folder = folder(), .name = "redis", .user = "", .append = true});
  const auto ready = [this] {
    try {
      // Any answer will do: a server that loads its file, or wants a password, is up.
      client_.call({"PING"});
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  };
  const auto decided = [&] { return !server_->running() || ready(); };
  if (!wait_until(decided, seconds(60))) throw std::runtime_error("Redis does not become ready: " + log());
  if (server_->running()) {
    if (!options_.password.empty()) command("AUTH", options_.password);
    return true;
  }
  const std::string said = log().substr(log_before);
  if (said.find("Address already in use") != std::string::npos) return false;
  throw std::runtime_error("Redis does not start: " + said);
}

milliseconds Redis::stop() {
  const auto begin = std::chrono::steady_clock::now();
  client_.disconnect();
  server_->signal(SIGTERM);
  if (!server_->wait(seconds(60))) throw std::runtime_error("Redis does not stop: " + log());
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
}

void Redis::kill() {
  client_.disconnect();
  server_->signal(SIGKILL);
  server_->wait(seconds(60));
}

void Redis::pause() { server_->signal(SIGSTOP); }
void Redis::resume() { server_->signal(SIGCONT); }
bool Redis::running() { return server_ != nullptr && server_->running(); }

void Redis::save_dump(const std::string& name) {
  command("SAVE");
  std::filesystem::copy_file(folder() + "/dump.rdb", folder() + "/" + name);
}

void Redis::restore_dump(const std::string& name) {
  if (running()) throw std::runtime_error("a dump is restored while Redis is stopped");
  const auto over = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(folder() + "/" + name, folder() + "/dump.rdb", over);
}

void Redis::replicate(Redis& master) {
  master.command("CONFIG", "SET", "repl-diskless-sync-delay", "0");
  command("REPLICAOF", "127.0.0.1", std::to_string(master.port()));
  const auto caught_up = [&] {
    return info("master_link_status") == "up" && info("master_repl_offset") == master.info("master_repl_offset");
  };
  if (!wait_until(caught_up, seconds(60))) throw std::runtime_error("the replica does not catch up: " + log());
}

std::string Redis::url(int database) const {
  return "redis://127.0.0.1:" + std::to_string(port_) + "/" + std::to_string(database);
}

std::string Redis::info(const std::string& field) {
  std::istringstream lines(command("INFO", "all"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(field + ":")) continue;
    if (line.ends_with('\r')) line.pop_back();
    return line.substr(field.size() + 1);
  }
  return "";
}

}  // namespace walrelay::support
