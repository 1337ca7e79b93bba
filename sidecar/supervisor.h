// The life of the process: sessions one after another, each failure judged (policy.h), until it is told to stop.
//
//   session ─> failure ─> retry (back-off with jitter) ─> session ...
//      │              └─> stop: one sentence, an exit code
//      └─ replace() ─> the session ends in order ─> the next one with the new configuration
//                                                     └─> it cannot even begin: the old one is in force again
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "config/config.h"
#include "event/loop.h"
#include "event/task.h"
#include "sidecar/backoff.h"
#include "sidecar/in_force.h"
#include "sidecar/policy.h"
#include "sidecar/session.h"
#include "sidecar/status.h"

namespace walrelay::sidecar {

class Supervisor {
 public:
  Supervisor(event::Loop& loop, std::unique_ptr<InForce> in_force, std::uint64_t seed);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start();  // the loop stops when everything is over
  void stop();   // finishes what is committed, then stops the loop
  [[nodiscard]] ExitCode exit_code() const { return exit_code_; }
  [[nodiscard]] const Status& status();  // as of now
  // The slot as somebody else has seen it, while no session looks at it.
  void note_slot(const replication::SlotState& slot, replication::Lsn end_of_wal);
  void note_failure(const std::string& reason, const std::string& sentence);
  // Those that a mapping wants, as far as they are known now.
  [[nodiscard]] std::vector<TableReport> tables() const;

  // In force now. A reference is good until the next turn of the loop.
  [[nodiscard]] const InForce& in_force() const { return *in_force_; }
  // What is in force after a replace() that has not been carried out yet.
  [[nodiscard]] const InForce& latest() const { return next_ != nullptr ? *next_ : *in_force_; }
  // Mistakes that show against the tables, where they are known; one a line.
  [[nodiscard]] std::string mistakes_of(InForce& next) { return session_ ? session_->mistakes_of(next.mappings) : ""; }
  // The session ends in order, and the next one begins with this.
  void replace(std::unique_ptr<InForce> next);
  // What no session has to begin anew for.
  void replace_log_and_token(const config::Config& next);
  void count_reload(bool successful);

  // What was asked to be read again; outlives every session. After a change of the board: wake_jobs().
  [[nodiscard]] JobBoard& jobs() { return jobs_; }
  void wake_jobs();
  void replay(const std::string& letter, LetterReplay::Done done);
  // Of every mapping; without any in the configuration those that the tables made. Nothing: not known yet.
  [[nodiscard]] std::optional<std::vector<std::string>> mapping_names() const;

  // Whether Redis holds everything up to the position. Asks the server to say where it is, so that an idle one gets
  // there.
  [[nodiscard]] bool holds(replication::Lsn position);
  // Whether Redis holds everything that the server had when this was first asked. What was last heard of the server
  // will not do: a commit of a moment ago may not be among it. So the server is asked where its log ends.
  struct Everything {
    std::uint64_t session = 0, question = 0;
    std::optional<replication::Lsn> position;
  };
  [[nodiscard]] bool holds(Everything& everything);

 private:
  event::Task<> run();
  event::Task<> run_session();
  void take_up_next();
  void session_over();
  bool go_back(const Verdict& verdict);
  void count_failure();
  [[nodiscard]] event::milliseconds pause_after(const Verdict& verdict, bool healthy);
  void say(const Verdict& verdict, event::milliseconds pause);
  void over(std::exception_ptr error);

  event::Loop& loop_;
  std::unique_ptr<InForce> in_force_, next_;
  std::unique_ptr<InForce> proven_;  // what was in force before, while no session has begun with what is now
  // Mappings that are no more, whose keys are still to be removed; and those that count once a session has begun.
  std::vector<std::unique_ptr<sinks::MappingSet>> retired_;
  std::unique_ptr<sinks::MappingSet> retiring_;
  Status status_;
  std::vector<TableReport> known_tables_;  // as the last session left them
  std::int64_t behind_since_us_ = 0;       // while nobody streams: when the server went on without us; 0: it has not
  JobBoard jobs_;
  Backoff backoff_;
  ExitCode exit_code_ = ExitCode::ok;
  bool stopping_ = false, careful_ = false, text_ = false;
  int protocol_failures_ = 0;
  std::uint64_t sessions_made_ = 0;
  std::string last_sentence_;
  event::Event session_ended_;
  std::exception_ptr failure_;  // of the session
  std::unique_ptr<Session> session_;
  std::optional<event::Job> session_job_;
  std::optional<event::Job> job_;
};

}  // namespace walrelay::sidecar
