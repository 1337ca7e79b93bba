// What a mapping writes, in a few letters, to be kept in Redis: a mapping whose fingerprint is another one than last
// time has changed, and what stands in Redis is not what it says. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sinks/mapping.h"

namespace walrelay::sinks {

// Of the table, lets, identity and writes. Neither the name nor the place in the file is part of it.
std::string fingerprint(const MappingSpec& spec);

// Name -> fingerprint. The default, of which each table is a mapping of its own, has one entry with an empty name.
std::map<std::string, std::string> fingerprints(const MappingSet& mappings);

// The mappings of `before` that `now` has no more, or not so. Empty for none; the default counts as one (an empty list
// of specs stands for it, as in MappingSet), so whether there are any is said apart.
struct Retired {
  bool any = false;
  std::vector<MappingSpec> specs;
};
Retired retired(const MappingSet& before, const MappingSet& now);

}  // namespace walrelay::sinks
