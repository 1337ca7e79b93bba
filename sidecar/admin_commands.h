// `walrelay log-level` and `walrelay reload`: orders to the one that runs.
#pragma once

#include <string>

#include "sidecar/policy.h"
#include "sidecar/remote.h"

namespace walrelay::sidecar {

// Of this process alone, so its address is printed, too. "": only says what it is.
ExitCode command_log_level(const Remote& remote, const std::string& level);
// Prints what changed for the owner of the slot. The others behind the same address are told first: the owner
// lets the slot go for a moment, and whoever takes it then must not bring the old configuration back. Throws StopError:
// one of them keeps its configuration (exit code 78: the new one has mistakes), and those after it have not been asked.
ExitCode command_reload(const Remote& remote, bool json);

}  // namespace walrelay::sidecar
