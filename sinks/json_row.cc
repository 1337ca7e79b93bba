#include "sinks/json_row.h"

namespace walrelay::sinks {

using replication::Row;
using replication::Value;
using replication::ValueState;

JsonRow::JsonRow(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    std::string before(1, members_.empty() ? '{' : ',');
    append_json_string(before, field.name);
    before.push_back(':');
    members_.push_back({field.column, std::move(before), field.type});
  }
}

bool JsonRow::complete(Row row) const {
  for (const Member& member : members_) {
    if (row[member.column].state == ValueState::unchanged) return false;
  }
  return true;
}

void JsonRow::append_value(const Member& member, const Value& value, std::string& out) {
  if (value.has_text()) {
    values_.append(member.type, value.text, out);
  } else {
    out.append("null");
  }
}

void JsonRow::append(Row row, std::string& out) {
  for (const Member& member : members_) {
    out.append(member.before);
    append_value(member, row[member.column], out);
  }
  out.append(members_.empty() ? "{}" : "}");
}

void JsonRow::append_known(Row row, std::string& out) {
  char before = '{';
  for (const Member& member : members_) {
    const Value& value = row[member.column];
    if (value.state == ValueState::unchanged || value.state == ValueState::absent) continue;
    out.push_back(before);
    out.append(member.before, 1);
    append_value(member, value, out);
    before = ',';
  }
  out.append(before == '{' ? "{}" : "}");
}

}  // namespace walrelay::sinks
