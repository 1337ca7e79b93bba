#include "sinks/expression_scope.h"

#include "sinks/expression_text.h"

namespace walrelay::sinks {

void ExpressionScope::add(Kind kind, std::size_t place, const std::string& name) {
  all_.push_back(name);
  Name& known = names_[folded(name)];
  if (!known.places.empty() && known.kind > kind) return;
  if (known.kind != kind) known = {kind, {}, {}};
  known.places.push_back(place);
  known.written.push_back(name);
}

const ExpressionScope::Name* ExpressionScope::find(const std::string& folded_name) const {
  const auto found = names_.find(folded_name);
  return found == names_.end() ? nullptr : &found->second;
}

}  // namespace walrelay::sinks
