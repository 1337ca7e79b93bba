// target.url.
#include <algorithm>

#include "config/driver_words.h"
#include "config/nearest.h"
#include "config/url.h"
#include "config/url_parts.h"
#include "config/values.h"

namespace walrelay::config {

namespace {

constexpr std::string_view kStandaloneOnly =
    "this version of walrelay speaks to a standalone Redis only, not to Sentinel or Cluster; give the address of the "
    "primary as redis://host:port";

enum class Scheme { tcp, tls, unix_socket, not_standalone, unknown };

Scheme scheme_of(const std::string& name) {
  if (name == "redis" || name == "valkey") return Scheme::tcp;
  if (name == "rediss" || name == "valkeys" || name == "redis+ssl" || name == "redis+tls") return Scheme::tls;
  if (name == "unix" || name == "redis+unix" || name == "redis+socket" || name == "redis-socket") {
    return Scheme::unix_socket;
  }
  const bool other = name.find("sentinel") != std::string::npos || name.find("cluster") != std::string::npos;
  return other ? Scheme::not_standalone : Scheme::unknown;
}

class Reader {
 public:
  TargetAddress run(std::string_view text) {
    const auto url = split_url(text);
    const Scheme scheme = url ? scheme_of(url->scheme) : Scheme::unknown;
    switch (scheme) {
      case Scheme::unknown:
        complain("the URL must begin with redis://, rediss:// or unix://, as in redis://host:6379/0");
        break;
      case Scheme::not_standalone:
        complain(std::string(kStandaloneOnly));
        break;
      default:
        read(*url, scheme);
    }
    return std::move(address_);
  }

 private:
  void complain(std::string complaint) { address_.mistakes.push_back(std::move(complaint)); }
  void give(const char* name) { address_.given.insert(name); }

  void read(const UrlParts& url, Scheme scheme) {
    Authority authority;
    if (const auto complaint = parse_authority(url.authority, false, authority); !complaint.empty()) {
      return complain(complaint);
    }
    if (url.path.find('@') != std::string_view::npos) {
      return complain("an \"@\" stands behind the first \"/\"; " + std::string(kEncodeRule));
    }
    take_user(authority);
    if (scheme == Scheme::unix_socket) {
      take_socket(authority, url.path);
    } else {
      take_host(authority, url.path);
      address_.target.tls = scheme == Scheme::tls;
      if (address_.target.tls) give("tls");
    }
    std::vector<QueryWord> words;
    if (const auto complaint = parse_query(url.query, false, words); !complaint.empty()) return complain(complaint);
    const bool may_show = url.query.find('@') == std::string_view::npos;
    for (const QueryWord& word : words) take_word(word, may_show);
  }

  void take_user(const Authority& authority) {
    if (authority.user && !authority.user->empty()) {
      address_.target.user = *authority.user;
      give("user");
    }
    if (authority.password && !authority.password->empty()) take_password(*authority.password);
    // Told apart from "user without password": redis-cli takes a lone word for the password.
    if (authority.user && !authority.user->empty() && !authority.password) give("lone_user");
  }

  void take_password(const std::string& password) {
    address_.target.password = {Secret(password), ""};
    give("password");
  }

  void take_socket(const Authority& authority, std::string_view path) {
    const bool relative = authority.hosts.size() != 1 || !authority.hosts[0].host.empty() || path.size() < 2;
    const auto decoded = percent_decode(path);
    if (relative || !decoded)
      return complain("the socket must be an absolute path, as in unix:///run/redis/redis.sock");
    address_.target.unix_path = *decoded;
    give("unix");
  }

  void take_host(const Authority& authority, std::string_view path) {
    if (authority.hosts.size() > 1) return complain("several hosts are given; " + std::string(kStandaloneOnly));
    const HostPort& host = authority.hosts[0];
    if (!host.host.empty()) address_.target.host = host.host;
    give("host");
    if (!host.port.empty()) address_.target.port = static_cast<int>(parse_integer(host.port).value_or(0));
    give("port");
    while (path.ends_with('/')) path.remove_suffix(1);
    if (!path.empty()) take_database(std::string(path.substr(1)));
  }

  void take_database(const std::string& text) {
    constexpr std::int64_t kHighest = 1000000;
    const auto number = parse_integer(text);
    if (!number || *number < 0 || *number > kHighest)
      return complain("the database must be a number, as in redis://host:6379/0");
    address_.target.database = static_cast<int>(*number);
    give("database");
  }

  void take_word(const QueryWord& word, bool may_show) {
    Target& target = address_.target;
    if (word.name == "db" || word.name == "database") return take_database(word.value);
    if (word.name == "password") return take_password(word.value);
    if (word.name == "user" || word.name == "username") {
      target.user = word.value;
      give("user");
    } else if (word.name == "ssl_ca_certs") {
      target.tls_ca = word.value;
      give("tls.ca");
    } else if (word.name == "ssl_certfile") {
      target.tls_certificate = word.value;
      give("tls.certificate");
    } else if (word.name == "ssl_keyfile") {
      target.tls_key = word.value;
      give("tls.key");
    } else if (word.name == "ssl_cert_reqs" || word.name == "verifyPeer" || word.name == "skip_verify") {
      take_verify(word);
    } else if (is_redis_client_word(word.name)) {
      target.dropped.push_back(word.name);
    } else {
      unknown(word.name, may_show);
    }
  }

  void take_verify(const QueryWord& word) {
    const bool off = word.name == "skip_verify"
                         ? parse_flag(word.value).value_or(false)
                         : word.value == "none" || word.value == "NONE" || word.value == "CERT_NONE";
    address_.target.tls_verify = !off;
    give("tls.verify");
  }

  void unknown(const std::string& name, bool may_show) {
    if (!may_show || !is_printable_name(name)) {
      return complain("a parameter has a name that no known Redis client has; " + std::string(kEncodeRule));
    }
    static const std::vector<std::string> kKnown = {"db",           "database",     "password",    "username",
                                                    "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"};
    complain("no known Redis client has a parameter \"" + name + "\"" + did_you_mean(name, kKnown));
  }

  TargetAddress address_;
};

}  // namespace

TargetAddress parse_target(std::string_view text) { return Reader().run(trim(text)); }

}  // namespace walrelay::config
