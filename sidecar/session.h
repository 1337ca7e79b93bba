// One connection to each side, from opening to the end: what the supervisor makes again after every failure.
//
//   connect Redis ─> connect PostgreSQL ─> tables, publication ─> slot (wait while it is active elsewhere)
//     ─> START_REPLICATION: the slot is ours ─> fence, checkpoint ─> decide (start_up.h) ─> load and stream ─> over
//
// Everything that a session knows dies with it; what must survive is in Redis and in the slot.
#pragma once

#include <exception>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "event/loop.h"
#include "event/task.h"
#include "replication/encoding.h"
#include "replication/slot.h"
#include "replication/stream.h"
#include "sidecar/catalogue.h"
#include "sidecar/chunk_reader.h"
#include "sidecar/dead_letters.h"
#include "sidecar/document_reader.h"
#include "sidecar/documents.h"
#include "sidecar/gone_tables.h"
#include "sidecar/job_runner.h"
#include "sidecar/loader.h"
#include "sidecar/overtaken.h"
#include "sidecar/pipeline.h"
#include "sidecar/progress.h"
#include "sidecar/redis_watch.h"
#include "sidecar/relations.h"
#include "sidecar/rereads.h"
#include "sidecar/scrub.h"
#include "sidecar/server_clock.h"
#include "sidecar/start_up.h"
#include "sidecar/status.h"
#include "sinks/redis_sink.h"

namespace walrelay::sidecar {

// What the end of the last session teaches.
struct SessionChoices {
  bool careful = false;                          // Redis refused a command: find the row
  bool text = false;                             // the stream was not to be had in binary
  std::vector<sinks::MappingSet*> retired = {};  // mappings that are no more: their keys go; they outlive the session
};

class Session : public sinks::SinkEvents {
 public:
  // `status` and `jobs` outlive the session.
  Session(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings, Status& status, JobBoard& jobs,
          SessionChoices choices);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  event::Task<> run();  // returns after stop(); throws what ended the session
  void stop();          // finish what is committed, within seconds
  [[nodiscard]] bool streaming() const { return stream_.has_value(); }
  void refresh();                                                               // brings the status up to date
  void wake_jobs();                                                             // the board has changed
  void replay(const std::string& letter, LetterReplay::Done done);              // see dead_letters.h
  [[nodiscard]] std::optional<std::vector<std::string>> mapping_names() const;  // nothing: tables are not known yet
  [[nodiscard]] bool holds(replication::Lsn position);                          // see Supervisor
  std::optional<std::uint64_t> ask_end();                                       // see Catalogue; nothing: too early
  [[nodiscard]] std::optional<replication::Lsn> end_since(std::uint64_t question) const;
  [[nodiscard]] std::vector<TableReport> tables() const;  // that a mapping wants, by name
  // Why these mappings would not do for the tables as they are known now, one reason a line; empty: nothing is wrong.
  [[nodiscard]] std::string mistakes_of(sinks::MappingSet& mappings);
  [[nodiscard]] bool has_begun() const { return begun_; }  // it has written, or is about to
  [[nodiscard]] bool retiring() const { return retiring_; }

  void on_applied(const replication::Position& position, std::int64_t commit_time_us) override;
  void on_recorded(const replication::Position& position) override;
  void on_writable() override;
  void on_failed(std::exception_ptr error) override;

 private:
  event::Task<> connect();
  void choose_format();
  event::Task<> take_slot();
  event::Task<> ensure_slot();
  event::Task<> wait_for_release();
  event::Task<bool> begin_stream();
  event::Task<event::milliseconds> choose_status_interval();
  event::Task<> look_at_server();
  event::Task<> take_redis();
  [[nodiscard]] sinks::Origin origin_of(const Decision& decision, const sinks::RedisSink::Found& found) const;
  void announce(const Decision& decision, bool first_start);
  void assemble(const Decision& decision, bool empty_database, event::milliseconds interval);
  void begin(const Decision& decision, const sinks::RedisSink::Found& found);
  void wire();
  void begin_loads(const Decision& decision, const sinks::RedisSink::Found& found, const std::set<std::string>& stale);
  void mark_unread(const replication::TableInfo& info);
  [[nodiscard]] bool has_other_owner(const replication::TableInfo& info) const;
  void remove_rows_of_namesakes(const replication::TableInfo& info);
  void restore_rereads(const std::map<std::string, std::string>& notes);
  void write_control(const std::vector<std::string_view>& command);
  void sweep_after_load();
  event::Task<> check_documents();
  void assemble_documents();
  void assemble_document_reader();
  event::Task<> take_up_documents();
  void forget_documents();
  void settle_documents();
  [[nodiscard]] bool is_only_source(const replication::TableInfo& info);
  void read_root_again(std::size_t document);
  void source_changed(const replication::TableInfo& info);
  void remember_source(const replication::TableInfo& info);
  // session_mappings.cc
  [[nodiscard]] std::set<std::string> stale_mappings(const sinks::RedisSink::Found& found);
  [[nodiscard]] bool is_stale(replication::Oid oid, const std::set<std::string>& stale);
  void backfill(const std::set<std::string>& stale);
  [[nodiscard]] static Job joining_rebuild(const std::string& mapping);
  void note_mappings(const sinks::RedisSink::Found& found);
  void forget_unmapped(const sinks::RedisSink::Found& found);
  void look_for_gone_tables();
  void purge_gone_tables();
  event::Task<> bind_retired();
  void retire();
  void see_whether_retired();
  void on_job_completed(const Job& job);
  void read_again(const replication::TableInfo& info);
  void see_whether_loaded();
  event::Task<> drain();
  [[nodiscard]] bool caught_up() const;  // everything that the stream has given us is in Redis
  [[nodiscard]] replication::Lsn applied() const;
  void fail(std::exception_ptr error);
  void tick();
  void refresh_times();
  [[nodiscard]] replication::ConnectionOptions connection_options(bool replication, const char* role) const;

  event::Loop& loop_;
  const config::Config& config_;
  sinks::MappingSet& mappings_;
  Status& status_;
  JobBoard& jobs_;
  const SessionChoices choices_;
  bool stopping_ = false, streaming_ = false, binary_ = false, slot_created_ = false, slot_was_lost_ = false;
  std::exception_ptr error_;
  event::Event over_;

  sinks::RedisConnection redis_;
  replication::Connection watcher_, replicator_;
  std::unique_ptr<replication::Encoding> encoding_;
  replication::TypeCatalog types_;
  Relations relations_;
  Overtaken overtaken_;
  Rereads rereads_;
  ServerClock clock_;
  Progress progress_;
  replication::SystemIdentity identity_;
  ServerView server_;
  sinks::Origin origin_;
  std::uint64_t wal_block_size_ = 0, wal_segment_size_ = 0;
  std::map<std::string, std::string> cursors_;
  std::map<std::string, replication::Oid> owners_;  // whose rows stand in Redis under the name of a table
  std::map<std::uint32_t, std::string> write_names_;
  std::vector<Relations::Bound> retired_, kept_;             // while keys of mappings that are no more are removed
  std::uint64_t noted_when_waited_ = 0, reread_ticket_ = 0;  // of rows read again that somebody waits for
  std::optional<std::uint64_t> retired_ticket_;
  bool retiring_ = false, begun_ = false;
  std::optional<Catalogue> catalogue_;
  std::optional<sinks::RedisSink> sink_;
  std::optional<Documents> documents_;
  std::optional<Pipeline> pipeline_;
  std::optional<ChunkReader> reader_;
  std::optional<Loader> loader_;
  std::optional<GoneTables> gone_tables_;
  std::optional<DocumentReader> document_reader_;
  std::optional<JobRunner> runner_;
  std::optional<Scrub> scrub_;
  std::optional<LetterReplay> letters_;
  std::optional<RedisWatch> redis_watch_;
  std::optional<replication::Stream> stream_;
  std::optional<event::Job> watching_;
  event::Timer ticker_;
  replication::Position applied_;
  std::int64_t oldest_unapplied_us_ = 0;
  std::uint64_t commands_before_ = 0, batches_when_read_ = 0, marks_when_read_ = 0;
  bool all_read_ = false;
  Progress::Clock::time_point last_progress_line_{}, last_nudge_{};
  int nudges_ = 0;
  Status base_;  // counters of earlier sessions
};

}  // namespace walrelay::sidecar
