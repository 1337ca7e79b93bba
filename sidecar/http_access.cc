#include "sidecar/http_access.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <strings.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace walrelay::sidecar {

namespace {

// Takes as long as `sent` is, wherever the two differ. volatile: else the compiler may leave the loop early.
bool equal(std::string_view sent, std::string_view token) {
  volatile unsigned different = sent.size() == token.size() ? 0U : 1U;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const auto one = static_cast<unsigned char>(sent[i]);
    const auto other = static_cast<unsigned char>(token[i % token.size()]);
    different = different | static_cast<unsigned>(one ^ other);
  }
  return different == 0;
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

// "[::1]:9847" -> "::1", "localhost:9847" -> "localhost"
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  const std::size_t colon = host.find(':');
  const std::string_view name = host.substr(0, colon);
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

bool is_numeric(std::string_view host) {
  in6_addr address{};
  const std::string text(host);
  return inet_pton(AF_INET, text.c_str(), &address) == 1 || inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

bool is_listed(std::string_view host, std::string_view hosts) {
  while (!hosts.empty()) {
    const std::size_t comma = hosts.find(',');
    std::string_view name = hosts.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty() && same_word(name, host)) return true;
    hosts.remove_prefix(comma == std::string_view::npos ? hosts.size() : comma + 1);
  }
  return false;
}

bool is_this_machine(std::string_view host) {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 && same_word(host, name.data());
}

}  // namespace

Access may_act(const HttpRequest& request, const std::string& token) {
  if (token.empty()) return request.loopback ? Access::granted : Access::forbidden;
  if (request.token.empty()) return request.loopback ? Access::granted : Access::unauthorized;
  return equal(request.token, token) ? Access::granted : Access::unauthorized;
}

bool is_expected_host(const HttpRequest& request, const std::string& hosts) {
  if (!request.loopback || request.host.empty()) return true;
  const std::string_view host = without_port(request.host);
  return same_word(host, "localhost") || is_numeric(host) || is_this_machine(host) || is_listed(host, hosts);
}

bool is_same_origin(const HttpRequest& request) {
  if (request.origin.empty()) return true;
  return same_word(request.origin, "http://" + request.host) || same_word(request.origin, "https://" + request.host);
}

}  // namespace walrelay::sidecar
