// Expressions over a row, written shortly.
//
//   Computing({"id:integer:key", "name:text"}, {{"part", "id / 10"}}, {"lower(name)"}).of({"42", "Ann"})    {"4",
//   "ann"}
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sinks/expressions.h"
#include "tables.h"

namespace walrelay::sinks::testing {

using Lets = std::vector<std::pair<std::string, std::string>>;

inline std::string shown(const Value& value) {
  switch (value.state) {
    case ValueState::null:
      return "<null>";
    case ValueState::unchanged:
      return "<unchanged>";
    case ValueState::absent:
      return "<absent>";
    case ValueState::text:
      break;
  }
  return std::string(value.text);
}

class Computing {
 public:
  Computing(const std::vector<std::string>& columns, const Lets& lets, const std::vector<std::string>& texts,
            const Captures& captures = {})
      : table("public.t", columns), expressions(table.relation, captures, lets) {
    for (const std::string& text : texts) places.push_back(expressions.add(text));
    expressions.compile();
  }

  // The virtual columns: lets, then what was added.
  std::vector<std::string> of(const Cells& cells, Expressions::Side side = Expressions::Side::now) {
    std::vector<std::string> values;
    const Row row = expressions.evaluate(table.row(cells), side);
    for (const Value& value : row.subspan(table.relation.columns.size())) values.push_back(shown(value));
    return values;
  }
  // What evaluate() throws; empty: nothing.
  std::string failure(const Cells& cells) {
    try {
      of(cells);
    } catch (const EvaluationError& error) {
      return error.what();
    }
    return "";
  }

  Table table;
  Expressions expressions;
  std::vector<std::size_t> places;  // of the texts
};

// One expression without a column.
inline std::string computed(const std::string& text) {
  return Computing({"id:integer:key"}, {}, {text}).of({"1"}).at(0);
}

// One expression over the column a.
inline std::string computed(const std::string& text, const std::string& type, const Cell& value) {
  return Computing({"a:" + type}, {}, {text}).of({value}).at(0);
}

}  // namespace walrelay::sinks::testing
