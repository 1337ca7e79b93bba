// For commands that only show what would be written (explain, run --dry-run): does Redis keep JSON documents?
#pragma once

#include "config/config.h"
#include "event/loop.h"
#include "event/task.h"
#include "sinks/mapping.h"

namespace walrelay::sidecar {

// Asks it where a mapping has the kind json, by a connection of its own, and tells the mappings: before anything is
// bound. Where it cannot be asked a warning says so, and the kind is shown as strings.
event::Task<> learn_json_documents(event::Loop& loop, const config::Target& target, sinks::MappingSet& mappings);

}  // namespace walrelay::sidecar
