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
  // Of every mapping; without any in the configuration those that the tables made. Nothing: not known yet.
  [[nodiscard]] std::optional<std::vector<std::string>> mapping_names() const;

  // Whether Redis holds everything up to the position; without one, everything that the server has. Asks the server to
  // say where it is, so that an idle one gets there.
  [[nodiscard]] bool holds(std::optional<replication::Lsn> position);

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
  JobBoard jobs_;
  Backoff backoff_;
  ExitCode exit_code_ = ExitCode::ok;
  bool stopping_ = false, careful_ = false, text_ = false;
  int protocol_failures_ = 0;
  std::string last_sentence_;
  event::Event session_ended_;
  std::exception_ptr failure_;  // of the session
  std::unique_ptr<Session> session_;
  std::optional<event::Job> session_job_;
  std::optional<event::Job> job_;
};

}  // namespace walrelay::sidecar
