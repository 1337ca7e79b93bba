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

constexpr std::uint32_t kNull = 0xFFFFFFFF, kNotSent = 0xFFFFFFFE;  // instead of a size

// The next column's bytes of an identity, with its size; it is taken off the front.
std::string_view take_column(std::string_view& identity) {
  std::uint32_t size = 0;
  std::memcpy(&size, identity.data(), sizeof size);
  const std::string_view column = identity.substr(0, sizeof size + (size == kNull || size == kNotSent ? 0 : size));
  identity.remove_prefix(column.size());
  return column;
}

bool was_sent(std::string_view column) {
  std::uint32_t size = 0;
  std::memcpy(&size, column.data(), sizeof size);
  return size != kNotSent;
}

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
    mappings_.push_back(numbered.mapping);
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

void BoundWriter::expect(Row row, std::vector<Expectation>& out) {
  for (const auto& write : writes_) write->prepare({}, row, true);
  for (const auto& write : writes_) write->expect(out);
}

std::optional<std::string_view> next_of_identity(std::string_view& identity) {
  std::uint32_t size = kNull;
  if (identity.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, identity.data(), sizeof size);
  identity.remove_prefix(sizeof size);
  if (size >= kNotSent) return std::nullopt;
  const std::string_view text = identity.substr(0, size);
  identity.remove_prefix(text.size());
  return text;
}

// For each column its size in four bytes, then its bytes; two sizes that no value has stand for the other states.
void BoundWriter::append_identity(Row row, std::string& out) const {
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

bool is_whole_identity(std::string_view part) {
  while (!part.empty()) {
    if (!was_sent(take_column(part))) return false;
  }
  return true;
}

bool may_be_same_row(std::string_view part, std::string_view identity) {
  while (!part.empty() && !identity.empty()) {
    const std::string_view wanted = take_column(part), found = take_column(identity);
    if (was_sent(wanted) && was_sent(found) && wanted != found) return false;
  }
  return part.empty() && identity.empty();
}

}  // namespace walrelay::sinks
