// `walrelay rebuild`, `verify` and `wait`: each asks the walrelay that runs, at its HTTP side; the first two do it
// themselves where none answers.
//
//   rebuild, verify ─> somebody answers? ─ yes ─> POST, then its status until it is over
//                                        └ no ──> carry_out() (programs.h)
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "config/config.h"
#include "sidecar/job.h"
#include "sidecar/policy.h"
#include "sidecar/remote.h"

namespace walrelay::sidecar {

struct JobChoices {
  std::optional<Remote> remote;  // nothing: never ask another
  bool must_ask = false;         // it is to be done there, and not here
  bool json = false;             // results as JSON
};

// For who gives orders: the one that owns the slot, waited for ten seconds while only others answer. A standby would
// take an order and keep it until it owns the slot, which may be never: throws StopError then.
Remote owner_behind(const Remote& remote);

// `job.mapping` empty: every mapping. Exit codes: 0, 1 failed, 2 bad request, 3 differences found.
ExitCode command_job(const config::Config& config, const Job& job, const JobChoices& choices);

// Until Redis holds the position, or, without one, everything that the server has now. Exit codes: 0, 75 not in time.
ExitCode command_wait(const Remote& remote, const std::string& lsn, std::chrono::milliseconds timeout);

}  // namespace walrelay::sidecar
