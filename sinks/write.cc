#include "sinks/write.h"

#include "sinks/glob.h"
#include "sinks/key_rules.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

using replication::Row;
using replication::ValueState;

std::string BindContext::site() const {
  std::string site = "mapping " + mapping.name + ", table " + relation.qualified() + ", " + write.kind;
  if (!write.where.empty()) site += " at " + write.where;
  return site;
}

void BindContext::fail(const std::string& what) const { throw MappingError(site() + ": " + what); }

const Parameter* BindContext::find(const std::string& name) const {
  const auto found = write.parameters.find(name);
  return found == write.parameters.end() ? nullptr : &found->second;
}

std::chrono::milliseconds BindContext::duration(const std::string& name) const {
  const Parameter* parameter = find(name);
  return parameter == nullptr ? std::chrono::milliseconds(0) : parameter->duration;
}

KeyedWrite::KeyedWrite(const BindContext& context)
    : template_(bind_key(context)), inverse_(template_), number_(context.number), site_(context.site()) {
  for (const auto& column : context.relation.columns) column_names_.push_back(column.name);
}

bool KeyedWrite::prepare(Row before, Row now, bool keep_unchanged) {
  now_ = now;
  remove_old_ = false;
  if (!now.empty()) make_key(now);
  if (!before.empty()) {
    // A row whose key had a NULL was never written: there is nothing to remove.
    old_key_.clear();
    remove_old_ = !template_.render(before, old_key_) && (now.empty() || old_key_ != key_);
  }
  if (now.empty() || complete(now)) return true;
  // Under a new key nothing stands that could be left as it is.
  return keep_unchanged && keeps_unchanged() && !remove_old_;
}

void KeyedWrite::make_key(Row row) {
  key_.clear();
  const auto missing = template_.render(row, key_);
  if (!missing) return;
  const std::string column = "column " + column_names_[*missing];
  if (row[*missing].state == ValueState::null) {
    throw RowError(site_ + ": " + column +
                   " is NULL in a row, and its key cannot be made; declare the column NOT NULL " +
                   "or take it out of the key");
  }
  throw RowError(site_ + ": PostgreSQL did not send " + column +
                 ", which the key is made of; set the table's REPLICA " + "IDENTITY to FULL");
}

void KeyedWrite::remove_old(Batch& batch) {
  if (remove_old_) unlink(old_key_, batch);
}

void KeyedWrite::unlink(std::string_view key, Batch& batch) const {
  static const std::string kUnlink = resp::bulk("UNLINK");
  batch.open(number_, key, Effect::remove);
  batch.command(2);
  batch.rendered(kUnlink);
  batch.argument(key);
  batch.close();
}

OwnedKeys KeyedWrite::owned() const { return {key_glob(template_), KeyMatcher(template_)}; }

void KeyedWrite::expect(std::vector<Expectation>& out) {
  Expectation& expected = out.emplace_back();
  expected.key = key_;
  expected.write = number_;
  expect_row(now_, expected);
}

bool KeyedWrite::readings(std::string_view key, std::size_t most, std::vector<KeyReading>& out) const {
  return inverse_.readings(key, most, out);
}

bool KeyedWrite::append_key(Row row, std::string& out) const {
  const std::size_t before = out.size();
  if (!template_.render(row, out)) return true;
  out.resize(before);
  return false;
}

}  // namespace walrelay::sinks
