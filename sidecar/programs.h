// What the subcommands run: each makes its own loop and returns when it is over.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/config.h"
#include "sidecar/check.h"
#include "sidecar/in_force.h"
#include "sidecar/job.h"
#include "sidecar/policy.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

// `walrelay run`: until SIGTERM or SIGINT (a second one ends the process at once) or a failure that no retry mends.
// `read` gives the configuration as it is now, for SIGHUP (reload.h).
ExitCode serve(std::unique_ptr<InForce> in_force, std::function<config::Config()> read);

// `walrelay run --dry-run` and `walrelay explain --changes`: a temporary slot, the existing publication, commands on
// stdout.
struct DryRunChoices {
  std::uint64_t changes = 0;  // ends after so many, and prints no rows that exist already; 0: all, for ever
  bool json = false;
};
ExitCode dry_run(const config::Config& config, sinks::MappingSet& mappings, DryRunChoices choices = {});

// `walrelay rebuild` and `verify` where no other walrelay does it: a session of our own takes the slot, streams,
// carries the jobs out and ends. `report` is called with each job while it runs and when it is over.
ExitCode carry_out(const config::Config& config, std::vector<Job> jobs, std::function<void(const Job&)> report);

CheckReport check_now(const config::Config& config, sinks::MappingSet& mappings);

}  // namespace walrelay::sidecar
