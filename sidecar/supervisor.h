// The life of the process: sessions one after another, each failure judged (policy.h), until it is told to stop.
//
//   session ─> failure ─> retry (back-off with jitter) ─> session ...
//                     └─> stop: one sentence, an exit code
#pragma once

#include <memory>
#include <optional>

#include "config/config.h"
#include "event/loop.h"
#include "event/task.h"
#include "sidecar/backoff.h"
#include "sidecar/policy.h"
#include "sidecar/session.h"
#include "sidecar/status.h"

namespace walrelay::sidecar {

class Supervisor {
 public:
  Supervisor(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings, std::uint64_t seed);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start();  // the loop stops when everything is over
  void stop();   // finishes what is committed, then stops the loop
  [[nodiscard]] ExitCode exit_code() const { return exit_code_; }
  [[nodiscard]] const Status& status();  // as of now

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
  void over(std::exception_ptr error);

  event::Loop& loop_;
  const config::Config& config_;
  sinks::MappingSet& mappings_;
  Status status_;
  JobBoard jobs_;
  Backoff backoff_;
  ExitCode exit_code_ = ExitCode::ok;
  bool stopping_ = false, careful_ = false, text_ = false;
  int protocol_failures_ = 0;
  std::string last_sentence_;
  event::Event stop_requested_;
  std::unique_ptr<Session> session_;
  std::optional<event::Job> job_;
};

}  // namespace walrelay::sidecar
