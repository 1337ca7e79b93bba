#include "sinks/event_write.h"

#include <algorithm>

#include "sinks/key_rules.h"

namespace walrelay::sinks {

using replication::Change;
using replication::Operation;
using replication::ReplicaIdentity;
using replication::Row;
using replication::ValueState;

ToldChanges::ToldChanges(const BindContext& context) {
  const Parameter* on = context.find("on");
  if (on == nullptr) return;
  const auto has = [on](const char* name) {
    const auto& names = on->include;
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool all = on->include.empty() || has("all");
  insert = all || has("insert");
  update = all || has("update");
  remove = all || has("delete");
  truncate = all || has("truncate");
}

bool ToldChanges::has(Operation operation) const {
  switch (operation) {
    case Operation::insert:
      return insert;
    case Operation::update:
      return update;
    case Operation::remove:
      break;
  }
  return remove;
}

ParameterDescription told_changes_parameter(bool truncate) {
  std::vector<std::string> choices{"all", "insert", "update", "delete"};
  if (truncate) choices.emplace_back("truncate");
  return {"on", ParameterShape::choices, false, std::move(choices), "Which changes are told; all by default."};
}

EventWrite::EventWrite(const BindContext& context) : told_(context), when_(context), number_(context.number) {}

void EventWrite::expect(std::vector<Expectation>& out) {
  Expectation& nothing = out.emplace_back();
  nothing.write = number_;
  nothing.skip = true;
}

OwnedKeys EventWrite::owned() const {
  OwnedKeys none;
  none.owns = [](std::string_view) { return false; };
  none.write = number_;
  return none;
}

bool EventWrite::readings(std::string_view, std::size_t, std::vector<KeyReading>& out) const {
  out.clear();
  return true;
}

void EventWrite::hear(const Change& change, Row before, Row now) {
  ready_ = false;
  ready_ = told_.has(change.operation) && make(change, before, now);
}

void EventWrite::tell(Batch& batch) {
  if (ready_) say(batch);
}

void EventWrite::tell_truncate(const Change& change, Batch& batch) {
  if (told_.truncate) say_truncate(change, batch);
}

EventText::EventText(const BindContext& context, const std::string& parameter)
    : text_(context.bind(parameter)), site_(context.site() + ": " + parameter) {
  for (const auto& part : text_.parts()) names_.push_back(context.name_of(part.column));
}

void EventText::render(Row row, std::string& out) const {
  const auto missing = text_.render(row, out);
  if (!missing) return;
  std::size_t part = 0;
  while (text_.parts()[part].column != *missing) ++part;
  if (row[*missing].state == ValueState::null) {
    throw RowError(site_ + ": " + names_[part] + " is NULL in a row; leave such rows out with \"when\"");
  }
  throw RowError(site_ + ": PostgreSQL did not send " + names_[part] +
                 "; set the table's REPLICA IDENTITY to FULL, or leave it out");
}

void check_told_columns(const BindContext& context, const ToldChanges& told, const std::string& what,
                        const std::vector<std::size_t>& reads, bool update) {
  const replication::Relation& relation = context.relation;
  const bool needed = told.remove || (update && told.update);
  if (!needed || relation.identity == ReplicaIdentity::full) return;
  std::string outside;
  for (const std::size_t column : reads) {
    if (relation.columns[column].identity) continue;
    outside += (outside.empty() ? "" : ", ") + relation.columns[column].name;
  }
  if (outside.empty()) return;
  const std::string whose =
      update && told.update ? "an UPDATE or a DELETE does not say of the old row" : "a DELETE does not carry";
  context.fail(
      what + " " + outside + ", outside the table's replica identity, which " + whose + "; mend it with ALTER TABLE " +
      quoted(relation) +
      " REPLICA IDENTITY FULL; or leave those changes out: " + (update ? "on: insert" : "on: [insert, update]"));
}

}  // namespace walrelay::sinks
