// `walrelay log-level` and `walrelay reload`: orders to the one that runs.
#pragma once

#include <string>

#include "sidecar/policy.h"
#include "sidecar/remote.h"

namespace walrelay::sidecar {

ExitCode command_log_level(const Remote& remote, const std::string& level);  // "": only says what it is
// Exit code 78: the new configuration has mistakes, and the old one stays in force.
ExitCode command_reload(const Remote& remote, bool json);

}  // namespace walrelay::sidecar
