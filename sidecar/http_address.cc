#include "sidecar/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace walrelay::sidecar {

namespace {

constexpr int kWaiting = 64;  // connections that are not accepted yet

std::runtime_error refusal(const std::string& listen, const std::string& why) {
  return std::runtime_error("http.listen \"" + listen + "\": " + why);
}

struct HostAndPort {
  std::string host;  // without brackets; never empty
  std::uint16_t port = 0;
};

HostAndPort parse(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) throw refusal(listen, "give it as host:port, for example 127.0.0.1:9847");
  HostAndPort out{listen.substr(0, colon)};
  if (out.host.size() > 1 && out.host.front() == '[' && out.host.back() == ']') {
    out.host = out.host.substr(1, out.host.size() - 2);
  }
  if (out.host.empty() || out.host == "*") out.host = "0.0.0.0";
  if (out.host == "localhost") out.host = "127.0.0.1";
  const char* end = listen.data() + listen.size();
  const auto [stop, error] = std::from_chars(listen.data() + colon + 1, end, out.port);
  if (error != std::errc() || stop != end) throw refusal(listen, "the port is not a number from 0 to 65535");
  return out;
}

bool starts_with_127(const void* address) { return *static_cast<const unsigned char*>(address) == 127; }

}  // namespace

int listening_socket(const std::string& listen) {
  const HostAndPort given = parse(listen);
  sockaddr_storage storage{};
  socklen_t size = 0;
  auto* four = reinterpret_cast<sockaddr_in*>(&storage);
  auto* six = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET, given.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(given.port);
    size = sizeof *four;
  } else if (inet_pton(AF_INET6, given.host.c_str(), &six->sin6_addr) == 1) {
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(given.port);
    size = sizeof *six;
  } else {
    throw refusal(listen, "the host must be a numeric address");
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 || ::listen(fd, kWaiting) != 0) {
    const int error = errno;
    if (fd >= 0) close(fd);
    throw refusal(listen, std::strerror(error));
  }
  return fd;
}

int port_of(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size);
  const bool four = storage.ss_family == AF_INET;
  return ntohs(four ? reinterpret_cast<sockaddr_in*>(&storage)->sin_port
                    : reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
}

bool is_loopback(const sockaddr& address) {
  if (address.sa_family == AF_INET) return starts_with_127(&reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  if (address.sa_family != AF_INET6) return false;
  const in6_addr& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  constexpr int kMappedPrefix = 12;  // ::ffff:127.0.0.1
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && starts_with_127(six.s6_addr + kMappedPrefix));
}

std::string base_url(const std::string& listen) {
  if (listen.empty()) throw std::runtime_error("http.listen is empty: this walrelay answers nobody");
  HostAndPort given = parse(listen);
  if (given.port == 0) throw refusal(listen, "the system chose the port, nobody knows it here");
  if (given.host == "0.0.0.0") given.host = "127.0.0.1";
  in6_addr six{};
  const bool is_six = inet_pton(AF_INET6, given.host.c_str(), &six) == 1;
  if (is_six && IN6_IS_ADDR_UNSPECIFIED(&six)) given.host = "::1";
  return "http://" + (is_six ? "[" + given.host + "]" : given.host) + ":" + std::to_string(given.port);
}

}  // namespace walrelay::sidecar
