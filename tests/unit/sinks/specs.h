// Mappings for the tests, written shortly.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sinks/mapping.h"
#include "tables.h"

namespace walrelay::sinks::testing {

inline Parameter text_parameter(const std::string& text) {
  Parameter parameter;
  parameter.text = text;
  return parameter;
}

inline WriteSpec hash(const std::string& key) { return {"hash", {{"key", text_parameter(key)}}, ""}; }

// One column as it is, or with no column the row as JSON.
inline WriteSpec string(const std::string& key, const std::string& column = "") {
  WriteSpec spec{"string", {{"key", text_parameter(key)}}, ""};
  if (!column.empty()) spec.parameters["column"] = text_parameter(column);
  return spec;
}

inline WriteSpec with_ttl(WriteSpec spec, std::chrono::milliseconds ttl) {
  spec.parameters["ttl"].lifetime.constant = ttl;
  return spec;
}

inline WriteSpec with_lifetime(WriteSpec spec, Lifetime lifetime) {
  spec.parameters["ttl"].lifetime = std::move(lifetime);
  return spec;
}

// Until the moment that an expression says.
inline Lifetime until(const std::string& at, const std::string& unit = "") {
  Lifetime lifetime;
  lifetime.at = at;
  lifetime.unit = unit;
  return lifetime;
}

// So long after the last change.
inline Lifetime after_change(std::chrono::milliseconds ttl) {
  Lifetime lifetime;
  lifetime.constant = ttl;
  lifetime.on_change = true;
  return lifetime;
}

// With a template, a choice or an expression.
inline WriteSpec with(WriteSpec spec, const std::string& parameter, const std::string& text) {
  spec.parameters[parameter] = text_parameter(text);
  return spec;
}

inline WriteSpec if_cached(WriteSpec spec) {
  spec.parameters["if_cached"].flag = true;
  return spec;
}

inline WriteSpec exploding(WriteSpec spec, Explode explode) {
  spec.parameters["explode"].explode = std::move(explode);
  return spec;
}

inline WriteSpec including(WriteSpec spec, std::vector<std::string> columns) {
  spec.parameters["columns"].include = std::move(columns);
  return spec;
}

inline MappingSpec mapping(const std::string& name, const std::string& table, std::vector<WriteSpec> writes) {
  MappingSpec spec;
  spec.name = name;
  spec.table = table;
  spec.writes = std::move(writes);
  return spec;
}

// What bind() says about the table; "accepted" when nothing.
inline std::string bind_error(const std::vector<MappingSpec>& specs, const Table& table) {
  MappingSet set(specs);
  try {
    set.bind(table.relation);
  } catch (const MappingError& error) {
    return error.what();
  }
  return "accepted";
}

// The key of "HSET user:1 ...".
inline std::string first_key(const std::string& line) {
  const std::size_t begin = line.find(' ') + 1;
  return line.substr(begin, line.find(' ', begin) - begin);
}

}  // namespace walrelay::sinks::testing
