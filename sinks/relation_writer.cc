#include "sinks/relation_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sinks/key_rules.h"

namespace walrelay::sinks {
namespace {

using replication::Change;
using replication::Relation;
using replication::Row;
using replication::Value;
using replication::ValueState;

// What tells rows apart in Redis: the identity; under FULL without a primary key what the keys are made of, since an
// update may leave any other column out (unchanged TOAST).
std::vector<std::size_t> compared_columns(const Relation& relation,
                                          const std::vector<BoundWriter::NumberedWrite>& writes) {
  std::vector<std::size_t> columns = identity_columns(relation);
  if (!columns.empty()) return columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto used = [i](const auto& numbered) { return numbered.write->identifies_by(i); };
    if (std::any_of(writes.begin(), writes.end(), used)) columns.push_back(i);
  }
  return columns;
}

}  // namespace

BoundWriter::BoundWriter(const Relation& relation, std::string mapping, std::vector<NumberedWrite> writes)
    : mapping_(std::move(mapping)), identity_(compared_columns(relation, writes)) {
  for (NumberedWrite& numbered : writes) {
    owned_.push_back(numbered.write->owned());
    numbers_.push_back(numbered.number);
    writes_.push_back(std::move(numbered.write));
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
  bool writable = true;
  for (const auto& write : writes_) writable = write->prepare(change.old_row, now, keep_unchanged) && writable;
  for (const auto& write : writes_) write->remove_old(batch);
  if (!writable) return Outcome::reread;
  if (now.empty()) return Outcome::done;
  for (const auto& write : writes_) {
    // While the table is being loaded fields of an earlier life may stand under the key.
    if (keep_unchanged) {
      write->put(batch);
    } else {
      write->replace(false, batch);
    }
  }
  return Outcome::done;
}

void BoundWriter::replace(Row row, bool fresh, Batch& batch) {
  for (const auto& write : writes_) write->prepare({}, row, true);
  for (const auto& write : writes_) write->replace(fresh, batch);
}

// For each column its size in four bytes, then its bytes; two sizes that no value has stand for the other states.
void BoundWriter::append_identity(Row row, std::string& out) const {
  constexpr std::uint32_t kNull = 0xFFFFFFFF, kNotSent = 0xFFFFFFFE;
  for (const std::size_t column : identity_) {
    const Value& value = row[column];
    const std::uint32_t size = value.has_text()                  ? static_cast<std::uint32_t>(value.text.size())
                               : value.state == ValueState::null ? kNull
                                                                 : kNotSent;
    char bytes[sizeof size];
    std::memcpy(bytes, &size, sizeof size);
    out.append(bytes, sizeof bytes);
    if (value.has_text()) out.append(value.text);
  }
}

}  // namespace walrelay::sinks
