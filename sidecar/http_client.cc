#include "sidecar/http_client.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace walrelay::sidecar {

namespace {

using Clock = std::chrono::steady_clock;

struct HostAndPort {
  std::string host, port;
};

HostAndPort parse(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  std::string rest = url.starts_with(kScheme) ? url.substr(kScheme.size()) : "";
  if (rest.ends_with('/')) rest.pop_back();
  const std::size_t bracket = rest.starts_with('[') ? rest.find(']') : 0;
  const std::size_t colon = bracket == std::string::npos ? bracket : rest.find(':', bracket);
  HostAndPort out{rest.substr(0, colon), colon == std::string::npos ? "80" : rest.substr(colon + 1)};
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  if (out.host.empty() || out.host.starts_with('[') || out.port.empty() ||
      rest.find_first_of("/?#@") != std::string::npos) {
    throw std::invalid_argument("\"" + url + "\" is no address of a server; give it as http://127.0.0.1:9847");
  }
  return out;
}

// A line end in what the user gave would begin a header, or a request, of its own.
void require_one_word(const std::string& text, const char* what) {
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7F'; });
  if (!fits) throw std::invalid_argument(std::string(what) + " has a character that no HTTP request can carry");
}

class Socket {
 public:
  Socket(const addrinfo& address, Clock::time_point deadline) : deadline_(deadline) {
    fd_ = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
    if (fd_ < 0) throw std::runtime_error(std::strerror(errno));
    if (::connect(fd_, address.ai_addr, address.ai_addrlen) == 0) return;
    try {
      if (errno != EINPROGRESS) throw std::runtime_error(std::strerror(errno));
      finish_connecting();
    } catch (...) {
      ::close(fd_);
      throw;
    }
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // What the server says before it has heard everything is an answer, too, so a refusal to listen is no failure.
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait(POLLOUT)) return;
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  std::string_view receive() {  // empty: the server has closed the connection
    for (;;) {
      const ssize_t count = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      if (count >= 0) return {buffer_.data(), static_cast<std::size_t>(count)};
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait(POLLIN)) throw std::runtime_error("did not answer in time");
      } else if (errno != EINTR) {
        throw std::runtime_error(std::string("broke the connection off: ") + std::strerror(errno));
      }
    }
  }

 private:
  void finish_connecting() {
    if (!wait(POLLOUT)) throw std::runtime_error(std::strerror(ETIMEDOUT));
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) throw std::runtime_error(std::strerror(error));
  }

  bool wait(short direction) {  // false: the time is over
    pollfd entry{fd_, direction, 0};
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      constexpr decltype(left) kNone = 0, kMost = 1000 * 1000 * 1000;
      if (left <= kNone) return false;
      if (::poll(&entry, 1, static_cast<int>(std::min(left, kMost))) > 0) return true;
    }
  }

  int fd_ = -1;
  const Clock::time_point deadline_;
  std::array<char, 16 * 1024> buffer_;
};

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const HostAndPort& server) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found);
  if (error != 0) throw std::runtime_error(error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error));
  return {found, &freeaddrinfo};
}

// The first of the addresses that takes a connection; the complaint of the last one when none does.
std::unique_ptr<Socket> connect_to(const HostAndPort& server, Clock::time_point deadline) {
  const Addresses addresses = resolve(server);
  std::string complaint = "it has no address";
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    try {
      return std::make_unique<Socket>(*address, deadline);
    } catch (const std::runtime_error& error) {
      complaint = error.what();
    }
  }
  throw std::runtime_error(complaint);
}

}  // namespace

HttpResult http_request(const std::string& method, const std::string& base_url, const std::string& path_and_query,
                        const std::string& token, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  const HostAndPort server = parse(base_url);
  require_one_word(method, "the method");
  require_one_word(server.host, "the host");
  require_one_word(path_and_query, "the path");
  require_one_word(token, "the token");
  const bool six = server.host.find(':') != std::string::npos;
  std::string request = method + " " + path_and_query +
                        " HTTP/1.1\r\nHost: " + (six ? "[" + server.host + "]" : server.host) + ":" + server.port +
                        "\r\nConnection: close\r\n";
  if (!token.empty()) request += "Authorization: Bearer " + token + "\r\n";
  if (method != "GET" && method != "HEAD") request += "Content-Length: 0\r\n";
  std::unique_ptr<Socket> socket;
  try {
    socket = connect_to(server, deadline);
    socket->send(request + "\r\n");
  } catch (const std::runtime_error& error) {
    throw HttpUnreachable("no server answers at " + base_url + ": " + error.what());
  }
  HttpResponseReader reader(method != "HEAD");
  try {
    while (!reader.complete()) {
      const std::string_view bytes = socket->receive();
      bytes.empty() ? reader.end() : reader.feed(bytes);
    }
  } catch (const std::runtime_error& error) {
    throw HttpUnreachable("the server at " + base_url + " " + error.what());
  }
  return reader.take();
}

std::vector<std::string> urls_behind(const std::string& base_url) {
  const HostAndPort server = parse(base_url);
  require_one_word(server.host, "the host");
  std::vector<std::string> urls;
  try {
    const Addresses addresses = resolve(server);
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
      std::array<char, NI_MAXHOST> host{};
      if (::getnameinfo(each->ai_addr, each->ai_addrlen, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0)
        continue;
      const bool six = each->ai_family == AF_INET6;
      urls.push_back("http://" + (six ? "[" + std::string(host.data()) + "]" : host.data()) + ":" + server.port);
    }
  } catch (const std::runtime_error&) {  // whoever asks it next is told why
  }
  return urls;
}

std::string percent_encoded(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[code / 16];
      out += kHex[code % 16];
    }
  }
  return out;
}

}  // namespace walrelay::sidecar
