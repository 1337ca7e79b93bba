// target.*
#include "config/key_table.h"

namespace walrelay::config {

namespace {

std::string check_host(const std::string& text) {
  if (text.empty()) return "must not be empty";
  return text.find("://") == std::string::npos ? "" : "must be a host, not a URL; give the URL as target.url";
}

std::string check_socket(const std::string& text) {
  return text.empty() || text.starts_with('/') ? "" : "must be an absolute path";
}

}  // namespace

std::vector<Key> target_keys() {
  return {
      {.name = "target.url",
       .type = Type::url,
       .help =
           "Redis' address: `redis://[user[:password]@]host[:port][/db]`, `rediss://` with TLS, `unix:///path?db=0`.",
       .address = true,
       .default_words = "`REDIS_URL`, else `redis://127.0.0.1:6379/0`",
       .synonyms = {"uri", "dsn", "connection", "redis_url", "address"}},
      {.name = "target.url_file", .type = Type::url_file, .help = "A file that holds the URL.", .address = true},
      {.name = "target.host",
       .field = AT(target.host),
       .help = "Host name or address.",
       .check = check_host,
       .address = true,
       .synonyms = {"hostname", "server"}},
      {.name = "target.port",
       .type = Type::integer,
       .field = AT(target.port),
       .help = "Port.",
       .minimum = 1,
       .maximum = 65535,
       .address = true},
      {.name = "target.unix",
       .field = AT(target.unix_path),
       .help = "Path of the unix socket, instead of host and port.",
       .check = check_socket,
       .address = true,
       .synonyms = {"socket", "path", "unix_socket", "unix_path"}},
      {.name = "target.user", .field = AT(target.user), .help = "ACL user.", .address = true, .synonyms = {"username"}},
      {.name = "target.password",
       .type = Type::secret,
       .field = AT(target.password),
       .help = "Password.",
       .address = true,
       .synonyms = {"pass", "secret", "auth"}},
      {.name = "target.password_file",
       .type = Type::secret_file,
       .field = AT(target.password),
       .help = "A file that holds the password; read again at every connect.",
       .address = true},
      {.name = "target.database",
       .type = Type::integer,
       .field = AT(target.database),
       .help = "Database number.",
       .maximum = 1000000,
       .address = true,
       .synonyms = {"db", "index"}},
      {.name = "target.tls",
       .type = Type::flag,
       .help = "The same as `target.tls.enabled`.",
       .address = true,
       .stands_for = "target.tls.enabled"},
      {.name = "target.tls.enabled",
       .type = Type::flag,
       .field = AT(target.tls),
       .help = "Speak TLS.",
       .address = true,
       .default_words = "`true` with `rediss://` or when another key of `target.tls` is given"},
      {.name = "target.tls.ca",
       .field = AT(target.tls_ca),
       .help = "File of the certificate authorities that are trusted.",
       .address = true,
       .default_words = "the system's",
       .synonyms = {"cacert", "ca_file", "ca_cert"}},
      {.name = "target.tls.certificate",
       .field = AT(target.tls_certificate),
       .help = "File of the client certificate.",
       .address = true,
       .synonyms = {"cert", "cert_file"}},
      {.name = "target.tls.key",
       .field = AT(target.tls_key),
       .help = "File of the client certificate's key.",
       .address = true,
       .synonyms = {"key_file"}},
      {.name = "target.tls.server_name",
       .field = AT(target.tls_server_name),
       .help = "Name that the server's certificate must bear.",
       .address = true,
       .default_words = "`target.host`",
       .synonyms = {"sni"}},
      {.name = "target.tls.verify",
       .type = Type::flag,
       .field = AT(target.tls_verify),
       .help = "Check the server's certificate and its name.",
       .address = true,
       .synonyms = {"skip_verify", "insecure"}},
      {.name = "target.timeout",
       .type = Type::duration,
       .field = AT(target.timeout),
       .help = "How long Redis may take to answer before the connection counts as lost."},
  };
}

}  // namespace walrelay::config
