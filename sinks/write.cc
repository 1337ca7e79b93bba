#include "sinks/write.h"

#include <algorithm>
#include <stdexcept>

namespace walrelay::sinks {

using replication::Row;
using replication::ValueState;

namespace {

// A let that reads no column (of captures alone, say) is the same for every row of the table: literal text, so that the
// table owns no more keys than it makes.
BoundTemplate with_constants(const BindContext& context, const BoundTemplate& bound) {
  const std::size_t real = context.relation.columns.size();
  const auto is_constant = [&](const BoundTemplate::Part& part) {
    return part.column >= real && context.expressions.reads(part.column).empty();
  };
  if (std::none_of(bound.parts().begin(), bound.parts().end(), is_constant)) return bound;
  Expressions lets(context.relation, context.captures, context.mapping.let);  // numbers them as the mapping's does
  lets.compile();
  const std::vector<replication::Value> nothing(real, {ValueState::absent, {}});
  const Row values = lets.evaluate(nothing, Expressions::Side::now);
  std::vector<BoundTemplate::Part> parts;
  std::string literal;
  for (const BoundTemplate::Part& part : bound.parts()) {
    literal += part.literal;
    if (!is_constant(part)) {
      parts.push_back({std::move(literal), part.column, part.encoded, part.type});
      literal.clear();
      continue;
    }
    const replication::Value& value = values[part.column];
    if (!value.has_text()) context.fail(context.name_of(part.column) + " is NULL for every row of the table");
    if (part.encoded) {
      append_encoded(literal, value.text);
    } else {
      literal += value.text;
    }
  }
  return {std::move(parts), literal + bound.tail()};
}

}  // namespace

std::string BindContext::site() const {
  std::string site = "mapping " + mapping.name + ", table " + relation.qualified() + ", " + write.kind;
  if (!write.where.empty()) site += " at " + write.where;
  return site;
}

void BindContext::fail(const std::string& what) const { throw MappingError(site() + ": " + what); }

const Parameter* BindContext::find(const std::string& name) const {
  const auto found = write.parameters.find(name);
  return found == write.parameters.end() ? nullptr : &found->second;
}

std::chrono::milliseconds BindContext::duration(const std::string& name) const {
  const Parameter* parameter = find(name);
  return parameter == nullptr ? std::chrono::milliseconds(0) : parameter->duration;
}

bool BindContext::flag(const std::string& name) const {
  const Parameter* parameter = find(name);
  return parameter != nullptr && parameter->flag;
}

BoundTemplate BindContext::bind(const std::string& parameter) const {
  const auto find_let = [this](const std::string& name) { return expressions.find_let(name); };
  try {
    return with_constants(*this, bind_template(parse_template(find(parameter)->text), relation, captures, find_let));
  } catch (const std::invalid_argument& error) {
    fail(parameter + ": " + error.what());
  }
}

std::optional<std::size_t> BindContext::expression(const std::string& parameter) const {
  const Parameter* given = find(parameter);
  if (given == nullptr) return std::nullopt;
  return compile(parameter, given->text);
}

std::size_t BindContext::compile(const std::string& parameter, const std::string& text) const {
  try {
    return expressions.add(text);
  } catch (const std::invalid_argument& error) {
    fail(parameter + ": " + error.what());
  }
}

const replication::ColumnType* BindContext::type_of(std::size_t column) const {
  return column < relation.columns.size() ? relation.columns[column].type : nullptr;
}

std::string BindContext::name_of(std::size_t column) const {
  if (column < relation.columns.size()) return "column " + relation.columns[column].name;
  return "expression \"" + expressions.text_of(column) + "\"";
}

std::vector<std::size_t> BindContext::reads(const std::vector<std::size_t>& columns) const {
  std::vector<std::size_t> all;
  for (const std::size_t column : columns) {
    const auto& some = expressions.reads(column);
    all.insert(all.end(), some.begin(), some.end());
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

std::vector<std::size_t> BindContext::reads(const BoundTemplate& text) const {
  std::vector<std::size_t> columns;
  for (const auto& part : text.parts()) columns.push_back(part.column);
  return reads(columns);
}

// A column of PostgreSQL's type boolean needs no SQLite; of everything else SQLite says what is true.
Condition::Condition(const BindContext& context) {
  const Parameter* given = context.find("when");
  if (given == nullptr) return;
  const auto& columns = context.relation.columns;
  const auto found =
      std::find_if(columns.begin(), columns.end(), [given](const auto& column) { return column.name == given->text; });
  const bool plain = found != columns.end() && !context.captures.contains(given->text) &&
                     !context.expressions.find_let(given->text) && found->type != nullptr &&
                     found->type->kind == replication::TypeKind::boolean;
  column_ = context.compile("when", plain ? given->text : "(" + given->text + "\n) IS TRUE");
}

Presence Condition::of(Row row) const {
  if (!column_) return Presence::yes;
  const replication::Value& value = row[*column_];
  if (value.state == ValueState::null) return Presence::no;
  if (!value.has_text()) return Presence::unknown;
  return value.text == "t" || value.text == "1" ? Presence::yes : Presence::no;
}

std::vector<std::size_t> with_condition(const BindContext& context, std::vector<std::size_t> columns,
                                        const Condition& when) {
  if (when.column()) columns.push_back(*when.column());
  return context.reads(columns);
}

}  // namespace walrelay::sinks
