// One column's text, as PostgreSQL prints it, as a JSON value.
//
//   boolean                 true, false
//   integers, numeric,      the number as PostgreSQL prints it, no digit lost; NaN and the infinities as strings
//     real, double
//   json, jsonb             nested, byte for byte
//   arrays                  nested arrays; lower bounds are dropped
//   composite types         objects
//   timestamp               "2024-01-02T03:04:05.678", with time zone "...Z"; infinity and BC as they are
//   bytea                   base64
//   everything else         a string
//
// That is the profile `plain`; json_profile.h has the others.
// Text that does not have its type's form becomes a JSON string: a value is never lost and never breaks the document.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "replication/relation.h"
#include "sinks/json_profile.h"
#include "sinks/json_text.h"

namespace walrelay::sinks {

class JsonValues {
 public:
  explicit JsonValues(JsonStyle style = {}) : style_(style) {}

  // `type` may be null: not known.
  void append(const replication::ColumnType* type, std::string_view text, std::string& out) {
    append(type, text, 0, out);
  }

 private:
  class Literal;

  void append(const replication::ColumnType* type, std::string_view text, std::size_t depth, std::string& out);
  bool append_nested(const replication::ColumnType& type, std::string_view text, std::size_t depth, std::string& out);
  bool append_array(const replication::ColumnType& type, std::string_view text, std::size_t depth, std::string& out);
  bool append_dimension(const replication::ColumnType& type, Literal& literal, std::size_t depth, int dimension,
                        std::string& out);
  bool append_composite(const replication::ColumnType& type, std::string_view text, std::size_t depth,
                        std::string& out);
  bool append_of_profile(const replication::ColumnType& type, std::string_view text, std::size_t depth,
                         std::string& out) const;
  std::string& scratch(std::size_t depth);

  JsonStyle style_;
  JsonValidator validator_;
  std::deque<std::string> scratch_;  // one for each depth of nesting; grown, never moved
};

}  // namespace walrelay::sinks
