// What libpq is told for one attempt to connect: the user's own parameters, and what walrelay needs on top.
// Pure, apart from the environment that libpq takes its defaults from.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "replication/connection.h"
#include "replication/resolve_hosts.h"

namespace walrelay::replication {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// What libpq uses for a keyword that nobody gave: from its environment variables, or compiled in. Empty: nothing.
using ParameterDefault = std::function<std::string(const std::string& keyword)>;

// The last value given for `keyword`, else its default.
std::string parameter_or_default(const Parameters& given, const std::string& keyword,
                                 const ParameterDefault& otherwise);

// `session_attributes` replaces target_session_attrs when it is not empty.
Parameters connect_parameters(const ConnectionOptions& options, const Address& address, const std::string& password,
                              const std::string& session_attributes, const ParameterDefault& otherwise);

// "db.example:5432/app": for messages, without user and secrets.
std::string peer_name(const std::vector<Address>& hosts, const std::string& database);

}  // namespace walrelay::replication
