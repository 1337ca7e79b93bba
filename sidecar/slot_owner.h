// Whom a command asks: behind one --url there may be several walrelays, the Pods of a headless Service or a list with
// commas. One streams; the others stand by and know nothing of tables, jobs and positions.
#pragma once

#include <cstdint>
#include <vector>

#include "sidecar/remote.h"

namespace walrelay::sidecar {

enum class Role : std::uint8_t { unreachable, standby, starting, owner };

struct Respondent {
  Remote remote;
  Role role = Role::unreachable;
};

// The one that owns the slot; where none does now, one that may be about to, then one that stands by.
Respondent find_respondent(const Remote& remote);

// All others that answer, and may own the slot one day.
std::vector<Remote> find_others(const Remote& remote, const Remote& owner);

// The one that takes orders. A standby would keep a job until it owns the slot, which may be never, and what it does
// with a configuration is seen by nobody: throws StopError when only such ones have answered for ten seconds, in which
// another one could have taken over.
Remote owner_for_orders(const Remote& remote);

}  // namespace walrelay::sidecar
