// Reads a JSON array of pairs of texts, [["name","text"],["other",null]]: what an expression gives that has several
// results.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace walrelay::sinks {

using TextPair = std::pair<std::optional<std::string>, std::optional<std::string>>;  // nothing: null

// Nothing where the text is no such array.
std::optional<std::vector<TextPair>> read_pairs(std::string_view json);

}  // namespace walrelay::sinks
