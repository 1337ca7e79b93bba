// The addresses that users already have, in every form that their other programs take.
//
//   source   postgres://  postgresql://  postgresql+driver://   user, password, several hosts, ports, query; IPv6 in
//                                                              brackets; a unix socket's folder as %2Fvar%2Frun
//            jdbc:postgresql://h1:5432,h2/db?user=u&ssl=true    "+" is a space there, as in Java
//            host=h dbname=d password='with space'              libpq's own form
//   target   redis://[user[:password]@]host[:port][/db]         rediss:// with TLS; valkey:// and valkeys:// too
//            unix:///path/to.sock?db=1                          also redis+unix:// redis+socket:// redis-socket://
//
// Percent-decoded everywhere. What a mistake says never contains a piece of the text but a parameter's name, and not
// even that where an unencoded password may have spilled into it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/secret.h"

namespace walrelay::config {

struct SourceAddress {
  std::vector<std::pair<std::string, std::string>> parameters;  // libpq keywords, each once; no secret
  std::optional<Secret> password;
  std::optional<Secret> key_password;  // sslpassword
  std::vector<std::string> dropped;    // understood, not passed
  std::vector<std::string> mistakes;
};
SourceAddress parse_source(std::string_view text);

struct TargetAddress {
  Target target;
  std::set<std::string> given;  // which of its members the text says: host port unix user password database tls ...
  std::vector<std::string> mistakes;
};
TargetAddress parse_target(std::string_view text);

}  // namespace walrelay::config
