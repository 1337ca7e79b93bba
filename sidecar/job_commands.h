// `walrelay rebuild`, `verify`, `status` and `wait`: each asks the walrelay that runs, at its HTTP side; the first two
// do it themselves where none answers.
//
//   rebuild, verify ─> somebody answers? ─ yes ─> POST, then its status until it is over
//                                        └ no ──> carry_out() (programs.h)
#pragma once

#include <chrono>
#include <map>
#include <string>

#include "config/config.h"
#include "sidecar/http_response.h"
#include "sidecar/job.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

struct Asking {
  std::string url;     // of the other walrelay; empty: from http.listen
  bool json = false;   // results as JSON
  bool alone = false;  // never ask another
};

// What another walrelay says is wrong, or its answer as it is.
std::string error_in(const HttpResult& result);

// `job.mapping` empty: every mapping. Exit codes: 0, 1 failed, 2 bad request, 3 differences found.
ExitCode command_job(const config::Config& config, const Job& job, const Asking& asking);

ExitCode command_status(const config::Config& config, const Asking& asking);

// Until Redis holds the position, or, without one, everything. Exit codes: 0, 75 not in time.
ExitCode command_wait(const config::Config& config, const std::string& lsn, std::chrono::milliseconds timeout,
                      const Asking& asking);

}  // namespace walrelay::sidecar
