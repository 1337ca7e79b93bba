// One parameter of a write, by its shape.
#pragma once

#include "config/config.h"
#include "config/load.h"
#include "config/reading.h"
#include "config/ttl_classes.h"

namespace walrelay::config {

Parameter read_parameter(const Node& node, const ParameterRule& rule, const Reading& reading,
                         const TtlClasses& classes);

}  // namespace walrelay::config
