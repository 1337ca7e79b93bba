// Whether two texts are the same JSON value: RedisJSON gives a document back in its own words.
#pragma once

#include <string_view>

namespace walrelay::sinks {

// The order of an object's members, white space and how a number or a character is written do not matter; of members
// with one name the last counts. Numbers are the same where their 64 bits, as integers or doubles, are. False where
// one of them is no JSON.
bool same_json(std::string_view left, std::string_view right);

}  // namespace walrelay::sinks
