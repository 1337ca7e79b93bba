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

 private:
  event::Task<> run();
  event::Task<> run_session();
  void over(std::exception_ptr error);

  event::Loop& loop_;
  const config::Config& config_;
  sinks::MappingSet& mappings_;
  Status status_;
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
