// `walrelay status`: what the one that runs says of itself, once or again and again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "sidecar/policy.h"
#include "sidecar/remote.h"

namespace walrelay::sidecar {

struct StatusChoices {
  std::string output = "text";                     // text, json, yaml
  std::optional<std::chrono::milliseconds> watch;  // again after so long, until the user ends it
};

// Exit codes: 0; 1 when nobody answers. Watching, that is shown, and asked again.
ExitCode command_status(const Remote& remote, const StatusChoices& choices);

}  // namespace walrelay::sidecar
