// mappings: what is written for the rows of which table, checked against the kinds of write that the program knows.
#pragma once

#include <vector>

#include "config/config.h"
#include "config/document.h"
#include "config/expand.h"
#include "config/load.h"
#include "config/mistake.h"
#include "config/ttl_classes.h"

namespace walrelay::config {

// `node` is the value of the key "mappings". A mapping that is not enabled is checked and left out.
std::vector<Mapping> read_mappings(const Node& node, const Environment& environment, const std::vector<KindRule>& kinds,
                                   const TtlClasses& classes, Mistakes& mistakes);

}  // namespace walrelay::config
