#include "config/keys.h"

#include <algorithm>

#include "config/key_table.h"
#include "config/values.h"

namespace walrelay::config {

namespace {

std::string check_listen(const std::string& text) {
  if (text.empty()) return "";
  constexpr std::int64_t kHighestPort = 65535;
  const std::size_t colon = text.rfind(':');
  const std::int64_t port = colon == std::string::npos ? -1 : parse_integer(text.substr(colon + 1)).value_or(-1);
  const std::string host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (port >= 0 && port <= kHighestPort && (brackets || host.find(':') == std::string::npos)) return "";
  return "must be host:port, as in 127.0.0.1:9847 or [::1]:9847, or empty for none";
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
       .help = "Rows after which a batch leaves; those that a later one of the batch replaces do not count.",
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
      {.name = "verify.interval",
       .type = Type::duration,
       .field = AT(verify.interval),
       .help = "Compare every row with Redis again and again, each mapping so often; `0`: only when asked to."},
      {.name = "verify.rate",
       .type = Type::integer,
       .field = AT(verify.rate),
       .help = "Rows a second that such a comparison looks at, at most.",
       .minimum = 1,
       .maximum = 10000000},
      {.name = "verify.on_difference",
       .type = Type::choice,
       .field = AT(verify.on_difference),
       .help = "What it does about a row that differs: count it and name it in the log, or mend it too.",
       .choices = {"report", "repair"}},
      {.name = "http.listen",
       .field = AT(http.listen),
       .help = "Where health and metrics are served; empty: nowhere.",
       .check = check_listen,
       .synonyms = {"address", "bind", "port"}},
      {.name = "http.token",
       .type = Type::secret,
       .field = AT(http.token),
       .help = "Bearer token for actions from other machines; without one actions are taken from this machine only.",
       .synonyms = {"password", "secret", "bearer"}},
      {.name = "http.token_file",
       .type = Type::secret_file,
       .field = AT(http.token),
       .help = "A file that holds the token; read again for every action."},
      {.name = "http.hosts",
       .field = AT(http.hosts),
       .help =
           "Names, separated by commas, by which clients on this machine may ask besides `localhost`, the machine's "
           "own name and numeric addresses: those that a proxy beside walrelay passes on. Any other name is refused, "
           "because a web page could have made it (DNS rebinding).",
       .synonyms = {"names", "host"}},
      {.name = "health.cache_hit_ratio_below",
       .type = Type::integer,
       .field = AT(health.cache_hit_ratio_below),
       .help = "What `/health` names as its threshold, in percent: less of the reads of Redis find their key.",
       .maximum = 100,
       .synonyms = {"cache_hit_ratio", "hit_ratio"}},
      {.name = "health.p95_above",
       .type = Type::duration,
       .field = AT(health.p95_above),
       .help = "The same: 95 of 100 batches took longer from the commit to Redis.",
       .synonyms = {"p95", "max_lag", "latency"}},
      {.name = "health.database_connections_above",
       .type = Type::integer,
       .field = AT(health.database_connections_above),
       .help = "The same, in percent: more of PostgreSQL's `max_connections` are in use.",
       .maximum = 100,
       .synonyms = {"database_connections", "connections"}},
      {.name = "health.redis_memory_above",
       .type = Type::integer,
       .field = AT(health.redis_memory_above),
       .help = "The same, in percent: more of Redis' `maxmemory` is in use.",
       .maximum = 100,
       .synonyms = {"redis_memory", "memory"}},
      {.name = "metrics.tables",
       .type = Type::integer,
       .field = AT(metrics.tables),
       .help = "Tables that have counters of their own at `/metrics`; further ones are summed as `__other__`.",
       .maximum = 10000},
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
      {.name = "dead_letter_limit",
       .type = Type::integer,
       .field = AT(dead_letter_limit),
       .help = "About how many dead letters are kept, the newest; 0: all of them.",
       .minimum = 0,
       .maximum = 1000000000,
       .synonyms = {"dlq", "maxlen"}},
      {.name = "on_removed",
       .type = Type::choice,
       .field = AT(on_removed),
       .help = "When a reload takes a mapping away, or gives it other keys: its old keys stay, or are swept.",
       .choices = {"keep", "sweep"}},
  };
}

std::vector<Key> build() {
  std::vector<Key> all = source_keys();
  for (auto* part : {&target_keys, &rest}) {
    for (Key& key : part()) all.push_back(std::move(key));
  }
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

const std::vector<ListedKey>& mapping_keys() {
  static const std::vector<ListedKey> table = {
      {"name", "Names the mapping in metrics and messages; the table or pattern when it is not given. Unique."},
      {"table", "One table, `schema.table` or, in the schema `public`, just `table`."},
      {"tables", "A regular expression on `schema.table`; its named groups `(?<name>...)` can stand in templates."},
      {"enabled", "`false`: there is no such mapping; meant for a variable, as in `${USE_TOKENS:-true}`."},
      {"identity",
       "What the replica identity of its tables must be: a list of columns, `primary_key` or `full`; anything by "
       "default."},
      {"let",
       "Names for expressions, in order, as in `part: \"floordiv(epoch_value, 180)\"`: later ones may use earlier "
       "ones, "
       "templates all of them."},
      {"allow_eviction",
       "`true`: start although Redis may evict keys that rows share, such as sets and bitmaps, and a key that comes "
       "back would hold only what was written since."},
      {"on_poison",
       "When a row cannot be written (a NULL in its key, an expression that fails, a command that Redis refuses): "
       "`stop`, note it as a `dead_letter`, "
       "or `skip` it; as `on_row_error` says by default."},
      {"on_table_gone",
       "When a table is dropped, or given a name that the mapping does not take: its keys stay (`keep`, the default), "
       "or go as soon as the stream has come so far (`purge`)."},
      {"write", "What is written for each row: a list of kinds of write with their parameters, or just one of them."},
      {"reindex",
       "Which parameters a request to read a part of the rows again may have, each with its column, as in `partition: "
       "partition_num` or `granularity: {column: granularity, default: DAY}`; and `status_table`, where jobs are "
       "noted."},
  };
  return table;
}

const std::vector<ListedKey>& ttl_classes_keys() {
  static const std::vector<ListedKey> table = {
      {"defaults", "Lifetimes by name, as in `{assets: 300000, policies: 10m}`, for `ttl: {class: assets}`."},
      {"unit", "Unit of the numbers there and in `env`: `s` or `ms`. It must be given where there are any."},
      {"env",
       "Name of an environment variable that may hold a JSON object of such numbers; they win over `defaults`. What is "
       "no JSON is passed over with a warning."},
  };
  return table;
}

}  // namespace walrelay::config
