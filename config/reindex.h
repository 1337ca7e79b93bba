// A mapping's `reindex:`: which part of its rows a request may name, and by which words.
//
//   reindex: {partition: partition_num, granularity: {column: granularity, default: DAY}, status_table:
//   s.reindex_status}
#pragma once

#include "config/config.h"
#include "config/document.h"
#include "config/expand.h"
#include "config/mistake.h"

namespace walrelay::config {

void read_reindex(const Node& node, const Environment& environment, Mistakes& mistakes, Mapping& out);

}  // namespace walrelay::config
