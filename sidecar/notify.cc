#include "sidecar/notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace walrelay::sidecar {

namespace {

constexpr suseconds_t kPatienceUs = 200000;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<long long> number_of(const std::string& text) {
  long long number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end && number > 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

Notifier::Notifier(std::string socket) : address_(std::move(socket)) {
  const bool known = address_.starts_with('/') || address_.starts_with('@');
  if (!known || address_.size() < 2 || address_.size() >= sizeof(sockaddr_un::sun_path)) return;
  if (address_.front() == '@') address_.front() = '\0';
  descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const timeval patience{0, kPatienceUs};
  if (descriptor_ >= 0) setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

Notifier::~Notifier() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

// The time tells the manager which READY=1 ends this reload, and not an earlier one.
void Notifier::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr long long kMillion = 1000000, kThousand = 1000;
  say("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * kMillion + now.tv_nsec / kThousand), true);
}

// A manager that does not listen is no reason for a service to fail.
void Notifier::say(const std::string& state, bool patiently) {
  if (descriptor_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size() + (address_.front() == '\0' ? 0 : 1));
  (void)::sendto(descriptor_, state.data(), state.size(), MSG_NOSIGNAL | (patiently ? 0 : MSG_DONTWAIT),
                 reinterpret_cast<const sockaddr*>(&to), size);
}

std::string notify_socket() { return variable("NOTIFY_SOCKET"); }

std::optional<std::chrono::microseconds> watchdog_interval() {
  const auto interval = number_of(variable("WATCHDOG_USEC"));
  const std::string whose = variable("WATCHDOG_PID");
  if (!interval || (!whose.empty() && number_of(whose) != static_cast<long long>(getpid()))) return std::nullopt;
  return std::chrono::microseconds(*interval);
}

}  // namespace walrelay::sidecar
