// The name of a JSON object's member, unescaped, by whichever simdjson a distribution has: 3.0 (Debian 12) takes no
// argument, 3.6 (Ubuntu 24.04) wants to be told whether a lone surrogate may be replaced, 3.12 (Debian 13) may be told.
// It never may here: two names would be taken for one.
#pragma once

#include <simdjson.h>

#include <concepts>
#include <string_view>

namespace walrelay::sinks {

/// Reads the name of `field` into `name`, which is good as long as the parser's buffers are. False: it has none that
/// can be written. To be asked before the field's value, once, as simdjson demands.
template <std::same_as<simdjson::ondemand::field> Field>
bool member_name(Field& field, std::string_view& name) {
  if constexpr (requires { field.unescaped_key(false); }) {
    return field.unescaped_key(false).get(name) == simdjson::SUCCESS;
  } else {
    return field.unescaped_key().get(name) == simdjson::SUCCESS;
  }
}

}  // namespace walrelay::sinks
