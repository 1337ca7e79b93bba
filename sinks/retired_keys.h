// What a mapping that is no more has left in Redis, without what the mappings that there are could have made. Pure.
#pragma once

#include <vector>

#include "sinks/mapping.h"

namespace walrelay::sinks {

// For Sink::remove_owned(). Both, and everything that `kept` points to, outlive the result.
std::vector<OwnedKeys> keys_left(const RelationWriter& old, const std::vector<const RelationWriter*>& kept);

}  // namespace walrelay::sinks
