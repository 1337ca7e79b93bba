#include "sinks/columns.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "sinks/nearest_name.h"

namespace walrelay::sinks {
namespace {

std::vector<std::size_t> included(const BindContext& context, const Parameter& choice, const std::string& parameter) {
  std::vector<std::size_t> columns;
  for (const std::string& name : choice.include) {
    columns.push_back(require_column(context, name, parameter + ".include"));
  }
  if (choice.include.empty()) {
    columns.resize(context.relation.columns.size());
    std::iota(columns.begin(), columns.end(), std::size_t{0});
  }
  for (const std::string& name : choice.exclude) {
    std::erase(columns, require_column(context, name, parameter + ".exclude"));
  }
  return columns;
}

void check_renames(const BindContext& context, const Parameter& choice, const std::vector<std::size_t>& columns,
                   const std::string& parameter) {
  for (const auto& [name, field] : choice.rename) {
    const std::size_t column = require_column(context, name, parameter + ".rename");
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      context.fail(parameter + ".rename: column " + name +
                   " is not among the chosen ones; include it or drop the rename");
    }
  }
}

}  // namespace

std::size_t require_column(const BindContext& context, const std::string& name, const std::string& parameter) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < context.relation.columns.size(); ++i) {
    if (context.relation.columns[i].name == name) return i;
    known.push_back(context.relation.columns[i].name);
  }
  context.fail(parameter + ": there is no column \"" + name + "\"" + did_you_mean(name, known));
}

std::vector<ChosenColumn> choose_columns(const BindContext& context, const std::string& parameter) {
  const Parameter* given = context.find(parameter);
  const Parameter choice = given == nullptr ? Parameter{} : *given;
  const auto columns = included(context, choice, parameter);
  check_renames(context, choice, columns, parameter);
  if (columns.empty()) context.fail(parameter + ": no column is left");
  std::vector<ChosenColumn> chosen;
  std::set<std::string> fields;
  for (const std::size_t column : columns) {
    const std::string& name = context.relation.columns[column].name;
    const auto renamed = choice.rename.find(name);
    const std::string field = renamed == choice.rename.end() ? name : renamed->second;
    if (!fields.insert(field).second) {
      context.fail(parameter + ": two columns would be the field \"" + field + "\"; rename or exclude one");
    }
    chosen.push_back({column, field});
  }
  return chosen;
}

std::vector<JsonRow::Field> json_fields(const BindContext& context, const std::string& parameter) {
  std::vector<JsonRow::Field> fields;
  for (const ChosenColumn& chosen : choose_columns(context, parameter)) {
    fields.push_back({chosen.column, chosen.field, context.type_of(chosen.column)});
  }
  return fields;
}

}  // namespace walrelay::sinks
