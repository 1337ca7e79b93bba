#include "config/url_parts.h"

#include <algorithm>
#include <cstdint>

#include "config/values.h"

namespace walrelay::config {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string bad_percent() { return "a \"%\" is not followed by two hexadecimal digits; " + std::string(kEncodeRule); }

std::string bad_host(std::string_view what) { return std::string(what) + "; " + std::string(kEncodeRule); }

// One "host:port", "[::1]:port" or nothing at all.
std::string parse_host(std::string_view text, HostPort& out) {
  constexpr std::int64_t kHighestPort = 65535;
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return "an IPv6 address is not closed by \"]\"";
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return "after the \"]\" of an IPv6 address only a port may follow";
    if (host.empty()) return "an IPv6 address is empty";
    if (!rest.empty()) port = rest.substr(1);
  } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.find(':') != std::string_view::npos) {
      return bad_host("a host has more than one \":\"; write an IPv6 address in brackets, as in [::1]:5432");
    }
  }
  const auto decoded = percent_decode(host);
  if (!decoded) return bad_percent();
  const auto number = parse_integer(port);
  const bool digits = std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!port.empty() && (!digits || !number || *number < 1 || *number > kHighestPort)) {
    return bad_host("the port is no number from 1 to 65535");
  }
  out = {*decoded, std::string(port)};
  return "";
}

std::string parse_user(std::string_view text, bool plus_is_space, Authority& out) {
  const std::size_t colon = text.find(':');
  const auto user = percent_decode(text.substr(0, colon), plus_is_space);
  if (!user) return bad_percent();
  out.user = *user;
  if (colon == std::string_view::npos) return "";
  const auto password = percent_decode(text.substr(colon + 1), plus_is_space);
  if (!password) return bad_percent();
  out.password = *password;
  return "";
}

}  // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<UrlParts> split_url(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) return {};
  UrlParts parts;
  for (const char c : text.substr(0, colon)) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!word) return {};
    parts.scheme += upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  std::string_view rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  parts.authority = rest.substr(0, end);
  rest.remove_prefix(end);
  const std::size_t question = std::min(rest.find('?'), rest.size());
  parts.path = rest.substr(0, question);
  if (question < rest.size()) parts.query = rest.substr(question + 1);
  return parts;
}

std::string parse_authority(std::string_view text, bool plus_is_space, Authority& out) {
  // The last "@": many write the one inside a password as it is.
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    if (auto complaint = parse_user(text.substr(0, at), plus_is_space, out); !complaint.empty()) return complaint;
    text.remove_prefix(at + 1);
  }
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (auto complaint = parse_host(text.substr(0, comma), out.hosts.emplace_back()); !complaint.empty()) {
      return complaint;
    }
    if (comma == text.size()) return "";
    text.remove_prefix(comma + 1);
  }
}

std::string parse_query(std::string_view text, bool plus_is_space, std::vector<QueryWord>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equal = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equal), plus_is_space);
    const auto value = percent_decode(pair.substr(std::min(equal + 1, pair.size())), plus_is_space);
    if (!name || !value) return bad_percent();
    out.push_back({*name, *value});
  }
  return "";
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return {};
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0 || high + low == 0) return {};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace walrelay::config
