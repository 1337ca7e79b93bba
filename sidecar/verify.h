// Compares rows with what stands in Redis, while the stream goes on.
//
//   chunk ─> what each row says must stand there, as the bytes of Redis' reply ─> ask, compare bytes
//                                                     equal: nearly always      └ otherwise: suspect
//   suspects ─> a chunk by key ─> ask again, parse, judge ─> missing, stale, wrong type ... | it was moving
//
// Exact as a chunk is: Redis is asked once it shows the chunk's position, and a row that the stream has touched by a
// transaction that the chunk's snapshot does not see says nothing: it is moving. Ghosts are the sweep's (sweep.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "event/task.h"
#include "replication/connection.h"
#include "sidecar/chunk_reader.h"
#include "sidecar/documents.h"
#include "sidecar/load_plan.h"
#include "sidecar/relations.h"
#include "sidecar/rereads.h"
#include "sidecar/seen_keys.h"
#include "sinks/expectation.h"
#include "sinks/redis_connection.h"
#include "sinks/sink.h"

namespace walrelay::sidecar {

struct VerifyScope {
  std::string mapping;  // only its writes
  replication::TableInfo table;
  std::string where;                // SQL condition; empty: all rows, in ranges of pages
  double sample = 100;              // so many of a hundred ranges
  std::uint64_t rows_a_second = 0;  // at most; 0: as fast as it goes
  std::uint64_t pages = 128;        // of a range
  bool binary = true;
  SeenKeys* seen = nullptr;  // where the keys of rows are noted
};

class Verify {
 public:
  struct Found {
    sinks::Difference difference;
    std::string key;  // of Redis
    std::string identity;
    RowKey row;
    std::optional<std::size_t> document;  // whose identity it is; nothing: a row's
  };

  // Both connections are open, and nobody else's while run() is under way.
  Verify(event::Loop& loop, Relations& relations, ChunkReader& reader, Rereads& rereads, Documents& documents,
         sinks::Sink& sink, replication::Connection& postgres, sinks::RedisConnection& redis, VerifyScope scope);
  ~Verify();
  Verify(const Verify&) = delete;
  Verify& operator=(const Verify&) = delete;

  event::Task<> run();  // throws PostgresError, RedisError
  void stop() { stopped_ = true; }

  std::function<void(Found)> on_difference;
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t moving() const { return moving_; }   // rows that changed while they were looked at
  [[nodiscard]] bool interrupted() const { return interrupted_; }  // the table was altered or dropped: not all was seen

 private:
  class Chunk;
  enum class How : std::uint8_t { by_bytes, closely };
  event::Task<> compare_ranges();
  event::Task<> compare_subjects(replication::ChunkRequest request);
  event::Task<> compare(replication::ChunkRequest request, How how);
  event::Task<> judge_suspects();
  event::Task<> hold_still();
  event::Task<> keep_rate();
  [[nodiscard]] bool wanted();
  [[nodiscard]] bool bind();  // to the table as the stream speaks of it now; false: it does not hold still
  [[nodiscard]] bool still_holds() const;
  [[nodiscard]] replication::ChunkRequest whole_table(std::string where) const;

  // Of the subject: rows, or a document of the table (verify_subject.cc).
  void choose_subjects();
  [[nodiscard]] const replication::Relation& subject_relation() const;
  void ask_for_documents(replication::ChunkRequest& request);
  [[nodiscard]] std::string identity_of(replication::Row row) const;
  [[nodiscard]] RowKey row_named(const std::string& identity) const;
  [[nodiscard]] bool is_moving(const std::string& identity) const;
  void expect(replication::Row row, std::vector<sinks::Expectation>& out);
  void count_row();

  event::Loop& loop_;
  Relations& relations_;
  ChunkReader& reader_;
  Rereads& rereads_;
  Documents& documents_;
  sinks::Sink& sink_;
  replication::Connection& postgres_;
  sinks::RedisConnection& redis_;
  const VerifyScope scope_;
  std::uint64_t version_ = 0;
  replication::Relation relation_;
  std::unique_ptr<sinks::RelationWriter> writer_;
  std::vector<bool> chosen_;        // which of its writes
  std::set<std::string> suspects_;  // identities
  std::vector<std::optional<std::size_t>> subjects_;
  std::optional<std::size_t> document_;  // the subject under way; nothing: rows
  replication::Relation document_relation_;
  std::uint64_t rows_ = 0, moving_ = 0;
  std::mt19937_64 chance_;  // which ranges of a sample
  std::chrono::steady_clock::time_point began_;
  bool stopped_ = false, interrupted_ = false;
};

}  // namespace walrelay::sidecar
