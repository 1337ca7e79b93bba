#include "sinks/hash_write.h"

#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

using replication::Row;

// ARGV from 4 on: whole or some; the number of fields to set, and these with their values; of `some` the fields to
// remove. Lua can give a command some thousand arguments at once.
const ConditionalWrite& script() {
  static const ConditionalWrite made(R"(
local set = tonumber(ARGV[5])
if redis.call('TYPE', key).ok ~= 'hash' then return false end
if ARGV[4] == 'whole' and redis.call('HLEN', key) ~= set then return false end
for i = 6, 5 + 2 * set, 2 do
if redis.call('HGET', key, ARGV[i]) ~= ARGV[i + 1] then return false end
end
for i = 6 + 2 * set, #ARGV do
if redis.call('HEXISTS', key, ARGV[i]) == 1 then return false end
end
return true
)",
                                     R"(
local last = 5 + 2 * tonumber(ARGV[5])
if ARGV[4] == 'whole' then redis.call('UNLINK', key) end
for i = 6, last, 2000 do redis.call('HSET', key, unpack(ARGV, i, math.min(i + 1999, last))) end
for i = last + 1, #ARGV do redis.call('HDEL', key, ARGV[i]) end
)");
  return made;
}

void append_name(std::string_view name, std::string_view rendered, Batch& batch) {
  if (rendered.empty()) return batch.argument(name);
  batch.rendered(rendered);
}

}  // namespace

void make_hash_scripts() {
  KeyedWrite::track_script();
  script();
}

void HashWrite::take_stock(Row row) {
  fields_.clear();
  list(row, fields_);
  there_ = 0;
  for (const Field& field : fields_) there_ += field.there ? 1U : 0U;
  gone_ = fields_.size() - there_;
}

void HashWrite::put_row(std::string_view key, Row row, Batch& batch) {
  const bool whole = complete(row);
  if (!has_fixed_fields()) {
    if (whole) replace_row(key, row, false, batch);
    return;
  }
  take_stock(row);
  if (whole && there_ == 0) return unlink(key, batch);
  if (there_ + gone_ == 0) return;  // all are unchanged
  if (conditional()) return put_conditionally(key, whole, batch);
  batch.open(number(), key, whole ? Effect::whole : Effect::partial);
  if (there_ > 0) set_fields(key, batch);
  if (gone_ > 0) delete_fields(key, batch);
  append_expiry(key, expiry(), lifetime().said_by_row(), batch);
  batch.close();
}

void HashWrite::replace_row(std::string_view key, Row row, bool fresh, Batch& batch) {
  take_stock(row);
  if (conditional() && there_ > 0) return put_conditionally(key, true, batch);
  // Its own entry: see batch.cc.
  if (!fresh) unlink(key, batch);
  if (there_ == 0) return;
  // Without the removal it says nothing of the fields that are gone: it must not replace what the stream said.
  batch.open(number(), key, fresh && gone_ > 0 ? Effect::partial : Effect::whole);
  set_fields(key, batch);
  append_expiry(key, expiry(), false, batch);
  batch.close();
}

void HashWrite::put_conditionally(std::string_view key, bool whole, Batch& batch) const {
  batch.open_script(number(), key, whole ? Effect::whole : Effect::partial);
  script().begin(key, terms(), 2 + 2 * there_ + (whole ? 0 : gone_), batch);
  batch.argument(whole ? "whole" : "some");
  batch.argument(std::to_string(there_));
  append_pairs(batch);
  if (!whole) append_gone(batch);
  batch.close();
}

void HashWrite::expect_row(Row row, Expectation& expected) {
  take_stock(row);
  if (there_ == 0) return;
  expected.type = Expectation::Type::hash;
  expected.fields.reserve(there_);
  for (const Field& field : fields_) {
    if (field.there) expected.fields.emplace_back(field.name, field.value);
  }
}

void HashWrite::set_fields(std::string_view key, Batch& batch) const {
  static const std::string kHset = resp::bulk("HSET");
  batch.command(2 + 2 * there_);
  batch.rendered(kHset);
  batch.argument(key);
  append_pairs(batch);
}

void HashWrite::delete_fields(std::string_view key, Batch& batch) const {
  static const std::string kHdel = resp::bulk("HDEL");
  batch.command(2 + gone_);
  batch.rendered(kHdel);
  batch.argument(key);
  append_gone(batch);
}

void HashWrite::append_pairs(Batch& batch) const {
  for (const Field& field : fields_) {
    if (!field.there) continue;
    append_name(field.name, field.rendered, batch);
    batch.argument(field.value);
  }
}

void HashWrite::append_gone(Batch& batch) const {
  for (const Field& field : fields_) {
    if (!field.there) append_name(field.name, field.rendered, batch);
  }
}

}  // namespace walrelay::sinks
