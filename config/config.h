// What the user wrote, as plain values. See load.h for where it comes from, and docs/configuration.md for the words.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/secret.h"

namespace walrelay::config {

using std::chrono::milliseconds;

struct Source {
  // libpq keywords, in order, from the url or the discrete keys; never the password.
  std::vector<std::pair<std::string, std::string>> parameters;
  SecretSource password;
  SecretSource key_password;         // of the private key (libpq's sslpassword); never among the parameters
  std::vector<std::string> dropped;  // words of other drivers in the url: understood, not passed on
  std::string slot = "walrelay";
  std::string publication = "walrelay";
  bool temporary_slot = false;
  bool create_slot = true;
  bool manage_publication = true;     // create it and keep it equal to the mappings
  milliseconds slot_timeout{300000};  // how long creating a slot may wait for running transactions
  milliseconds status_interval{0};    // 0: a third of the server's wal_sender_timeout, at most 10 s
  std::string format = "auto";        // auto | text | binary
  friend bool operator==(const Source&, const Source&) = default;
};

struct Target {
  std::string host = "127.0.0.1";
  std::string unix_path;
  int port = 6379;
  std::string user;
  SecretSource password;
  int database = 0;
  bool tls = false;
  std::string tls_ca, tls_certificate, tls_key, tls_server_name;
  bool tls_verify = true;
  std::vector<std::string> dropped;  // words of other clients in the url: understood, not used
  milliseconds timeout{30000};
  friend bool operator==(const Target&, const Target&) = default;
};

struct Flush {
  milliseconds interval{100};
  std::uint64_t batch_size = 1000;                   // rows
  std::uint64_t max_bytes = 256 * 1024;              // of commands held here
  std::uint64_t max_transaction = 64 * 1024 * 1024;  // of commands shown at once
  friend bool operator==(const Flush&, const Flush&) = default;
};

struct Ack {
  milliseconds hold{5000};
  int replicas = 0;
  bool fsynced = false;
  friend bool operator==(const Ack&, const Ack&) = default;
};

struct Load {
  bool initial = true;                      // false: rows that exist already are not read
  int connections = 2;                      // that read tables at the same time
  std::uint64_t chunk_bytes = 1024 * 1024;  // about so much of a table is read at a time
  friend bool operator==(const Load&, const Load&) = default;
};

// Comparing rows with Redis for ever, as a file system is scrubbed.
struct Scrub {
  milliseconds interval{0};              // from the beginning of one comparison of a mapping to the next; 0: never
  std::uint64_t rate = 5000;             // rows a second at most
  std::string on_difference = "report";  // report | repair
  friend bool operator==(const Scrub&, const Scrub&) = default;
};

struct Http {
  std::string listen = "127.0.0.1:9847";  // empty: none
  SecretSource token;                     // that actions from other machines need; not given: none from there
  std::string hosts;                      // further names that a client on this machine may ask by, with commas between
  friend bool operator==(const Http&, const Http&) = default;
};

// What /health calls too much or too little. Percent, where it is no duration.
struct Health {
  int cache_hit_ratio_below = 70, database_connections_above = 80, redis_memory_above = 80;
  milliseconds p95_above{500};
  friend bool operator==(const Health&, const Health&) = default;
};

struct Metrics {
  std::uint64_t tables = 200;  // that have series of their own; what is beyond is summed up
  friend bool operator==(const Metrics&, const Metrics&) = default;
};

struct Log {
  std::string level = "info";
  std::string format = "auto";  // auto | text | json
  friend bool operator==(const Log&, const Log&) = default;
};

// What a parameter of a write looks like.
enum class Shape : std::uint8_t {
  template_,
  column,
  choice,
  choices,  // one of them or a list
  duration,
  number,
  flag,
  columns,
  expression,
  lifetime,
  explode,
  tables,
};

// How long a key lives. A class of "ttl_classes" is resolved when the file is loaded.
struct Lifetime {
  milliseconds constant{0};  // after its last write; 0: for ever
  std::string at;            // or until then: an expression; empty: none
  std::string unit;          // of `at`, where it gives numbers since the epoch: s, ms, us; empty: a timestamp
  milliseconds add{0};       // later than `at`
  unsigned jitter = 0;       // the constant is shortened by up to so many of a hundred
  bool on_change = false;    // a write that changes nothing leaves the life as it is
  friend bool operator==(const Lifetime&, const Lifetime&) = default;
};

// The elements of a JSON object or array, each an entry of its own.
struct Explode {
  std::string column;
  std::string field, value, where;  // expressions; where: only elements for which it is true; empty: all
  friend bool operator==(const Explode&, const Explode&) = default;
};

// One parameter of one write, checked against the description of its kind.
struct Parameter {
  Shape shape = Shape::template_;
  std::string text;                           // template, column, choice, expression
  milliseconds duration{0};                   // duration
  std::uint64_t number = 0;                   // number
  bool flag = false;                          // flag
  std::vector<std::string> include, exclude;  // columns; choices: include
  std::map<std::string, std::string> rename;  // columns: column -> field; tables: table -> column or query
  Lifetime lifetime;                          // lifetime
  Explode explode;                            // explode
  friend bool operator==(const Parameter&, const Parameter&) = default;
};

struct Write {
  std::string kind;
  std::map<std::string, Parameter> parameters;
  std::string where;  // "walrelay.yaml:12:9"
  friend bool operator==(const Write&, const Write&) = default;
};

// What a request may name to have only a part of the rows read again: ?partition=112&granularity=DAY.
struct ReindexParameter {
  std::string name;    // in the request
  std::string column;  // of the table
  std::optional<std::string> default_value;
  friend bool operator==(const ReindexParameter&, const ReindexParameter&) = default;
};

// What the replica identity of a mapping's tables must be.
struct Identity {
  enum class Form : std::uint8_t { any, primary_key, full, columns };
  Form form = Form::any;
  std::vector<std::string> columns;
  friend bool operator==(const Identity&, const Identity&) = default;
};

struct Mapping {
  std::string name;   // given, or made from the table; unique
  std::string table;  // one of the two
  std::string tables;
  std::vector<std::pair<std::string, std::string>> let;  // name, expression; in the order written
  Identity identity;
  bool allow_eviction = false;  // Redis may forget keys that rows share
  std::string on_poison;        // stop | dead_letter | skip; empty: as on_row_error says
  bool purge_gone = false;      // the keys of a table that is gone are removed
  std::vector<Write> writes;
  std::vector<ReindexParameter> reindex;
  std::string reindex_status_table;  // "schema.table", where jobs are noted for other programs; empty: none
  std::string where;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

struct Config {
  std::string file;  // where it came from, for messages; empty: none
  Source source;
  Target target;
  Flush flush;
  Ack ack;
  Load load;
  Scrub verify;
  Http http;
  Health health;
  Metrics metrics;
  Log log;
  std::string on_gap = "rebuild";              // rebuild | halt
  std::string on_row_error = "halt";           // halt | dead_letter
  std::size_t dead_letter_limit = 100000;      // 0: none
  std::string on_removed = "keep";             // keep | sweep
  std::map<std::string, std::string> origins;  // dotted key -> where its value came from; none: the default
  std::vector<Mapping> mappings;               // none: every table with a usable identity becomes a hash
  bool disabled = false;              // mappings were given, and every one is switched off: nothing is to be done
  std::vector<std::string> warnings;  // what was passed over, and what holds instead: for the log
};

}  // namespace walrelay::config
