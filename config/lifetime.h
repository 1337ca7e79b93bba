// How long a key lives: the shape `lifetime`.
//
//   5m      {for: 5m, jitter: 10, refresh: on_change}      {class: assets, ...}      {at: EXPR, unit: ms, add: 1m}
#pragma once

#include "config/config.h"
#include "config/reading.h"
#include "config/ttl_classes.h"

namespace walrelay::config {

// A class becomes its lifetime here: a Lifetime knows none.
Lifetime read_lifetime(const Node& node, const Reading& reading, const TtlClasses& classes);

}  // namespace walrelay::config
