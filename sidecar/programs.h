// What the subcommands run: each makes its own loop and returns when it is over.
#pragma once

#include <functional>
#include <vector>

#include "config/config.h"
#include "sidecar/check.h"
#include "sidecar/job.h"
#include "sidecar/policy.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

// `walrelay run`: until SIGTERM or SIGINT (a second one ends the process at once) or a failure that no retry mends.
ExitCode serve(const config::Config& config, sinks::MappingSet& mappings);

// `walrelay run --dry-run`: a temporary slot, the existing publication, commands on stdout.
ExitCode dry_run(const config::Config& config, sinks::MappingSet& mappings);

// `walrelay rebuild` and `verify` where no other walrelay does it: a session of our own takes the slot, streams,
// carries the jobs out and ends. `report` is called with each job while it runs and when it is over.
ExitCode carry_out(const config::Config& config, sinks::MappingSet& mappings, std::vector<Job> jobs,
                   std::function<void(const Job&)> report);

CheckReport check_now(const config::Config& config, sinks::MappingSet& mappings);

}  // namespace walrelay::sidecar
