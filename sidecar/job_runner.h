// Carries out the jobs of the board while a session lives, one after another.
//
//   waiting ─> every table of the job, one by one: read again in place (Loader) ─> sweep (Sweep) ─> completed
//              or the rows that a partition request names
//   verify:  every table compared (Verify), ghosts looked for (Sweep), and mended where that was asked for
//
// A failure that passes (a lost connection) is tried again, for as long as it takes; one that a person must mend fails
// the job. Neither ends the session: the stream goes on.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "event/loop.h"
#include "event/task.h"
#include "replication/connection.h"
#include "sidecar/backoff.h"
#include "sidecar/catalogue.h"
#include "sidecar/documents.h"
#include "sidecar/job.h"
#include "sidecar/loader.h"
#include "sidecar/policy.h"
#include "sidecar/sweep.h"
#include "sidecar/verify.h"
#include "sinks/redis_connection.h"

namespace walrelay::sidecar {

struct JobRunnerOptions {
  replication::ConnectionOptions postgres;
  sinks::RedisOptions redis;
  std::string jobs_key;
  std::function<replication::Lsn()> applied;         // what Redis shows
  std::uint64_t verify_pages = 128;                  // that are compared at a time
  bool binary = true;                                // COPY may use its binary format
  std::map<std::string, std::string> status_tables;  // mapping -> reindex.status_table
};

// The parts of the session; they outlive the runner.
struct JobTools {
  Relations& relations;
  Catalogue& catalogue;
  Pipeline& pipeline;
  Rereads& rereads;
  Loader& loader;
  ChunkReader& reader;
  Documents& documents;
  sinks::Sink& sink;
};

class JobRunner {
 public:
  JobRunner(event::Loop& loop, JobRunnerOptions options, JobBoard& board, JobTools tools);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  void start();
  void wake();  // the board has changed
  void on_table_loaded(const std::string& table, std::uint64_t rows);
  // A table that a job reads must not be read any more: the job fails, and the loader gives the table up.
  bool on_refused(replication::Oid table, const std::string& sentence);
  void on_writable();

  // The table must be read from its beginning: remember that in Redis, then give it to the loader.
  std::function<void(const replication::TableInfo&)> on_read_again;
  std::function<void(std::exception_ptr)> on_failed;  // a mistake of the program
  std::function<void(const Job&)> on_completed;       // a job has done its work

 private:
  using Tables = std::vector<replication::TableInfo>;
  event::Task<> work();
  event::Task<> attempt(std::string slice);
  event::Task<> carry_out(std::string slice);
  event::Task<> note_in_table(std::string slice);
  event::Task<> rebuild(std::string slice, Tables tables);
  event::Task<> verify(std::string slice, Tables tables);
  event::Task<> verify_table(std::string slice, replication::TableInfo info);
  void note_difference(const std::string& slice, replication::Oid oid, const Verify::Found& found);
  event::Task<std::string> condition(std::string slice, replication::TableInfo info);
  event::Task<> read(std::string slice, Tables tables);
  event::Task<> settle_documents(std::string slice, Tables tables);
  event::Task<> read_table(std::string slice, replication::TableInfo info);
  event::Task<> read_slice(std::string slice, replication::TableInfo info);
  event::Task<> require_readable(replication::TableInfo info);
  event::Task<std::string> canonical(replication::TableInfo info, std::string column, std::string value);
  event::Task<> sweep(std::string slice, Tables tables);
  [[nodiscard]] Tables tables_of(const Job& job) const;
  // Null: cancelled; what may run under the slice now is another job, and its turn comes.
  [[nodiscard]] Job* running(const std::string& slice);
  void enter(Job& job, JobPhase phase);
  void record();  // what has changed, into Redis
  void look_at_records();
  void tick();

  event::Loop& loop_;
  JobRunnerOptions options_;
  JobBoard& board_;
  Relations& relations_;
  Catalogue& catalogue_;
  Pipeline& pipeline_;
  Rereads& rereads_;
  Loader& loader_;
  ChunkReader& reader_;
  Documents& documents_;
  sinks::Sink& sink_;
  event::Event work_;
  event::Timer ticker_, record_timer_;
  Backoff backoff_;
  std::uint64_t ticks_ = 0;
  std::map<std::string, std::uint64_t> unrecorded_;  // slice -> the sink's ticket of its first record
  std::string current_;                              // the slice under way
  std::uint64_t number_ = 0;                         // of its job
  std::uint64_t before_ = 0;                         // rows of it that earlier tables, or an earlier process, have read
  replication::Oid reading_ = 0;                     // the table that is being read
  bool ours_ = false;                                // for the job alone: it stands in Redis already
  std::string refused_;                              // why it cannot be read any more
  std::unique_ptr<replication::Connection> postgres_;
  std::unique_ptr<sinks::RedisConnection> redis_;
  SeenKeys seen_;  // by the job under way
  std::unique_ptr<Sweep> sweep_;
  std::unique_ptr<Verify> verify_;
  std::unique_ptr<event::Job> job_;  // after what it uses
};

}  // namespace walrelay::sidecar
