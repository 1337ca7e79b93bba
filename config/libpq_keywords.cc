#include "config/libpq_keywords.h"

#include <algorithm>

#include "config/nearest.h"
#include "config/values.h"

namespace walrelay::config {

namespace {

using enum KeywordUse;

const std::vector<std::string> kProtocols = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

std::vector<Keyword> build() {
  return {
      {"host", pass, "PGHOST", "Host name, address or folder of the unix socket; several separated by commas.", {}},
      {"hostaddr", pass, "PGHOSTADDR", "Numeric address; no name is resolved then.", {}},
      {"port", pass, "PGPORT", "Port; several separated by commas, one per host.", {}},
      {"user", pass, "PGUSER", "Role to connect as; it needs the REPLICATION attribute.", {}},
      {"password", secret, "PGPASSWORD", "", {}},
      {"dbname", pass, "PGDATABASE", "Database whose changes are followed.", {}},
      {"sslmode",
       pass,
       "PGSSLMODE",
       "How much TLS to ask for.",
       {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
      {"sslrootcert", pass, "PGSSLROOTCERT", "File of the certificate authorities that are trusted.", {}},
      {"sslcert", pass, "PGSSLCERT", "File of the client certificate.", {}},
      {"sslkey", pass, "PGSSLKEY", "File of the client certificate's key.", {}},
      {"sslpassword", secret, "", "", {}},
      {"target_session_attrs",
       pass,
       "PGTARGETSESSIONATTRS",
       "Which of several hosts will do.",
       {"any", "read-write", "read-only", "primary", "standby", "prefer-standby"}},
      {"options", pass, "PGOPTIONS", "Command-line options for the server process.", {}},
      {"application_name", pass, "PGAPPNAME", "Name shown in pg_stat_replication.", {}},
      {"connect_timeout", pass, "PGCONNECT_TIMEOUT", "Seconds that connecting to one host may take.", {}, true},
      {"service", pass, "PGSERVICE", "Section of the connection service file.", {}},
      {"servicefile", pass, "PGSERVICEFILE", "The connection service file.", {}},
      {"passfile", pass, "PGPASSFILE", "The password file that libpq reads when no password is given.", {}},
      {"channel_binding", pass, "PGCHANNELBINDING", "Use of channel binding.", {"disable", "prefer", "require"}},
      {"require_auth", pass, "PGREQUIREAUTH", "Authentication methods that the server may ask for.", {}},
      {"keepalives", pass, "", "1 to use TCP keepalives, 0 not to.", {}, true},
      {"keepalives_idle", pass, "", "Idle seconds before the first TCP keepalive.", {}, true},
      {"keepalives_interval", pass, "", "Seconds between TCP keepalives.", {}, true},
      {"keepalives_count", pass, "", "TCP keepalives that may stay unanswered.", {}, true},
      {"tcp_user_timeout", pass, "", "Milliseconds that sent data may stay unacknowledged.", {}, true},
      {"sslnegotiation", pass, "PGSSLNEGOTIATION", "How TLS is begun.", {"postgres", "direct"}},
      {"sslcompression", pass, "PGSSLCOMPRESSION", "1 to compress under TLS.", {}, true},
      {"sslcertmode", pass, "PGSSLCERTMODE", "Whether a client certificate is sent.", {"disable", "allow", "require"}},
      {"sslcrl", pass, "PGSSLCRL", "File of revoked certificates.", {}},
      {"sslcrldir", pass, "PGSSLCRLDIR", "Folder of revoked certificates.", {}},
      {"sslsni", pass, "PGSSLSNI", "1 to send the host's name in the TLS handshake.", {}, true},
      {"requirepeer", pass, "PGREQUIREPEER", "System user that must own the server on a unix socket.", {}},
      {"ssl_min_protocol_version", pass, "PGSSLMINPROTOCOLVERSION", "Oldest TLS allowed.", kProtocols},
      {"ssl_max_protocol_version", pass, "PGSSLMAXPROTOCOLVERSION", "Newest TLS allowed.", kProtocols},
      {"min_protocol_version", pass, "PGMINPROTOCOLVERSION", "Oldest wire protocol allowed.", {}},
      {"max_protocol_version", pass, "PGMAXPROTOCOLVERSION", "Newest wire protocol allowed.", {}},
      {"gssencmode", pass, "PGGSSENCMODE", "Use of GSSAPI encryption.", {"disable", "prefer", "require"}},
      {"gssdelegation", pass, "PGGSSDELEGATION", "1 to forward GSSAPI credentials.", {}, true},
      {"krbsrvname", pass, "PGKRBSRVNAME", "Kerberos service name.", {}},
      {"gsslib", pass, "PGGSSLIB", "GSSAPI library to use.", {"gssapi", "sspi"}},
      {"load_balance_hosts",
       pass,
       "PGLOADBALANCEHOSTS",
       "Order in which several hosts are tried.",
       {"disable", "random"}},
      {"replication", ours, "", "", {}},
      {"client_encoding", ours, "", "", {}},
      {"fallback_application_name", ours, "", "", {}},
      {"sslkeylogfile", unsupported, "", "", {}},
      {"scram_client_key", unsupported, "", "", {}},
      {"scram_server_key", unsupported, "", "", {}},
      {"oauth_issuer", unsupported, "", "", {}},
      {"oauth_client_id", unsupported, "", "", {}},
      {"oauth_client_secret", unsupported, "", "", {}},
      {"oauth_scope", unsupported, "", "", {}},
  };
}

// "5432", or one per host: "5432,,5433".
bool is_port_list(const std::string& value) {
  constexpr std::int64_t kHighestPort = 65535;
  std::size_t start = 0;
  while (start <= value.size()) {
    const std::size_t end = std::min(value.find(',', start), value.size());
    const auto port = parse_integer(value.substr(start, end - start));
    if (end != start && (!port || *port < 1 || *port > kHighestPort)) return false;
    start = end + 1;
  }
  return true;
}

}  // namespace

const std::vector<Keyword>& libpq_keywords() {
  static const std::vector<Keyword> keywords = build();
  return keywords;
}

const Keyword* find_keyword(std::string_view name) {
  for (const Keyword& keyword : libpq_keywords()) {
    if (keyword.name == name) return &keyword;
  }
  return nullptr;
}

std::string check_keyword(const Keyword& keyword, const std::string& value) {
  if (keyword.name == "port" && !is_port_list(value)) return "must be a port from 1 to 65535, or one for each host";
  if (keyword.number && !parse_integer(value)) return "must be a whole number";
  const auto& choices = keyword.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
    return "must be " + either(choices);
  }
  if (keyword.name == "host" && value.find("://") != std::string::npos) {
    return "must be a host, not a URL; give the URL as source.url";
  }
  return "";
}

}  // namespace walrelay::config
