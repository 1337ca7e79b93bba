#include "sinks/json_row.h"

#include <algorithm>

#include "sinks/columns.h"

namespace walrelay::sinks {
namespace {

using replication::Row;
using replication::Value;
using replication::ValueState;

const char* const kSpace = " \t\r\n";

std::vector<JsonRow::Field> chosen_fields(const BindContext& context) {
  std::vector<JsonRow::Field> fields;
  for (const ChosenColumn& chosen : choose_columns(context)) {
    fields.push_back({chosen.column, chosen.field, context.type_of(chosen.column)});
  }
  return fields;
}

JsonStyle style_of(const BindContext& context) {
  JsonStyle style;
  if (const Parameter* profile = context.find("profile")) {
    if (profile->text == "node-pg") style.profile = JsonStyle::Profile::node_pg;
    if (profile->text == "go") style.profile = JsonStyle::Profile::go;
  }
  if (const Parameter* bytea = context.find("bytea")) {
    style.bytea = bytea->text == "hex" ? JsonStyle::Bytea::hex : JsonStyle::Bytea::base64;
  }
  return style;
}

}  // namespace

JsonRow::JsonRow(const std::vector<Field>& fields, JsonStyle style) : values_(style) {
  for (const Field& field : fields) {
    std::string before(1, members_.empty() ? '{' : ',');
    append_json_string(before, field.name);
    before.push_back(':');
    columns_.push_back(field.column);
    members_.push_back({std::move(before), field.type});
  }
}

JsonRow::JsonRow(const BindContext& context) : JsonRow(context, chosen_fields(context)) {}

JsonRow::JsonRow(const BindContext& context, const std::vector<Field>& fields) : JsonRow(fields, style_of(context)) {
  expressions_ = &context.expressions;
  real_columns_ = context.relation.columns.size();
}

bool JsonRow::complete(Row row) const {
  for (const std::size_t column : columns_) {
    if (row[column].state == ValueState::unchanged) return false;
  }
  return true;
}

void JsonRow::append(Row row, std::string& out) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Value& value = row[columns_[i]];
    out.append(members_[i].before);
    append_member(i, value, Expressions::Side::now, out);
  }
  out.append(members_.empty() ? "{}" : "}");
}

void JsonRow::make_patch(Row row, Patch& patch) {
  patch.merged = '{';
  patch.set.clear();
  std::string text;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Value& value = row[columns_[i]];
    if (value.state == ValueState::unchanged) continue;
    text.clear();
    append_member(i, value, Expressions::Side::now, text);
    const std::string_view name = std::string_view(members_[i].before).substr(1);  // `"name":`
    const std::size_t begin = text.find_first_not_of(kSpace);                      // `json` is kept as it was written
    if (text.compare(begin, 4, "null") == 0 || text[begin] == '{') {
      patch.set.emplace_back("$[" + std::string(name.substr(0, name.size() - 1)) + "]", text);
    } else {
      if (patch.merged.size() > 1) patch.merged.push_back(',');
      patch.merged.append(name).append(text);
    }
  }
  patch.merged.push_back('}');
}

bool JsonRow::has_paths() const {
  return std::none_of(members_.begin(), members_.end(),
                      [](const Member& member) { return member.before.find('\\') != std::string::npos; });
}

void JsonRow::append_member(std::size_t member, const Value& value, Expressions::Side side, std::string& out) {
  if (value.has_text()) return append_value(member, value.text, side, out);
  out.append("null");
}

void JsonRow::append_value(std::size_t member, std::string_view text, Expressions::Side side, std::string& out) {
  const std::size_t column = columns_[member];
  const bool number = expressions_ != nullptr && column >= real_columns_ && expressions_->is_number(column, side);
  if (number && is_json_number(text)) {  // not Inf
    out.append(text);
  } else {
    values_.append(members_[member].type, text, out);
  }
}

ParameterDescription describe_profile() {
  return {"profile",
          ParameterShape::choice,
          false,
          {"plain", "node-pg", "go"},
          "The JSON as PostgreSQL's types have it (plain, the default), as node-postgres and JSON.stringify() write a "
          "row, or with Go's timestamps (RFC 3339)."};
}

std::string json_mistake(const WriteSpec& write) {
  const auto bytea = write.parameters.find("bytea");
  if (bytea != write.parameters.end() && bytea->second.text == "raw") {
    return "\"bytea: raw\" is for a column as it is, because JSON is text; write base64 or hex";
  }
  return write.parameters.contains("booleans") ? "\"booleans\" is for a column as it is; JSON has true and false" : "";
}

void JsonRow::append_known(Row row, Expressions::Side side, std::string& out) {
  char before = '{';
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Value& value = row[columns_[i]];
    if (value.state == ValueState::unchanged || value.state == ValueState::absent) continue;
    out.push_back(before);
    out.append(members_[i].before, 1);
    append_member(i, value, side, out);
    before = ',';
  }
  out.append(before == '{' ? "{}" : "}");
}

}  // namespace walrelay::sinks
