// Whom a command asks: behind one --url there may be several walrelays, the Pods of a headless Service or a list with
// commas. One streams; the others stand by and know nothing of tables, jobs and positions.
#pragma once

#include <cstdint>
#include <string>

#include "sidecar/remote.h"

namespace walrelay::sidecar {

enum class Role : std::uint8_t { unreachable, standby, starting, owner };

struct Respondent {
  std::string url;
  Role role = Role::unreachable;
};

// The one that owns the slot; where none does now, one that may be about to, then one that stands by.
Respondent find_respondent(const std::string& urls);

// For who gives orders: the one that owns the slot, waited for ten seconds while only others answer. A standby would
// take an order and keep it until it owns the slot, which may be never: throws StopError then.
Remote owner_behind(const Remote& remote);

}  // namespace walrelay::sidecar
