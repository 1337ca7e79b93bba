// The grammar that all URLs share.
//
//   scheme :// user : password @ host : port , host : port / path ? name = value & name = value
//              '------------------ authority ------------------'      '--------- query --------'
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walrelay::config {

// What to say about an address in which a special character of a password was taken for a separator.
inline constexpr std::string_view kEncodeRule =
    "write special characters of user and password percent-encoded (% as %25, @ as %40, / as %2F, ? as %3F, # as %23, "
    ": as %3A)";

struct UrlParts {
  std::string scheme;  // in lower case, without "://"
  std::string_view authority;
  std::string_view path;   // with its first "/"
  std::string_view query;  // without "?"
};
// Empty when the text does not begin with "scheme://".
std::optional<UrlParts> split_url(std::string_view text);

struct HostPort {
  std::string host;
  std::string port;  // digits, or empty
};
struct Authority {
  std::optional<std::string> user;
  std::optional<std::string> password;
  std::vector<HostPort> hosts;  // at least one, perhaps empty
};
// Returns the complaint, or nothing when the authority was good.
std::string parse_authority(std::string_view text, bool plus_is_space, Authority& out);

struct QueryWord {
  std::string name;
  std::string value;
};
std::string parse_query(std::string_view text, bool plus_is_space, std::vector<QueryWord>& out);

// Empty when a "%" is not followed by two hexadecimal digits, or stands for the byte 0.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

std::string_view trim(std::string_view text);

}  // namespace walrelay::config
