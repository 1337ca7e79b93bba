#include "sinks/value_write.h"

#include "sinks/resp.h"

namespace walrelay::sinks {
namespace {

using replication::Row;

// ARGV[4] is the value. A key of another type answers GET with an error, which is no string.
const ConditionalWrite& string_script() {
  static const ConditionalWrite made("return redis.pcall('GET', key) == ARGV[4]", "redis.call('SET', key, ARGV[4])");
  return made;
}

// A document is compared in RedisJSON's own words, so that it must be set before it is known whether it was the same.
const ConditionalWrite& document_script() {
  static const ConditionalWrite made(R"(
local before = redis.pcall('JSON.GET', key)
if type(before) ~= 'string' then return false end
redis.call('JSON.SET', key, '$', ARGV[4])
if redis.call('JSON.GET', key) ~= before then return false end
if ttl >= 0 then redis.call('PEXPIRE', key, ttl) end
return true
)",
                                     R"(
redis.call('UNLINK', key)
redis.call('JSON.SET', key, '$', ARGV[4])
)");
  return made;
}

// ARGV: members that can be merged, then paths and values. Merging would bring to life a document that has only some of
// its members: one that was evicted comes back as a whole, or not at all.
const Script& merge_script() {
  static const Script made(R"(
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('JSON.MERGE', KEYS[1], '$', ARGV[1])
for i = 2, #ARGV, 2 do redis.call('JSON.SET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
)");
  return made;
}

}  // namespace

void make_value_scripts() {
  KeyedWrite::track_script();
  string_script();
  document_script();
  merge_script();
}

void ValueWrite::put_row(std::string_view key, Row row, Batch& batch) {
  if (!complete(row)) return put_known(key, row, batch);
  const auto value = value_of(row);
  if (!value) return unlink(key, batch);
  const bool by_script = store_ == Store::string ? terms().on_change : conditional();
  if (by_script) return set_conditionally(key, *value, batch);
  if (store_ == Store::string) return set_string(key, *value, batch);
  set_document(key, *value, batch);
}

void ValueWrite::replace_row(std::string_view key, Row row, bool fresh, Batch& batch) {
  if (store_ == Store::document && !fresh && !conditional()) unlink(key, batch);
  put_row(key, row, batch);
}

void ValueWrite::set_string(std::string_view key, std::string_view value, Batch& batch) const {
  static const std::string kSet = resp::bulk("SET"), kXx = resp::bulk("XX"), kKeep = resp::bulk("KEEPTTL"),
                           kAfter = resp::bulk("PX"), kAt = resp::bulk("PXAT");
  const bool cached = terms().if_cached, keeps = terms().keeps_ttl;
  const bool expires = expiry().kind != Expiry::Kind::never;
  batch.open(number(), key, Effect::whole);
  batch.command(3U + (cached ? 1U : 0U) + (keeps ? 1U : 0U) + (expires ? 2U : 0U));
  batch.rendered(kSet);
  batch.argument(key);
  batch.argument(value);
  if (cached) batch.rendered(kXx);
  if (keeps) batch.rendered(kKeep);
  if (expires) {
    batch.rendered(expiry().kind == Expiry::Kind::after ? kAfter : kAt);
    batch.argument(std::to_string(expiry().ms));
  }
  batch.close();
}

// RedisJSON does not say what becomes of the time to live of a document that is overwritten.
void ValueWrite::set_document(std::string_view key, std::string_view value, Batch& batch) const {
  static const std::string kSet = resp::bulk("JSON.SET"), kRoot = resp::bulk("$");
  batch.open(number(), key, Effect::whole);
  batch.command(4);
  batch.rendered(kSet);
  batch.argument(key);
  batch.rendered(kRoot);
  batch.argument(value);
  append_expiry(key, expiry(), true, batch);
  batch.close();
}

void ValueWrite::set_conditionally(std::string_view key, std::string_view value, Batch& batch) const {
  batch.open_script(number(), key, Effect::whole);
  (store_ == Store::string ? string_script() : document_script()).begin(key, terms(), 1, batch);
  batch.argument(value);
  batch.close();
}

void ValueWrite::expect_row(Row row, Expectation& expected) {
  const auto value = value_of(row);
  if (!value) return;
  expected.type = store_ == Store::string ? Expectation::Type::string : Expectation::Type::document;
  expected.value = *value;
}

JsonWrite::JsonWrite(const BindContext& context, Store store)
    : ValueWrite(context, store),
      json_(context),
      merges_(context.json_documents == JsonDocuments::set_and_merge && json_.has_paths()) {}

void JsonWrite::put_known(std::string_view key, Row row, Batch& batch) {
  json_.make_patch(row, patch_);
  batch.open_script(number(), key, Effect::partial);
  batch.command(5 + 2 * patch_.set.size());
  merge_script().begin(batch);
  batch.argument(key);
  batch.argument(patch_.merged);
  for (const auto& [path, value] : patch_.set) {
    batch.argument(path);
    batch.argument(value);
  }
  batch.close();
}

}  // namespace walrelay::sinks
