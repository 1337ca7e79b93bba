// Whom a command asks: behind one --url there may be several walrelays, the Pods of a headless Service or a list with
// commas. One streams; the others stand by and know nothing of tables, jobs and positions.
#pragma once

#include <cstdint>
#include <string>

namespace walrelay::sidecar {

enum class Role : std::uint8_t { unreachable, standby, starting, owner };

struct Respondent {
  std::string url;
  Role role = Role::unreachable;
};

// The one that owns the slot; where none does now, one that may be about to, then one that stands by.
Respondent find_respondent(const std::string& urls);

}  // namespace walrelay::sidecar
