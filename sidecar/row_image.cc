#include "sidecar/row_image.h"

#include <simdjson.h>

#include <algorithm>
#include <stdexcept>

#include "sidecar/rereads.h"
#include "sinks/json_text.h"

namespace walrelay::sidecar {

using replication::Relation;
using replication::Row;
using replication::Value;
using replication::ValueState;

namespace {

constexpr std::size_t kLongest = 1024 * 1024;  // of a value; a letter is read by people, and its row by its note

}  // namespace

sinks::RowImage row_image(const sinks::RelationWriter& writer, const Relation& relation, const char* operation,
                          Row row) {
  sinks::RowImage image;
  image.table = relation.qualified();
  image.operation = operation;
  const auto& shown = writer.shown_columns();
  std::string& json = image.row;
  for (const std::size_t column : shown) {
    const Value& value = row[column];
    const bool null = value.state == ValueState::null;
    if (!null && (!value.has_text() || value.text.size() > kLongest)) continue;
    json += json.empty() ? "{" : ",";
    sinks::append_json_string(json, relation.columns[column].name);
    json += ':';
    if (null) json += "null";
    if (!null) sinks::append_json_string(json, value.text);
  }
  json += json.empty() ? "{}" : "}";
  const RowKey key = row_key(relation, row);
  const auto is_shown = [&](const auto& named) {
    return std::any_of(shown.begin(), shown.end(),
                       [&](const std::size_t column) { return relation.columns[column].name == named.first; });
  };
  if (!key.empty() && std::all_of(key.begin(), key.end(), is_shown)) {
    image.note = to_note(relation.schema, relation.name, key);
  }
  return image;
}

ImageRow::ImageRow(const std::string& json, const Relation& relation)
    : texts_(relation.columns.size()), values_(relation.columns.size(), {ValueState::absent, {}}) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json).get(object) != simdjson::SUCCESS)
    throw std::runtime_error("the letter's row is no JSON object");
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    simdjson::dom::element value;
    std::string_view text;
    if (object[relation.columns[i].name].get(value) != simdjson::SUCCESS) continue;
    if (value.is_null()) values_[i].state = ValueState::null;
    if (value.get(text) != simdjson::SUCCESS) continue;
    texts_[i] = text;
    values_[i] = {ValueState::text, texts_[i]};
  }
}

}  // namespace walrelay::sidecar
