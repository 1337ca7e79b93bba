// The configuration in force and what was made of it: replaced as a whole, between two sessions, and owned by the
// supervisor.
#pragma once

#include <utility>

#include "config/config.h"
#include "sidecar/wiring.h"
#include "sinks/checkpoint.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

struct InForce {
  // Throws sinks::MappingError.
  explicit InForce(config::Config from)
      : config(std::move(from)),
        mappings(mapping_specs(config), sinks::state_prefix(config.source.slot), row_policy(config)) {}
  config::Config config;
  sinks::MappingSet mappings;
};

}  // namespace walrelay::sidecar
