// Expressions: a text is refused or is one expression. What is accepted gives each row the same value again, leaves its
// neighbours alone, and names no value of the row when it fails. Times are read without overflow.
//
//   input:  expression \n value of a (numeric) \n value of b (text) \n value of c (timestamp)
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fuzz.h"
#include "sinks/expression_time.h"
#include "sinks/expressions.h"

namespace {

using namespace walrelay;
using replication::Value;
using replication::ValueState;
using Side = sinks::Expressions::Side;

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
  return line;
}

replication::Relation relation() {
  static const replication::TypeCatalog catalog;
  replication::Relation relation;
  relation.schema = "public";
  relation.name = "t";
  for (const auto& [name, type] : {std::pair("a", 1700U), std::pair("b", 25U), std::pair("c", 1184U)}) {
    replication::RelationColumn column;
    column.name = name;
    column.type = catalog.find(type);
    relation.columns.push_back(column);
  }
  return relation;
}

void try_row(sinks::Expressions& expressions, replication::Row row) {
  constexpr std::size_t kBefore = 3, kFuzzed = 4, kBehind = 5;
  const auto first = expressions.evaluate(row, Side::before), again = expressions.evaluate(row, Side::now);
  fuzz::require(first.size() == again.size() && first.size() >= kBehind);
  fuzz::require(first[kBefore].text == "before" && first.back().text == "behind");
  for (std::size_t i = kFuzzed; i < first.size(); ++i) {
    fuzz::require(first[i].state == again[i].state && first[i].text == again[i].text);
    fuzz::read_all(first[i].text);
  }
}

void try_expression(std::string_view text, replication::Row row) {
  const replication::Relation table = relation();
  sinks::Expressions expressions(table, {{"p", "capture"}}, {{"before", "'before'"}});
  expressions.add(std::string(text));
  expressions.add("'be' || 'hind'");
  expressions.compile();
  for (const bool unknown : {false, true}) {
    Value values[] = {row[0], row[1], row[2]};
    if (unknown) values[1] = {ValueState::unchanged, {}};
    try {
      try_row(expressions, values);
    } catch (const sinks::EvaluationError&) {
    }
  }
}

// What takes memory or time by design is no finding.
bool is_expensive(std::string_view text) {
  if (text.size() > 500) return true;
  for (const std::string_view word :
       {"blob", "BLOB", "rintf", "RINTF", "ormat", "ORMAT", "eplace", "EPLACE", "json_"}) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = fuzz::as_text(data, size);
  const std::string_view text = take_line(rest), a = take_line(rest), b = take_line(rest);
  const auto time = sinks::read_time(rest);
  if (time.state == sinks::ReadTime::State::known) {
    const auto printed = sinks::rfc3339(time.microseconds);
    if (printed) fuzz::require(sinks::read_time(printed->view()).microseconds == time.microseconds);
    const auto rounded = sinks::read_time(sinks::iso_ms(time.microseconds).view());
    fuzz::require(rounded.microseconds == sinks::floor_division(time.microseconds, 1000) * 1000);
  }
  if (is_expensive(text)) return 0;
  const Value row[] = {{ValueState::text, a}, {ValueState::text, b}, {ValueState::text, rest}};
  try {
    try_expression(text, row);
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
