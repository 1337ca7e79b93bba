// What the program knows of itself at one moment: what /metrics, /readyz and the progress line are made of.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "replication/lsn.h"
#include "sidecar/failures.h"
#include "sidecar/loader.h"
#include "sidecar/pipeline.h"
#include "sidecar/relations.h"
#include "sinks/redis_sink.h"

namespace walrelay::sidecar {

enum class State : std::uint8_t { starting, connecting, standby, loading, streaming, waiting, stopping };
inline constexpr std::array<const char*, 7> kStateNames = {"starting",  "connecting", "standby", "loading",
                                                           "streaming", "waiting",    "stopping"};

// By replication::Purpose.
inline constexpr std::array<const char*, 5> kPurposeNames = {"catalogue", "chunk", "reread", "document", "sweep"};

// Cumulative histogram with fixed upper bounds.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), buckets_(bounds_.size()) {}
  void observe(double value) {
    ++count_;
    sum_ += value;
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
      if (value <= bounds_[i]) ++buckets_[i];
    }
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] double sum() const { return sum_; }
  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  [[nodiscard]] const std::vector<std::uint64_t>& buckets() const { return buckets_; }

  static Histogram of_seconds() {
    return Histogram({0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300});
  }
  static Histogram of_counts() { return Histogram({1, 10, 100, 1000, 10000, 100000, 1000000}); }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

// What is known of a table that a mapping wants.
struct TableReport {
  std::string name;                   // "public.users"
  std::vector<std::string> mappings;  // by name
  bool loading = false;               // not every row stands in Redis yet
  ChangeCounts changes;               // since the process began
};

// What Redis says of itself (INFO), a few times a minute.
struct RedisFigures {
  bool known = false;                                            // else it has not said, or may not (NOPERM)
  std::uint64_t memory_used = 0, memory_max = 0;                 // bytes; max 0: no limit
  std::uint64_t hits = 0, misses = 0, evicted = 0, expired = 0;  // of the whole server, since it began
  std::uint64_t clients = 0, clients_max = 0;
};

// Connections of the whole PostgreSQL server.
struct PostgresFigures {
  bool known = false;
  std::uint64_t connections = 0, connections_max = 0;
};

struct Status {
  std::string slot;
  State state = State::starting;
  bool postgres_connected = false, redis_connected = false, owner = false;
  std::string postgres_peer, redis_peer;        // where they were reached last: "db.example:5432/app"; empty: never
  std::string postgres_version, redis_version;  // of the servers there

  // Positions. Lag is on the server's clock: 0 when everything received is applied, growing while something is stuck.
  replication::Lsn received = replication::Lsn::invalid, applied = replication::Lsn::invalid,
                   recorded = replication::Lsn::invalid, confirmed = replication::Lsn::invalid,
                   server_end = replication::Lsn::invalid;
  double lag_seconds = 0;
  std::int64_t lag_bytes = 0;
  double last_applied_commit_seconds = 0;  // Unix time, the server's
  double last_message_seconds = 0;         // Unix time, ours

  // The slot as the server sees it.
  std::int64_t retained_wal_bytes = 0;
  std::int64_t safe_wal_bytes = -1;  // -1: no limit
  bool slot_active = false;
  std::string wal_status;
  std::int64_t slot_seen_us = 0;  // when this was so, our clock; 0: never

  RedisFigures redis;
  PostgresFigures postgres;

  // Counters since the process began.
  std::map<std::string, ChangeCounts> changes;  // by table
  PipelineCounters pipeline;
  DocumentCounters documents;
  sinks::SinkCounters sink;
  LoadProgress load;
  std::string loading_table;
  std::map<std::string, std::uint64_t> jobs_completed;  // by kind
  std::map<std::string, std::uint64_t> differences;     // that were found, by kind
  std::uint64_t verified_rows = 0, mended = 0, removed_keys = 0;
  double last_verified_seconds = 0;                   // Unix time
  std::map<std::string, std::uint64_t> jobs_running;  // by kind
  std::map<std::string, std::uint64_t> jobs_failed;   // by kind
  std::map<std::string, std::uint64_t> drift;         // by mapping: what its last comparison found and did not mend
  double last_load_seconds = 0;                       // Unix time: all tables, or one mapping by a rebuild, were read
  std::uint64_t load_failures = 0;                    // attempts to read a part of a table
  std::uint64_t postgres_connects = 0, redis_connects = 0;
  double backpressure_seconds = 0;
  std::size_t buffer_limit = 0;  // flush.max_bytes
  std::uint64_t received_bytes = 0, wakeups = 0;
  std::size_t buffered_bytes = 0, pending_rereads = 0, dirty_documents = 0;
  std::map<std::string, std::uint64_t> redis_errors;      // by code
  std::map<std::string, std::uint64_t> session_failures;  // by reason
  std::map<std::string, std::uint64_t> gaps;              // by name
  std::uint64_t sessions = 0;
  std::map<std::string, std::uint64_t> reloads;  // of the configuration, by result
  bool last_reload_successful = true;            // the start counts as one
  double last_reload_seconds = 0;                // Unix time of the last successful one
  std::string last_error;
  Failures failures;  // the latest
  double loop_idle_seconds = 0;
  Histogram end_to_end = Histogram::of_seconds(), apply = Histogram::of_seconds(),
            batch_duration = Histogram::of_seconds();
  Histogram batch_commands = Histogram::of_counts();
  // By replication::Purpose: how long PostgreSQL took to answer.
  std::vector<Histogram> queries = std::vector<Histogram>(kPurposeNames.size(), Histogram::of_seconds());
};

}  // namespace walrelay::sidecar
