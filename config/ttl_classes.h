// ttl_classes: lifetimes by name, which an environment variable may change without a change of the file.
//
//   ttl_classes: {env: CACHE_TTLS_JSON, unit: ms, defaults: {assets: 300000, policies: 10m}}
//
//   defaults  <  the JSON object that the variable holds
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/document.h"
#include "config/expand.h"
#include "config/mistake.h"

namespace walrelay::config {

struct TtlClasses {
  std::map<std::string, milliseconds> lifetimes;
  bool incomplete = false;  // a mistake kept some from being read: which classes there are is not known
  std::string passed_over;  // why the variable was; empty: it was not
};

// `node` is the value of the key "ttl_classes". What is wrong with the variable's value is a warning, since programs
// that share it go on, too; what is wrong with the file is a mistake.
TtlClasses read_ttl_classes(const Node& node, const Environment& environment, Mistakes& mistakes,
                            std::vector<std::string>& warnings);

}  // namespace walrelay::config
