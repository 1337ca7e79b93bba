// Which columns: a list of names, or what a write takes, leaves out and renames.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/reading.h"

namespace walrelay::config {

// A list of columns, each once.
std::vector<std::string> read_column_list(const Node& node, const Reading& reading);

// The shape `columns`. A list is short for {include: list}.
void read_columns(const Node& node, const Reading& reading, Parameter& out);

}  // namespace walrelay::config
