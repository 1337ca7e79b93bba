// What a service manager wants to know of its service: one datagram to the socket that NOTIFY_SOCKET names.
//
//   READY=1 | RELOADING=1 + MONOTONIC_USEC | STOPPING=1 | STATUS=one line | WATCHDOG=1
//
// The protocol is systemd's, which documents it as stable and meant to be spoken without its library.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace walrelay::sidecar {

class Notifier {
 public:
  // `socket`: a path, or "@name" for an abstract one; empty, or no such address: nothing is ever said.
  explicit Notifier(std::string socket);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  [[nodiscard]] bool listening() const { return descriptor_ >= 0; }
  // These may wait, a moment at most, for room: whoever manages us acts on them.
  void ready() { say("READY=1", true); }
  void reloading();
  void stopping() { say("STOPPING=1", true); }
  // These are said again anyway.
  void status(std::string_view line) { say("STATUS=" + std::string(line), false); }
  void watchdog() { say("WATCHDOG=1", false); }

 private:
  void say(const std::string& state, bool patiently);
  std::string address_;  // as the system takes it: an abstract one begins with a zero byte
  int descriptor_ = -1;
};

// NOTIFY_SOCKET, or "".
std::string notify_socket();
// How often WATCHDOG=1 is expected at least, when it is, and of this process: WATCHDOG_USEC and WATCHDOG_PID.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace walrelay::sidecar
