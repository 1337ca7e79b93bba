// The parts that the table of keys is put together from; for keys.cc only.
#pragma once

#include <vector>

#include "config/keys.h"

// The field of a key. A macro, because C++ has no pointer to a member of a member.
#define AT(path) [](Config& c) -> auto& { return c.path; }

namespace walrelay::config {

std::vector<Key> source_keys();
std::vector<Key> target_keys();

}  // namespace walrelay::config
