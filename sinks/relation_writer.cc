#include "sinks/relation_writer.h"

#include <algorithm>
#include <utility>

#include "sinks/key_rules.h"
#include "sinks/resp.h"
#include "sinks/row_identity.h"

namespace walrelay::sinks {
namespace {

using replication::Change;
using replication::Relation;
using replication::Row;
using replication::Value;
using replication::ValueState;

// What tells rows apart in Redis: the identity; under FULL without a primary key what the keys are made of, since an
// update may leave any other column out (unchanged TOAST).
std::vector<std::size_t> compared_columns(const Relation& relation, const std::vector<BoundWriter::Group>& groups) {
  std::vector<std::size_t> columns = identity_columns(relation);
  if (!columns.empty()) return columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto used = [i](const auto& numbered) { return numbered.write->identifies_by(i); };
    const auto uses = [&used](const auto& group) {
      return std::any_of(group.writes.begin(), group.writes.end(), used);
    };
    if (std::any_of(groups.begin(), groups.end(), uses)) columns.push_back(i);
  }
  return columns;
}

}  // namespace

BoundWriter::BoundWriter(const Relation& relation, std::string mapping, std::vector<Group> groups,
                         std::vector<DocumentPath> paths, std::vector<std::size_t> shown, std::size_t longest_argument)
    : mapping_(std::move(mapping)),
      table_(relation.qualified()),
      groups_(std::move(groups)),
      identity_(compared_columns(relation, groups_)),
      paths_(std::move(paths)),
      shown_(std::move(shown)),
      longest_argument_(longest_argument),
      refused_(groups_.size()) {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    groups_[i].expressions->compile();
    for (NumberedWrite& numbered : groups_[i].writes) {
      owned_.push_back(numbered.write->owned());
      owned_.back().write = numbered.number;
      for (OwnedKeys& keys : numbered.write->truncated()) {
        keys.write = numbered.number;
        if (groups_[i].purge_gone) purged_.push_back(keys);
        truncated_.push_back(std::move(keys));
      }
      numbers_.push_back(numbered.number);
      mappings_.push_back(groups_[i].mapping);
      if (DocumentValue* document = numbered.write->document()) documents_[numbered.document] = document;
      if (numbered.write->is_event()) events_.push_back(writes_.size());
      writes_.push_back({std::move(numbered.write), i});
    }
    groups_[i].writes.clear();
  }
  rows_.resize(groups_.size());
}

void BoundWriter::begin(Row before, Row now) {
  forget_refusals();
  evaluate(before, now);
}

void BoundWriter::forget_refusals() {
  if (refusals_.empty()) return;
  refusals_.clear();
  std::fill(refused_.begin(), refused_.end(), 0);
}

// Redis closes the connection on an argument that is too long for it, and would again after every restart. So what is
// near the limit, which hardly any row is, is made once to be measured. In JSON a byte may become six.
void BoundWriter::measure(Row now, bool writable, bool heard) {
  constexpr std::size_t kGrowth = 6;
  std::size_t bytes = 0;
  for (const Value& value : now) bytes += value.text.size();
  if (bytes < longest_argument_ / kGrowth) [[likely]]
    return;
  for (const Bound& bound : writes_) {
    if (refused(bound)) continue;
    Batch apart;
    if (writable && !now.empty()) bound.write->replace(false, apart);
    if (heard) bound.write->tell(apart);
    const std::size_t longest = resp::longest_argument(apart.take());
    if (longest <= longest_argument_) continue;
    refuse(bound.group, "mapping " + groups_[bound.group].mapping + ", table " + table_ + ": a value of " +
                            std::to_string(longest) + " bytes is more than the " + std::to_string(longest_argument_) +
                            " that Redis takes (its proto-max-bulk-len)");
  }
}

// Every expression is computed before anything is written: a row that breaks one leaves no half behind.
void BoundWriter::evaluate(Row before, Row now) {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (refused_[i] != 0) continue;
    Expressions& expressions = *groups_[i].expressions;
    if (expressions.empty()) {
      rows_[i] = {before, now};
      continue;
    }
    try {
      rows_[i] = {expressions.evaluate(before, Expressions::Side::before),
                  expressions.evaluate(now, Expressions::Side::now)};
    } catch (const EvaluationError& error) {
      refuse(i, "mapping " + groups_[i].mapping + ", table " + table_ + ": " + error.what());
    }
  }
}

void BoundWriter::refuse(std::size_t group, const std::string& why) {
  const OnPoison policy = groups_[group].on_poison;
  if (policy == OnPoison::stop) throw RowError(why);
  refused_[group] = 1;
  refusals_.push_back({why, policy});
}

bool BoundWriter::prepare(bool keep_unchanged) {
  bool writable = true;
  for (const Bound& bound : writes_) {
    if (refused(bound)) continue;
    const auto& [before, now] = rows_[bound.group];
    try {
      writable = bound.write->prepare(before, now, keep_unchanged) && writable;
    } catch (const RowError& error) {
      refuse(bound.group, error.what());
    }
  }
  return writable;
}

void BoundWriter::hear(const Change& change) {
  for (const std::size_t event : events_) {
    const Bound& bound = writes_[event];
    if (refused(bound)) continue;
    const auto& [before, now] = rows_[bound.group];
    try {
      bound.write->hear(change, before, now);
    } catch (const RowError& error) {
      refuse(bound.group, error.what());
    }
  }
}

// The new row, with the values that only the old row carries: under FULL every unchanged column, otherwise those of the
// identity (which the server sends when they are TOASTed).
Row BoundWriter::completed(const Change& change) {
  const auto unchanged = [](const Value& value) { return value.state == ValueState::unchanged; };
  if (change.old_row.empty() || std::none_of(change.new_row.begin(), change.new_row.end(), unchanged)) {
    return change.new_row;
  }
  completed_.assign(change.new_row.begin(), change.new_row.end());
  for (std::size_t i = 0; i < completed_.size(); ++i) {
    const Value& old = change.old_row[i];
    if (unchanged(completed_[i]) && old.has_text()) completed_[i] = old;
  }
  return completed_;
}

BoundWriter::Outcome BoundWriter::apply(const Change& change, bool keep_unchanged, Batch& batch) {
  const Row now = completed(change);
  begin(change.old_row, now);
  const bool writable = prepare(keep_unchanged);
  hear(change);
  measure(now, writable, true);
  remove_old(batch);
  if (writable && !now.empty()) {
    for (const Bound& bound : writes_) {
      if (refused(bound)) continue;
      // While the table is being loaded fields of an earlier life may stand under the key.
      if (keep_unchanged) {
        bound.write->put(batch);
      } else {
        bound.write->replace(false, batch);
      }
    }
  }
  say(batch);
  return writable ? Outcome::done : Outcome::reread;
}

void BoundWriter::remove_old(Batch& batch) {
  for (const Bound& bound : writes_) {
    if (!refused(bound)) bound.write->remove_old(batch);
  }
}

void BoundWriter::say(Batch& batch) {
  for (const std::size_t event : events_) {
    if (!refused(writes_[event])) writes_[event].write->tell(batch);
  }
}

void BoundWriter::tell(const Change& change, Batch& batch) {
  forget_refusals();
  if (events_.empty()) return;
  const Row now = completed(change);
  evaluate(change.old_row, now);
  hear(change);
  measure(now, false, true);
  say(batch);
}

void BoundWriter::tell_truncate(const Change& change, Batch& batch) {
  for (const std::size_t event : events_) writes_[event].write->tell_truncate(change, batch);
}

void BoundWriter::remove(Row old_row, Batch& batch) {
  begin(old_row, {});
  prepare(true);
  remove_old(batch);
}

void BoundWriter::replace(Row row, bool fresh, Batch& batch) {
  begin({}, row);
  measure(row, prepare(true), false);
  if (!fresh) remove_old(batch);  // else nothing can stand there
  for (const Bound& bound : writes_) {
    if (!refused(bound)) bound.write->replace(fresh, batch);
  }
}

void BoundWriter::expect(Row row, std::vector<Expectation>& out) {
  begin({}, row);
  prepare(true);
  for (const Bound& bound : writes_) {
    if (refused(bound)) {
      out.emplace_back().skip = true;  // one of each write
    } else {
      bound.write->expect(out);
    }
  }
}

// Documents are written by who reads them (document.h), events by nobody who reads a table.
bool BoundWriter::comparable() const {
  return keeps_rows() && std::all_of(writes_.begin(), writes_.end(), [](const Bound& bound) {
           return bound.write->comparable() || bound.write->is_event() || bound.write->document() != nullptr;
         });
}

bool BoundWriter::append_place(std::size_t write, Row row, bool only_there, std::string& out) {
  const Bound& bound = writes_[write];
  Expressions& expressions = *groups_[bound.group].expressions;
  try {
    const Row whole = expressions.empty() ? row : expressions.evaluate(row, Expressions::Side::now);
    return bound.write->append_place(whole, only_there, out);
  } catch (const EvaluationError&) {
    return false;
  }
}

void BoundWriter::append_identity(Row row, std::string& out) const { append_row_identity(row, identity_, out); }

}  // namespace walrelay::sinks
