// "Did you mean": the known name that a mistyped one is closest to.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walrelay::sinks {

// "; did you mean \"id\"?" when a known name is at most a third of its length (at least one) edits away, else "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

}  // namespace walrelay::sinks
