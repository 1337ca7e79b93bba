#include "sinks/exploded_hash.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>

#include "sinks/columns.h"
#include "sinks/expression_text.h"
#include "sinks/json_pairs.h"
#include "sinks/key_rules.h"

namespace walrelay::sinks {
namespace {

using replication::Row;
using replication::ValueState;

// Each part must be one expression by itself, so that it cannot end the one that it becomes a part of.
std::string part(const BindContext& context, const char* name, const std::string& text) {
  try {
    parse_expression(text);
  } catch (const std::invalid_argument& error) {
    context.fail("explode." + std::string(name) + ": " + error.what());
  }
  return "(" + text + "\n)";
}

// The inner SELECT leaves no other names of json_each() than these: id and path are the row's. A document that is
// JSON's null has one element without a key.
std::string pairs_of(const BindContext& context, const Explode& explode) {
  const std::string where = explode.where.empty() ? "" : " AND " + part(context, "where", explode.where);
  return "(SELECT json_group_array(json_array(as_text" + part(context, "field", explode.field) + ", as_text" +
         part(context, "value", explode.value) + ")) FROM (SELECT key, value, type, atom FROM json_each(row." +
         quoted_name(explode.column) + ")) WHERE NOT (key IS NULL AND type = 'null')" + where + ")";
}

std::size_t compile(const BindContext& context) {
  const Explode& explode = context.find("explode")->explode;
  if (!context.expressions.find_let(explode.column)) require_column(context, explode.column, "explode.column");
  const std::string whole = pairs_of(context, explode);
  try {
    return context.expressions.add(whole);
  } catch (const std::invalid_argument& error) {
    // Not the whole that was made of the parts, which the user did not write.
    const std::string message = error.what(), quote = "\"" + whole + "\": ";
    context.fail("explode: " + (message.starts_with(quote) ? message.substr(quote.size()) : message));
  }
}

}  // namespace

ExplodedHash::ExplodedHash(const BindContext& context) : HashWrite(context), column_(compile(context)) {
  const std::vector<std::size_t> identity = identity_columns(context.relation);
  for (const std::size_t column : context.reads({column_})) {
    if (std::find(identity.begin(), identity.end(), column) == identity.end()) changeable_.push_back(column);
  }
}

bool ExplodedHash::complete(Row row) const { return row[column_].state != ValueState::unchanged; }

bool ExplodedHash::keeps_unchanged(Row before, Row now) const {
  const auto unchanged = [now](std::size_t column) { return now[column].state == ValueState::unchanged; };
  return before.empty() && std::all_of(changeable_.begin(), changeable_.end(), unchanged);
}

void ExplodedHash::prepare_row(Row row) {
  pairs_.clear();
  auto pairs = read_pairs(row[column_].text);
  if (!pairs) throw RowError(site() + ": explode: an element of a row is no text in UTF-8");
  std::unordered_map<std::string, std::size_t> places;
  for (auto& [field, value] : *pairs) {
    if (!value) continue;
    if (!field) {
      throw RowError(site() + ": explode.field is NULL for an element of a row; leave such elements out with \"where\"");
    }
    const auto [place, added] = places.try_emplace(*field, pairs_.size());
    if (added) {
      pairs_.emplace_back(std::move(*field), std::move(*value));
    } else {
      pairs_[place->second].second = std::move(*value);
    }
  }
}

void ExplodedHash::list(Row, std::vector<Field>& out) {
  for (const auto& [field, value] : pairs_) out.push_back({field, {}, true, value});
}

}  // namespace walrelay::sinks
