// "did you mean": the known word that a mistyped one most likely stands for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walrelay::config {

// The candidate nearest to `word`, or empty when none is near. Case, "-" and "_" count as nothing, so that batchSize
// finds batch_size.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean \"x\"?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

// "a, b or c", for messages that list what is allowed.
std::string either(const std::vector<std::string>& words);

// Whether a name that the user wrote may stand in a message: an identifier. Anything else may be a secret that lost
// its quotes.
bool is_printable_name(std::string_view name);

}  // namespace walrelay::config
