// What a mapping says beside its tables and writes: whether there is one, the names of its expressions, the identity
// that it counts on, and what becomes of a row that cannot be written.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/reading.h"

namespace walrelay::config {

bool read_enabled(const Node& node, const Reading& reading);  // true after a mistake
std::vector<std::pair<std::string, std::string>> read_let(const Node& node, const Reading& reading);
Identity read_identity(const Node& node, const Reading& reading);
std::string read_on_poison(const Node& node, const Reading& reading);
bool read_on_table_gone(const Node& node, const Reading& reading);  // true: purge

}  // namespace walrelay::config
