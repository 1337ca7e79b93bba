#include "config/keys.h"

#include <algorithm>
#include <initializer_list>

#include "config/values.h"

// The field of a key. A macro, because C++ has no pointer to a member of a member.
#define AT(path) [](Config& c) -> auto& { return c.path; }

namespace walrelay::config {

namespace {

constexpr std::size_t kLongestName = 63;  // PostgreSQL cuts names beyond

std::string check_slot(const std::string& text) {
  const bool good = std::all_of(text.begin(), text.end(),
                                [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  if (good && !text.empty() && text.size() <= kLongestName) return "";
  return "must be 1 to 63 lower-case letters, digits or underscores";
}

std::string check_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName ? "" : "must be a name of 1 to 63 bytes";
}

std::string check_listen(const std::string& text) {
  if (text.empty()) return "";
  constexpr std::int64_t kHighestPort = 65535;
  const std::size_t colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_integer(text.substr(colon + 1));
  const std::string host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (port && *port >= 0 && *port <= kHighestPort && (brackets || host.find(':') == std::string::npos)) return "";
  return "must be host:port, as in 127.0.0.1:9847 or [::1]:9847, or empty for none";
}

std::string check_host(const std::string& text) {
  if (text.empty()) return "must not be empty";
  return text.find("://") == std::string::npos ? "" : "must be a host, not a URL; give the URL as target.url";
}

std::string check_socket(const std::string& text) {
  return text.empty() || text.starts_with('/') ? "" : "must be an absolute path";
}

std::vector<Key> source_address() {
  std::vector<Key> out = {
      {.name = "source.url",
       .type = Type::url,
       .help = "PostgreSQL's address: `postgres://`, `postgresql://`, `jdbc:postgresql://` or `host=... dbname=...`.",
       .address = true,
       .default_words = "`DATABASE_URL`, `PG_URL`, `PGHOST` ...",
       .synonyms = {"uri", "dsn", "connection", "connection_string", "database_url", "jdbc_url"}},
      {.name = "source.url_file", .type = Type::url_file, .help = "A file that holds the URL.", .address = true}};
  for (const Keyword& keyword : libpq_keywords()) {
    if (keyword.use != KeywordUse::pass) continue;
    Type type = Type::text;
    if (!keyword.choices.empty()) type = Type::choice;
    if (keyword.number) type = Type::integer;
    out.push_back({.name = "source." + keyword.name,
                   .type = type,
                   .help = keyword.help,
                   .choices = keyword.choices,
                   .minimum = -1,
                   .keyword = &keyword,
                   .address = true});
    if (keyword.name == "user") out.back().synonyms = {"username", "role"};
    if (keyword.name == "host") out.back().synonyms = {"hostname", "server"};
  }
  const std::vector<Key> secrets = {{.name = "source.database",
                                     .help = "The same as `source.dbname`.",
                                     .address = true,
                                     .stands_for = "source.dbname",
                                     .synonyms = {"db"}},
                                    {.name = "source.password",
                                     .type = Type::secret,
                                     .field = AT(source.password),
                                     .help = "Password of the role.",
                                     .address = true,
                                     .synonyms = {"pass", "secret"}},
                                    {.name = "source.password_file",
                                     .type = Type::secret_file,
                                     .field = AT(source.password),
                                     .help = "A file that holds the password; read again at every connect.",
                                     .address = true},
                                    {.name = "source.sslpassword",
                                     .type = Type::secret,
                                     .field = AT(source.key_password),
                                     .help = "Password of the client certificate's key.",
                                     .address = true},
                                    {.name = "source.sslpassword_file",
                                     .type = Type::secret_file,
                                     .field = AT(source.key_password),
                                     .help = "A file that holds the password of the client certificate's key.",
                                     .address = true}};
  out.insert(out.end(), secrets.begin(), secrets.end());
  return out;
}

std::vector<Key> source() {
  return {
      {.name = "source.slot",
       .field = AT(source.slot),
       .help = "Logical replication slot; also names the checkpoint in Redis.",
       .check = check_slot,
       .synonyms = {"slot_name"}},
      {.name = "source.publication",
       .field = AT(source.publication),
       .help = "Publication to follow.",
       .check = check_name,
       .synonyms = {"publication_name"}},
      {.name = "source.temporary_slot",
       .type = Type::flag,
       .field = AT(source.temporary_slot),
       .help = "Use a slot that PostgreSQL drops at the end of the session; every start loads all rows again."},
      {.name = "source.create_slot",
       .type = Type::flag,
       .field = AT(source.create_slot),
       .help = "Create the slot when it does not exist."},
      {.name = "source.manage_publication",
       .type = Type::flag,
       .field = AT(source.manage_publication),
       .help = "Create the publication and keep it equal to the mapped tables."},
      {.name = "source.slot_timeout",
       .type = Type::duration,
       .field = AT(source.slot_timeout),
       .help = "How long creating the slot may wait for transactions that are running."},
      {.name = "source.status_interval",
       .type = Type::duration,
       .field = AT(source.status_interval),
       .help = "How often PostgreSQL is told the position.",
       .default_words = "a third of the server's `wal_sender_timeout`, at most 10s"},
      {.name = "source.format",
       .type = Type::choice,
       .field = AT(source.format),
       .help = "How column values travel; `auto` is binary where every column's type allows it.",
       .choices = {"auto", "text", "binary"}},
  };
}

std::vector<Key> target() {
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

std::vector<Key> rest() {
  constexpr std::int64_t kMega = 1024 * 1024;
  return {
      {.name = "flush.interval",
       .type = Type::duration,
       .field = AT(flush.interval),
       .help = "How long a commit may wait for others; `0` sends as soon as the last batch is acknowledged."},
      {.name = "flush.batch_size",
       .type = Type::integer,
       .field = AT(flush.batch_size),
       .help = "Rows after which a batch leaves.",
       .minimum = 1,
       .maximum = 10000000},
      {.name = "flush.max_bytes",
       .type = Type::size,
       .field = AT(flush.max_bytes),
       .help = "Bytes of commands after which a batch leaves.",
       .minimum = 4096,
       .maximum = 1024 * kMega},
      {.name = "flush.max_transaction",
       .type = Type::size,
       .field = AT(flush.max_transaction),
       .help = "Bytes of commands up to which a transaction is shown to readers as a whole.",
       .minimum = 4096,
       .maximum = 1024 * kMega},
      {.name = "ack",
       .type = Type::choice,
       .help = "`fsynced` is short for `{fsynced: true}`.",
       .choices = {"fsynced"},
       .stands_for = "ack.fsynced",
       .stands_for_value = "true"},
      {.name = "ack.hold",
       .type = Type::duration,
       .field = AT(ack.hold),
       .help = "How old a position in Redis must be before PostgreSQL may forget it."},
      {.name = "ack.replicas",
       .type = Type::integer,
       .field = AT(ack.replicas),
       .help = "Replicas of Redis that must hold a position first (`WAIT`).",
       .maximum = 100},
      {.name = "ack.fsynced",
       .type = Type::flag,
       .field = AT(ack.fsynced),
       .help = "Redis must have a position on its disk first (`WAITAOF`)."},
      {.name = "load.initial",
       .type = Type::flag,
       .field = AT(load.initial),
       .help = "Read the rows that exist already. With `false` only changes from now on reach Redis."},
      {.name = "load.connections",
       .type = Type::integer,
       .field = AT(load.connections),
       .help = "Connections that read tables at the same time.",
       .minimum = 1,
       .maximum = 64},
      {.name = "load.chunk_bytes",
       .type = Type::size,
       .field = AT(load.chunk_bytes),
       .help = "About so much of a table is read at a time.",
       .minimum = 8192,
       .maximum = 1024 * kMega},
      {.name = "http.listen",
       .field = AT(http.listen),
       .help = "Where health and metrics are served; empty: nowhere.",
       .check = check_listen,
       .synonyms = {"address", "bind", "port"}},
      {.name = "log.level",
       .type = Type::choice,
       .field = AT(log.level),
       .help = "What is logged.",
       .choices = {"trace", "debug", "info", "warn", "error"}},
      {.name = "log.format",
       .type = Type::choice,
       .field = AT(log.format),
       .help = "How; `auto` is text on a terminal and JSON lines otherwise.",
       .choices = {"auto", "text", "json"}},
      {.name = "on_gap",
       .type = Type::choice,
       .field = AT(on_gap),
       .help = "When changes are lost for good: load all rows again in place, or stop.",
       .choices = {"rebuild", "halt"}},
      {.name = "on_row_error",
       .type = Type::choice,
       .field = AT(on_row_error),
       .help = "When a row cannot be written: stop, or note it in the dead-letter stream and go on.",
       .choices = {"halt", "dead_letter"}},
  };
}

std::vector<Key> build() {
  std::vector<Key> all = source_address();
  for (const auto& part : {source(), target(), rest()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

const std::vector<Key>& keys() {
  static const std::vector<Key> table = build();
  return table;
}

const Key* find_key(std::string_view name) {
  for (const Key& key : keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

bool is_section(std::string_view name) {
  const std::string prefix = std::string(name) + ".";
  return std::any_of(keys().begin(), keys().end(), [&](const Key& key) { return key.name.starts_with(prefix); });
}

std::string environment_name(std::string_view key) {
  std::string out = "WALRELAY_";
  for (const char c : key) out += c == '.' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return out;
}

const std::vector<MappingKey>& mapping_keys() {
  static const std::vector<MappingKey> table = {
      {"name", "Names the mapping in metrics and messages; the table or pattern when it is not given. Unique."},
      {"table", "One table, `schema.table` or, in the schema `public`, just `table`."},
      {"tables", "A regular expression on `schema.table`; its named groups `(?<name>...)` can stand in templates."},
      {"write", "What is written for each row: a list of kinds of write with their parameters, or just one of them."},
  };
  return table;
}

}  // namespace walrelay::config
