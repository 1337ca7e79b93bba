// The ghost sweep: keys in Redis that a mapping owns and that no row of PostgreSQL supports any more are removed.
//
//   SCAN ─> keys that a write of the mapping could have made ─> the rows that could have made them (KeyReading)
//     ─> one chunk a table: which of these rows are there? ─> no row, and the stream has not touched it
//     ─> does Redis, when it shows the chunk's position, still have the key? ─> UNLINK
//
// Exact as a chunk is (chunk_reader.h): a key whose row came, or came back, after the chunk's snapshot was touched by
// the stream and stays. The UNLINK goes into the sink's batch, in order with what the stream says. A key that several
// tables could have made goes only when none of them has a row for it; one that no row could have made, because a value
// in it is no value of the column's type, is not ours and stays. Memory is bounded by a page of SCAN.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "event/task.h"
#include "replication/connection.h"
#include "sidecar/chunk_reader.h"
#include "sidecar/relations.h"
#include "sidecar/seen_keys.h"
#include "sinks/redis_connection.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct SweepScope {
  std::string mapping;                       // only keys of its writes
  std::set<replication::Oid> tables;         // and of these tables
  std::map<std::string, std::string> where;  // column -> value as PostgreSQL prints it: only keys that say so
  bool dry_run = false;                      // counts, and removes nothing
  double sample = 100;                       // looks at so many of a hundred pages
  const SeenKeys* seen = nullptr;            // sealed: keys that need no question
};

struct SweepCounts {
  std::uint64_t scanned = 0, removed = 0;
  std::uint64_t undecided = 0;        // keys that could be read in too many ways
  std::vector<std::string> examples;  // the first keys that were, or would be, removed
};

class Sweep {
 public:
  // Both connections are open, and nobody else's while run() is under way. `applied`: what Redis shows.
  Sweep(event::Loop& loop, Relations& relations, ChunkReader& reader, sinks::Sink& sink,
        replication::Connection& postgres, sinks::RedisConnection& redis, std::function<replication::Lsn()> applied,
        SweepScope scope);
  ~Sweep();
  Sweep(const Sweep&) = delete;
  Sweep& operator=(const Sweep&) = delete;

  // Throws PostgresError and RedisError; what has been removed until then is right.
  event::Task<> run();
  void stop() { stopped_ = true; }  // nothing is removed from here on; run() returns soon
  void on_writable() { writable_.set(); }

  [[nodiscard]] const SweepCounts& counts() const { return counts_; }
  // Writes whose keys do not say the scope's columns: nothing is swept of them.
  [[nodiscard]] bool can_sweep() const;

 private:
  struct Doubt;
  struct Question;
  struct Owner;
  class Answers;
  using Page = std::vector<Doubt>;

  void look_up_owners();
  [[nodiscard]] std::set<sinks::OwnedKeys::Members> consider(const std::string& key);
  event::Task<> add_members(std::string key, std::set<sinks::OwnedKeys::Members> listed);
  event::Task<> look_at(bool last);
  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> makers(const std::string& place) const;
  event::Task<> page(std::vector<std::string> places);
  [[nodiscard]] std::vector<std::vector<Question>> question(Page& page);
  event::Task<bool> ask(Owner& owner, Page& page, std::vector<Question> questions);
  event::Task<> learn_types(Owner& owner);
  [[nodiscard]] bool still_holds(const Owner& owner) const;
  event::Task<> confirm(Page& page);
  void take_in_newer();
  void decide(Page& page);
  [[nodiscard]] bool in_scope(const Owner& owner, std::size_t write) const;
  [[nodiscard]] sinks::Expectation nothing_at(const Doubt& doubt) const;
  void add(std::string place);
  [[nodiscard]] bool is_shared(const std::string& key) const;
  [[nodiscard]] std::set<std::string> globs() const;

  event::Loop& loop_;
  Relations& relations_;
  ChunkReader& reader_;
  sinks::Sink& sink_;
  replication::Connection& postgres_;
  sinks::RedisConnection& redis_;
  const std::function<replication::Lsn()> applied_;
  const SweepScope scope_;
  std::vector<std::unique_ptr<Owner>> owners_;
  std::vector<std::unique_ptr<Answers>> answers_;  // of the page under way
  std::vector<std::string> places_;                // of the page to come
  SweepCounts counts_;
  event::Event writable_;
  bool lists_members_ = false;  // a write in scope puts members into keys that rows share
  std::mt19937_64 chance_;      // which pages of a sample
  bool stopped_ = false;
};

}  // namespace walrelay::sidecar
