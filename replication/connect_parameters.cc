#include "replication/connect_parameters.h"

#include <algorithm>
#include <array>

namespace walrelay::replication {

namespace {

// The session that every conversion in this program relies on, and no time-out that could end it. As start-up options
// they also win over what ALTER ROLE and ALTER DATABASE set. An unknown setting would fail the connection: only what
// PostgreSQL 12 already knows; later time-outs are set after the connection is made.
constexpr const char* kSession =
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres -c bytea_output=hex -c extra_float_digits=3 "
    "-c lc_monetary=C -c search_path= -c row_security=off -c statement_timeout=0 -c lock_timeout=0 "
    "-c idle_in_transaction_session_timeout=0 -c jit=off";

using Default = std::pair<const char*, const char*>;

// A peer that vanished without a word is noticed within half a minute.
constexpr std::array<Default, 5> kKeepalives{{{"keepalives", "1"},
                                              {"keepalives_idle", "10"},
                                              {"keepalives_interval", "5"},
                                              {"keepalives_count", "3"},
                                              {"tcp_user_timeout", "30000"}}};

// Set by connect_parameters() itself, whatever the user gave.
bool ours(const std::string& keyword) {
  static constexpr std::array<const char*, 8> kOurs{
      "host", "hostaddr", "port", "options", "replication", "password", "client_encoding", "connect_timeout"};
  return std::find(kOurs.begin(), kOurs.end(), keyword) != kOurs.end();
}

bool given(const Parameters& parameters, const std::string& keyword) {
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](const auto& one) { return one.first == keyword && !one.second.empty(); });
}

void add_if(bool wanted, Parameters& to, std::string keyword, std::string value) {
  if (wanted && !value.empty()) to.emplace_back(std::move(keyword), std::move(value));
}

}  // namespace

std::string parameter_or_default(const Parameters& given, const std::string& keyword,
                                 const ParameterDefault& otherwise) {
  for (auto one = given.rbegin(); one != given.rend(); ++one) {
    if (one->first == keyword && !one->second.empty()) return one->second;
  }
  return otherwise(keyword);
}

Parameters connect_parameters(const ConnectionOptions& options, const Address& address, const std::string& password,
                              const std::string& session_attributes, const ParameterDefault& otherwise) {
  Parameters all;
  for (const auto& [keyword, value] : options.parameters) {
    if (ours(keyword) || (keyword == "target_session_attrs" && !session_attributes.empty())) continue;
    add_if(true, all, keyword, value);
  }
  add_if(true, all, "target_session_attrs", session_attributes);
  add_if(true, all, "host", address.host);
  add_if(true, all, "hostaddr", address.numeric);
  add_if(true, all, "port", address.port);
  add_if(true, all, "password", password);
  add_if(options.replication, all, "replication", "database");
  add_if(!given(options.parameters, "application_name"), all, "application_name", options.application_name);

  const std::string own = parameter_or_default(options.parameters, "options", otherwise);
  all.emplace_back("options", own.empty() ? kSession : own + " " + kSession);
  // SQL_ASCII: the server passes on the bytes of its own encoding, unconverted. Converting them could fail for ever on
  // one row that holds a byte undefined in its encoding. In the start-up packet it also covers the start-up's errors.
  all.emplace_back("client_encoding", "SQL_ASCII");
  for (const auto& [keyword, value] : kKeepalives) {
    add_if(!given(options.parameters, keyword), all, keyword, value);
  }
  // Asking for a Kerberos ticket blocks, and costs a round trip: only for those who want it.
  const bool gss = given(options.parameters, "gssencmode") || otherwise("gssencmode") == "require";
  add_if(!gss, all, "gssencmode", "disable");
  return all;
}

std::string peer_name(const std::vector<Address>& hosts, const std::string& database) {
  std::string name;
  for (const Address& host : hosts) {
    if (!name.empty()) name += ',';
    name += !host.host.empty() ? host.host : !host.numeric.empty() ? host.numeric : "local socket";
    name += ':' + (host.port.empty() ? "5432" : host.port);
  }
  return name + "/" + database;
}

}  // namespace walrelay::replication
