// The kinds of write that there are. A new kind is a file kind_<name>.cc and its line in the list.
#include <string_view>

#include "sinks/mapping.h"
#include "sinks/write.h"

#define WALRELAY_KINDS(KIND) \
  KIND(hash)                 \
  KIND(string)               \
  KIND(json)                 \
  KIND(hash_field)           \
  KIND(set)                  \
  KIND(zset)                 \
  KIND(bitmap)               \
  KIND(roaring)              \
  KIND(document)

namespace walrelay::sinks {

#define WALRELAY_DECLARE(name) Kind name##_kind();
WALRELAY_KINDS(WALRELAY_DECLARE)
#undef WALRELAY_DECLARE

namespace {

const std::vector<Kind>& registered() {
#define WALRELAY_LIST(name) name##_kind(),
  static const std::vector<Kind> all{WALRELAY_KINDS(WALRELAY_LIST)};
#undef WALRELAY_LIST
  return all;
}

}  // namespace

const Kind* find_kind(std::string_view name) {
  for (const Kind& kind : registered()) {
    if (kind.description.name == name) return &kind;
  }
  return nullptr;
}

bool shares_keys(const std::string& kind) {
  const Kind* found = find_kind(kind);
  return found != nullptr && found->shares_keys;
}

const std::vector<KindDescription>& kinds() {
  static const std::vector<KindDescription> descriptions = [] {
    std::vector<KindDescription> all;
    for (const Kind& kind : registered()) all.push_back(kind.description);
    return all;
  }();
  return descriptions;
}

}  // namespace walrelay::sinks
