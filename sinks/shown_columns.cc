#include "sinks/shown_columns.h"

#include <algorithm>

#include "sinks/columns.h"
#include "sinks/key_rules.h"

namespace walrelay::sinks {
namespace {

using Shape = ParameterShape;

// Without any of these a write that may choose columns takes all of them.
bool has_content(const BindContext& context) {
  const char* const kContents[] = {"column", "value", "message", "explode"};
  return std::any_of(std::begin(kContents), std::end(kContents),
                     [&](const char* name) { return context.find(name) != nullptr; });
}

std::size_t value_named(const BindContext& context, const std::string& name) {
  const auto let = context.expressions.find_let(name);
  return let ? *let : require_column(context, name, "column");
}

}  // namespace

ShownColumns::ShownColumns(const replication::Relation& relation)
    : relation_(relation), read_(relation.columns.size()), excluded_(relation.columns.size()) {}

void ShownColumns::show(const std::vector<std::size_t>& columns) {
  for (const std::size_t column : columns) read_[column] = true;
}

void ShownColumns::add_content(const BindContext& context) {
  std::vector<std::size_t> chosen;
  for (const ChosenColumn& column : choose_columns(context)) chosen.push_back(column.column);
  show(context.reads(chosen));
}

void ShownColumns::add(const BindContext& bound) {
  // What is asked here must cost no row anything: the mapping's own expressions stay as they are.
  Expressions apart(relation_, bound.captures, bound.mapping.let);
  const BindContext context{bound.mapping, bound.write, relation_, bound.captures, apart, bound.state};
  for (const ParameterDescription& parameter : find_kind(context.write.kind)->description.parameters) {
    const Parameter* given = context.find(parameter.name);
    if (parameter.shape == Shape::columns && !has_content(context)) add_content(context);
    if (given == nullptr) continue;
    for (const std::string& name : given->exclude) excluded_[require_column(context, name, parameter.name)] = true;
    if (parameter.shape == Shape::template_) show(context.reads(context.bind(parameter.name)));
    if (parameter.shape == Shape::expression) show(context.reads({*context.expression(parameter.name)}));
    if (parameter.shape == Shape::column) show(context.reads({value_named(context, given->text)}));
    if (parameter.shape == Shape::explode) show(context.reads({value_named(context, given->explode.column)}));
    if (parameter.shape == Shape::lifetime && !given->lifetime.at.empty()) {
      show(context.reads({context.compile(parameter.name, given->lifetime.at)}));
    }
  }
}

std::vector<std::size_t> ShownColumns::columns() const {
  const std::vector<std::size_t> identity = identity_columns(relation_);
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < read_.size(); ++i) {
    const bool identifies = std::find(identity.begin(), identity.end(), i) != identity.end();
    if (identifies || (read_[i] && !excluded_[i])) shown.push_back(i);
  }
  return shown;
}

}  // namespace walrelay::sinks
