// `walrelay check`: connects to both sides and says, for each fault, the sentence and the SQL that mends it.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "event/loop.h"
#include "event/task.h"
#include "sidecar/memory_estimate.h"
#include "sidecar/policy.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

struct Finding {
  enum class Kind { good, warning, fault };
  Kind kind = Kind::good;
  std::string subject;  // "PostgreSQL", "table public.users", "Redis"
  std::string sentence;
  std::string sql;  // what mends it; may be empty
};

struct CheckReport {
  std::vector<Finding> findings;
  std::vector<MappingMemory> memory;  // of each mapping whose tables could be looked at
  ExitCode code = ExitCode::ok;       // of the first fault
};

event::Task<CheckReport> check(event::Loop& loop, const config::Config& config, sinks::MappingSet& mappings);

std::string to_text(const CheckReport& report, bool colours);
std::string to_json(const CheckReport& report);

}  // namespace walrelay::sidecar
