// hash: a row is a Redis hash, a column a field; NULL is the absence of the field.
//
//   every column known      HSET key f v ...  [HDEL key f ...]  [PEXPIRE key ms]      whole
//   some unchanged          the same without those fields                             partial
//   every column NULL       UNLINK key: Redis has no empty hashes                     remove
//   replaced from a table   UNLINK key, then HSET: no stale field survives            remove, then whole
//     where nothing stands  HSET alone                                                whole; with NULLs partial
//
// With a ttl the hash may have gone since, so an unchanged field cannot be relied on: the row is read again.
#include "sinks/columns.h"
#include "sinks/keyed_write.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind hash_kind();

namespace {

using replication::Row;
using replication::ValueState;

const std::string kHset = resp::bulk("HSET"), kHdel = resp::bulk("HDEL"), kExpire = resp::bulk("PEXPIRE");

class HashWrite final : public KeyedWrite {
 public:
  explicit HashWrite(const BindContext& context) : KeyedWrite(context), lifetime_(context.duration("ttl")) {
    for (const ChosenColumn& chosen : choose_columns(context)) {
      fields_.push_back({chosen.column, chosen.field, resp::bulk(chosen.field)});
    }
    if (lifetime_.count() > 0) ttl_ = resp::bulk(std::to_string(lifetime_.count()));
  }

 protected:
  [[nodiscard]] bool complete(Row row) const override {
    for (const Field& field : fields_) {
      if (row[field.column].state == ValueState::unchanged) return false;
    }
    return true;
  }
  [[nodiscard]] bool keeps_unchanged() const override { return ttl_.empty(); }

  void put_row(std::string_view key, Row row, Batch& batch) override {
    const Counts count = counts(row);
    if (count.nulls == fields_.size()) return unlink(key, batch);
    if (count.texts + count.nulls == 0) return;  // all are unchanged
    const bool whole = count.texts + count.nulls == fields_.size();
    batch.open(number(), key, whole ? Effect::whole : Effect::partial);
    if (count.texts > 0) set_fields(key, row, count.texts, batch);
    if (count.nulls > 0) delete_fields(key, row, count.nulls, batch);
    expire(key, batch);
    batch.close();
  }

  void replace_row(std::string_view key, Row row, bool fresh, Batch& batch) override {
    // Its own entry: see batch.cc.
    if (!fresh) unlink(key, batch);
    const Counts count = counts(row);
    if (count.texts == 0) return;
    // Without the removal it says nothing of the columns that are NULL: it must not replace what the stream said.
    batch.open(number(), key, fresh && count.nulls > 0 ? Effect::partial : Effect::whole);
    set_fields(key, row, count.texts, batch);
    expire(key, batch);
    batch.close();
  }

  void expect_row(Row row, Expectation& expected) override {
    const std::size_t texts = counts(row).texts;
    if (texts == 0) return;
    expected.type = Expectation::Type::hash;
    expected.ttl = lifetime_;
    expected.fields.reserve(texts);
    for (const Field& field : fields_) {
      if (row[field.column].has_text()) expected.fields.emplace_back(field.name, row[field.column].text);
    }
  }

 private:
  struct Field {
    std::size_t column;
    std::string name, bulk;
  };
  struct Counts {
    std::size_t texts = 0, nulls = 0;
  };

  [[nodiscard]] Counts counts(Row row) const {
    Counts count;
    for (const Field& field : fields_) {
      const ValueState state = row[field.column].state;
      count.texts += state == ValueState::text ? 1U : 0U;
      count.nulls += state == ValueState::null ? 1U : 0U;
    }
    return count;
  }

  void set_fields(std::string_view key, Row row, std::size_t texts, Batch& batch) const {
    batch.command(2 + 2 * texts);
    batch.rendered(kHset);
    batch.argument(key);
    for (const Field& field : fields_) {
      const replication::Value& value = row[field.column];
      if (!value.has_text()) continue;
      batch.rendered(field.bulk);
      batch.argument(value.text);
    }
  }

  void delete_fields(std::string_view key, Row row, std::size_t nulls, Batch& batch) const {
    batch.command(2 + nulls);
    batch.rendered(kHdel);
    batch.argument(key);
    for (const Field& field : fields_) {
      if (row[field.column].state == ValueState::null) batch.rendered(field.bulk);
    }
  }

  void expire(std::string_view key, Batch& batch) const {
    if (ttl_.empty()) return;
    batch.command(3);
    batch.rendered(kExpire);
    batch.argument(key);
    batch.rendered(ttl_);
  }

  std::vector<Field> fields_;
  const std::chrono::milliseconds lifetime_;  // 0: for ever
  std::string ttl_;                           // the same as a bulk string; empty: none
};

}  // namespace

Kind hash_kind() {
  using Shape = ParameterShape;
  KeyedWrite::track_script();
  return {
      {"hash",
       "Each row is a Redis hash with a field for each column; NULL removes the field, a row of NULLs the key.",
       {{"key", Shape::template_, true, {}, "The key, as in \"user:{id}\"."},
        {"columns", Shape::columns, false, {}, "Which columns to take, and under which field names; all by default."},
        {"ttl", Shape::duration, false, {}, "How long the key lives after its last write; for ever by default."},
        {"when", Shape::expression, false, {}, "Only rows for which it is true have a key."},
        {"track", Shape::choice, false, {"redis"}, "Keep in Redis the key of each row, for a narrow identity."}}},
      true,
      nullptr,
      [](const BindContext& context) -> std::unique_ptr<Write> { return std::make_unique<HashWrite>(context); }};
}

}  // namespace walrelay::sinks
