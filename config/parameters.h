// One parameter of a write, by its shape.
#pragma once

#include <string>

#include "config/config.h"
#include "config/document.h"
#include "config/expand.h"
#include "config/load.h"
#include "config/mistake.h"

namespace walrelay::config {

// Where a mistake is made, `name` says whose value it was, as in "hash.ttl".
Parameter read_parameter(const Node& node, const std::string& name, const ParameterRule& rule,
                         const Environment& environment, Mistakes& mistakes);

}  // namespace walrelay::config
