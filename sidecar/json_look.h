// Reading a JSON document that may hold more or less than one knows: what is absent, null or of another type is
// nothing.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walrelay::sidecar {

using JsonElement = simdjson::dom::element;

inline std::optional<JsonElement> member(JsonElement json, std::string_view name) {
  JsonElement found;
  if (!json.is_object() || json[name].get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
  return found;
}

template <class Value>
std::optional<Value> value_of(JsonElement json, std::string_view name) {
  Value value{};
  const auto found = member(json, name);
  return found && found->get(value) == simdjson::SUCCESS ? std::optional(value) : std::nullopt;
}

inline std::string text_of(JsonElement json, std::string_view name, std::string_view otherwise = "") {
  return std::string(value_of<std::string_view>(json, name).value_or(otherwise));
}

inline bool is_true(JsonElement json, std::string_view name) { return value_of<bool>(json, name).value_or(false); }

// Of a list; none where there is no list.
inline std::vector<JsonElement> elements_of(JsonElement json, std::string_view name) {
  std::vector<JsonElement> elements;
  simdjson::dom::array array;
  const auto found = member(json, name);
  if (!found || found->get(array) != simdjson::SUCCESS) return elements;
  for (const JsonElement each : array) elements.push_back(each);
  return elements;
}

}  // namespace walrelay::sidecar
