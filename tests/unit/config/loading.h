// What the configuration tests share: a table of kinds, an environment, and the mistakes of a text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/load.h"

namespace walrelay::config::testing {

inline const std::vector<KindRule>& kinds() {
  using enum Shape;
  static const std::vector<KindRule> table = {
      {"hash",
       "A hash of the row's columns.",
       {{"key", template_, true, {}, "Key."},
        {"columns", columns, false, {}, "Which columns."},
        {"ttl", duration, false, {}, "Time to live."}}},
      {"string",
       "One value.",
       {{"key", template_, true, {}, "Key."},
        {"value", column, false, {}, "Column."},
        {"format", choice, false, {"raw", "json"}, "How."},
        {"bare", flag, false, {}, "Whether."},
        {"ttl", duration, false, {}, "Time to live."}}},
      {"zset",
       "Every other shape.",
       {{"key", template_, true, {}, "Key."},
        {"score", expression, false, {}, "Score."},
        {"on", choices, false, {"all", "insert", "delete"}, "When."},
        {"maxlen", number, false, {}, "How many."},
        {"ttl", lifetime, false, {}, "Time to live."},
        {"explode", explode, false, {}, "What of."},
        {"tables", tables, false, {}, "Which tables."}}},
  };
  return table;
}

using Variables = std::map<std::string, std::string>;

inline Environment environment(Variables variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline Config load(const std::string& text, const Variables& variables = {}, const Overrides& overrides = {}) {
  return load_text(text, "w.yaml", environment(variables), kinds(), overrides);
}

// The texts of the mistakes, in order; empty when the text loads.
inline std::vector<std::string> mistakes(const std::string& text, const Variables& variables = {},
                                         const Overrides& overrides = {}) {
  std::vector<std::string> out;
  try {
    load(text, variables, overrides);
  } catch (const ConfigError& error) {
    for (const Mistake& mistake : error.mistakes()) out.push_back(mistake.text());
  }
  return out;
}

// The libpq parameter, or "" when it is not given.
inline std::string parameter(const Config& config, const std::string& keyword) {
  for (const auto& [name, value] : config.source.parameters) {
    if (name == keyword) return value;
  }
  return "";
}

}  // namespace walrelay::config::testing
