// JSON as YAML: for people who prefer to read that, and for their tools.
#pragma once

#include <string>

#include "sidecar/json_look.h"

namespace walrelay::sidecar {

std::string yaml_of(JsonElement json);  // with a line end

}  // namespace walrelay::sidecar
