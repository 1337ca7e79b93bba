// Where a row's entry stands in Redis: a key, or a key and a member with a NUL byte between them.
#pragma once

#include <string>
#include <string_view>

namespace walrelay::sinks {

inline constexpr char kPlaceSeparator = '\0';

inline std::string place_of(std::string_view key, std::string_view member) {
  std::string place(key);
  place.push_back(kPlaceSeparator);
  return place.append(member);
}

// For people: "key", or "key member".
inline std::string shown_place(std::string place) {
  const std::size_t at = place.find(kPlaceSeparator);
  if (at != std::string::npos) place[at] = ' ';
  return place;
}

}  // namespace walrelay::sinks
