#include "tests/support/walrelay_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <sstream>
#include <stdexcept>

namespace walrelay::support {

HttpAnswer http_get(int port, const std::string& path) { return http_ask(port, "GET", path); }

HttpAnswer http_ask(int port, const std::string& method, const std::string& path, const std::string& token,
                    seconds patience) {
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
  request += method == "GET" ? "\r\n" : "Content-Length: 0\r\n\r\n";
  return http_send(port, request, patience);
}

HttpAnswer http_send(int port, const std::string& request, seconds patience) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval until{patience.count(), 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &until, sizeof(until));
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      ::send(socket, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
    char buffer[65536];
    for (ssize_t count; (count = ::recv(socket, buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<std::size_t>(count));
    }
  }
  ::close(socket);
  const auto body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.") || body == std::string::npos) return {};
  return {std::stoi(answer.substr(9, 3)), answer.substr(body + 4), answer.substr(0, body + 2)};
}

Walrelay::Walrelay(const Options& options) : options_(options), folder_("run"), port_(free_port()) {
  configure(options.config);
}

void Walrelay::configure(const std::string& config) {
  std::string text = config;
  if (!text.ends_with('\n')) text += "\n";
  if (("\n" + text).find("\nhttp:") == std::string::npos) {
    text += "http: {listen: \"127.0.0.1:" + std::to_string(port_) + "\"}\n";
  }
  write_file(folder_.path() + "/walrelay.yaml", text);
}

Finished Walrelay::command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), WALRELAY_BINARY);
  arguments.insert(arguments.end(), {"--config", folder_.path() + "/walrelay.yaml"});
  const TemporaryFolder folder("command");
  return run_program(folder.path(), arguments, "", options_.env);
}

void Walrelay::start() {
  std::vector<std::string> argv = {WALRELAY_BINARY};
  argv.insert(argv.end(), options_.arguments.begin(), options_.arguments.end());
  argv.insert(argv.end(), {"--config", folder_.path() + "/walrelay.yaml"});
  process_ = std::make_unique<Process>(
      Process::Options{.argv = argv, .env = options_.env, .folder = folder_.path(), .name = "walrelay", .user = ""});
}

Process& Walrelay::process() {
  if (process_ == nullptr) throw std::runtime_error("walrelay has not been started");
  return *process_;
}

void Walrelay::wait_for(const std::string& what, const std::function<bool()>& condition, milliseconds timeout) {
  bool held = false;
  const auto decided = [&] {
    held = condition();
    return held || !process().running();
  };
  wait_until(decided, timeout);
  if (held || condition()) return;  // the last line may have come just before the end
  throw std::runtime_error("walrelay " + std::string(running() ? "runs but does not show " : "ended without ") + what +
                           "; its log: " + log());
}

void Walrelay::wait_ready(milliseconds timeout) {
  wait_for("/readyz 200", [this] { return http("/readyz").status == 200; }, timeout);
}

void Walrelay::wait_log(const std::string& text, milliseconds timeout) {
  wait_for("\"" + text + "\"", [&] { return log().find(text) != std::string::npos; }, timeout);
}

int Walrelay::terminate(milliseconds timeout) {
  process().signal(SIGTERM);
  return wait(timeout);
}

int Walrelay::wait(milliseconds timeout) {
  const auto status = process().wait(timeout);
  if (!status) {
    throw std::runtime_error("walrelay still runs after " + std::to_string(timeout.count()) + " ms: " + log());
  }
  return *status;
}

void Walrelay::kill() {
  process().signal(SIGKILL);
  wait();
}

void Walrelay::pause() { process().signal(SIGSTOP); }
void Walrelay::resume() { process().signal(SIGCONT); }

std::optional<double> Walrelay::metric(const std::string& name, const std::string& label) const {
  std::istringstream lines(http("/metrics").body);
  std::optional<double> sum;
  for (std::string line; std::getline(lines, line);) {
    const bool of_name = line.starts_with(name + " ") || line.starts_with(name + "{");
    const auto value = line.rfind(' ');
    if (of_name && line.substr(0, value).find(label) != std::string::npos) {
      sum = sum.value_or(0) + std::stod(line.substr(value + 1));
    }
  }
  return sum;
}

std::string Walrelay::log() const { return process_ == nullptr ? "" : process_->errors(); }

}  // namespace walrelay::support
