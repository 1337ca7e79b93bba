// document: the user's own SQL makes the value; here is only what stands in Redis. A row of the root has no value of
// its own: its changes, and those of other tables, mark documents dirty (document.h), and who has read one writes it
// here.
//
//   a value                             SET key value [PX ms]
//   no row, or NULL                     UNLINK key
//   the root's row goes, or its id      UNLINK key, in the row's transaction
#include <algorithm>

#include "sinks/document.h"
#include "sinks/glob.h"
#include "sinks/key_inverse.h"
#include "sinks/key_rules.h"
#include "sinks/write.h"

namespace walrelay::sinks {

Kind document_kind();

namespace {

using replication::Row;
using replication::Value;
using replication::ValueState;

class DocumentWrite final : public Write, public DocumentValue {
 public:
  explicit DocumentWrite(const BindContext& context)
      : key_(bind_key(context)),
        inverse_(key_, context.relation.columns.size()),
        columns_(context.reads(key_)),
        number_(context.number),
        lifetime_(context.duration("ttl")),
        row_(context.relation.columns.size(), Value{ValueState::absent, {}}) {
    for (const auto& part : key_.parts()) {
      if (part.column >= row_.size()) {
        context.fail("the key of a document is made of columns, and " + context.name_of(part.column) + " is none");
      }
      if (std::find(id_.begin(), id_.end(), part.column) == id_.end()) id_.push_back(part.column);
    }
  }

  // Rows have nothing to say about the value.
  bool prepare(Row before, Row now, bool) override {
    now_ = now;
    old_key_.clear();
    std::string now_key;
    const bool was = !before.empty() && !key_.render(before, old_key_);
    const bool is = !now.empty() && !key_.render(now, now_key);
    // A column of the key that was not sent is as it was.
    if (!was || (!now.empty() && (!is || now_key == old_key_))) old_key_.clear();
    return true;
  }
  void remove_old(Batch& batch) override {
    if (!old_key_.empty()) unlink(old_key_, Effect::remove, batch);
  }
  void put(Batch&) override {}
  void replace(bool, Batch&) override {}
  void expect(std::vector<Expectation>& out) override {
    Expectation& nothing = out.emplace_back();
    nothing.write = number_;
    nothing.skip = true;
    (void)key_.render(now_, nothing.key);
  }

  [[nodiscard]] OwnedKeys owned() const override {
    OwnedKeys keys;
    keys.glob = key_glob(key_);
    keys.owns = KeyMatcher(key_);
    return keys;
  }
  [[nodiscard]] std::vector<OwnedKeys> truncated() const override { return {owned()}; }
  bool readings(std::string_view place, std::size_t most, std::vector<KeyReading>& out) const override {
    return inverse_.readings(place, most, out);
  }
  bool append_place(Row row, bool, std::string& out) const override {
    const std::size_t before = out.size();
    if (!key_.render(row, out)) return true;
    out.resize(before);
    return false;
  }
  [[nodiscard]] const std::vector<std::size_t>& place_columns() const override { return columns_; }
  [[nodiscard]] const std::vector<std::size_t>& reading_columns() const override { return inverse_.columns(); }
  void remove_ghost(std::string_view place, Batch& batch) const override { unlink(place, Effect::ordered, batch); }
  [[nodiscard]] bool identifies_by(std::size_t column) const override {
    return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
  }
  [[nodiscard]] DocumentValue* document() override { return this; }

  [[nodiscard]] std::string key(const std::vector<std::string>& id) override {
    std::string key;
    for (std::size_t i = 0; i < id_.size(); ++i) row_[id_[i]] = {ValueState::text, id[i]};
    (void)key_.render(row_, key);
    return key;
  }

  void write(const std::vector<std::string>& id, std::optional<std::string_view> value, Batch& batch) override {
    const std::string place = key(id);
    if (!value) return unlink(place, Effect::remove, batch);
    batch.open(number_, place, Effect::whole);
    batch.command(lifetime_.count() > 0 ? 5 : 3);
    batch.argument("SET");
    batch.argument(place);
    batch.argument(*value);
    if (lifetime_.count() > 0) {
      batch.argument("PX");
      batch.argument(std::to_string(lifetime_.count()));
    }
    batch.close();
  }

  void expect(const std::vector<std::string>& id, std::optional<std::string_view> value,
              std::vector<Expectation>& out) override {
    Expectation& expected = out.emplace_back();
    expected.key = key(id);
    expected.write = number_;
    if (!value) return;
    expected.type = Expectation::Type::string;
    expected.value = *value;
    expected.ttl = lifetime_;
  }

 private:
  void unlink(std::string_view place, Effect effect, Batch& batch) const {
    batch.open(number_, place, effect);
    batch.command(2);
    batch.argument("UNLINK");
    batch.argument(place);
    batch.close();
  }

  const BoundTemplate key_;
  const KeyInverse inverse_;
  const std::vector<std::size_t> columns_;
  const std::uint32_t number_;
  const std::chrono::milliseconds lifetime_;  // 0: for ever
  std::vector<std::size_t> id_;               // the key's columns in the order of the id
  std::vector<Value> row_;                    // all but those absent
  Row now_;
  std::string old_key_;  // that the row leaves; empty: none
};

std::unique_ptr<Write> bind_document(const BindContext& context) { return std::make_unique<DocumentWrite>(context); }

}  // namespace

Kind document_kind() {
  using Shape = ParameterShape;
  return {
      {"document",
       "Each row of the table is the root of a document whose value SQL makes of any number of tables. It follows a "
       "moment after the transaction that changed it.",
       {{"key", Shape::template_, true, {}, "The key, as in \"order:{id}\", of columns that identify a row."},
        {"query",
         Shape::expression,
         true,
         {},
         "PostgreSQL's SQL: the key's columns, by their names, and `value` of the documents whose ids are in the array "
         "$1 (for a key of several columns one array each: $1, $2 ...)."},
        {"tables",
         Shape::tables,
         false,
         {},
         "Further tables whose changes make documents dirty: for each the column that holds the document's id, or a "
         "SELECT that finds the ids by the changed rows' primary keys, an array $1."},
        {"ttl", Shape::duration, false, {}, "How long the key lives after its last write; for ever by default."},
        {"max_dirty",
         Shape::number,
         false,
         {},
         "When more documents are dirty at once all of them are read again, in place (250000 by default)."}}},
      true,
      nullptr,
      bind_document};
}

}  // namespace walrelay::sinks
