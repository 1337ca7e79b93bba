#include "sinks/columns.h"

#include <algorithm>
#include <set>

#include "sinks/nearest_name.h"

namespace walrelay::sinks {
namespace {

// What is chosen by its name: a let, which hides a column as in templates, or a column.
std::size_t require_value(const BindContext& context, const std::string& name, const std::string& parameter) {
  const auto let = context.expressions.find_let(name);
  return let ? *let : require_column(context, name, parameter);
}

std::vector<ChosenColumn> included(const BindContext& context, const Parameter& choice, const std::string& parameter) {
  std::vector<ChosenColumn> columns;
  for (const std::string& name : choice.include) {
    columns.push_back({require_value(context, name, parameter + ".include"), name});
  }
  if (choice.include.empty()) {
    for (const auto& column : context.relation.columns) columns.push_back({columns.size(), column.name});
  }
  for (const std::string& name : choice.exclude) {
    const std::size_t excluded = require_column(context, name, parameter + ".exclude");
    std::erase_if(columns, [excluded](const ChosenColumn& chosen) { return chosen.column == excluded; });
  }
  return columns;
}

void check_renames(const BindContext& context, const Parameter& choice, const std::vector<ChosenColumn>& columns,
                   const std::string& parameter) {
  for (const auto& [name, field] : choice.rename) {
    const auto is_it = [&name = name](const ChosenColumn& chosen) { return chosen.field == name; };
    if (std::any_of(columns.begin(), columns.end(), is_it)) continue;
    const bool let = require_value(context, name, parameter + ".rename") >= context.relation.columns.size();
    context.fail(parameter + ".rename: " + (let ? "the let " : "column ") + name +
                 " is not among the chosen ones; include it or drop the rename");
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
  auto chosen = included(context, choice, parameter);
  check_renames(context, choice, chosen, parameter);
  if (chosen.empty()) context.fail(parameter + ": no column is left");
  std::set<std::string> fields;
  for (ChosenColumn& column : chosen) {
    const auto renamed = choice.rename.find(column.field);
    if (renamed != choice.rename.end()) column.field = renamed->second;
    if (!fields.insert(column.field).second) {
      context.fail(parameter + ": two columns would be the field \"" + column.field + "\"; rename or exclude one");
    }
  }
  return chosen;
}

}  // namespace walrelay::sinks
