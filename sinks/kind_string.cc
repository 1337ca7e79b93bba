// string: a row is a Redis string, one column as it is or the row as a JSON object.
//
//   the value       SET key value [PX ms]     whole
//   column NULL     UNLINK key                remove
//   a needed column is unchanged: the row must be read again
#include <algorithm>

#include "sinks/columns.h"
#include "sinks/json_row.h"
#include "sinks/keyed_write.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind string_kind();

namespace {

using replication::Row;
using replication::ValueState;

const std::string kSet = resp::bulk("SET"), kPx = resp::bulk("PX");

class StringWrite : public KeyedWrite {
 public:
  explicit StringWrite(const BindContext& context) : KeyedWrite(context), lifetime_(context.duration("ttl")) {
    if (lifetime_.count() > 0) ttl_ = resp::bulk(std::to_string(lifetime_.count()));
  }

 protected:
  [[nodiscard]] bool keeps_unchanged() const final { return false; }
  void replace_row(std::string_view key, Row row, bool, Batch& batch) final { put_row(key, row, batch); }

  void set(std::string_view key, std::string_view value, Batch& batch) const {
    batch.open(number(), key, Effect::whole);
    batch.command(ttl_.empty() ? 3 : 5);
    batch.rendered(kSet);
    batch.argument(key);
    batch.argument(value);
    if (!ttl_.empty()) {
      batch.rendered(kPx);
      batch.rendered(ttl_);
    }
    batch.close();
  }

  // The value is for the caller to fill in.
  [[nodiscard]] std::string& expect_string(Expectation& expected) const {
    expected.type = Expectation::Type::string;
    expected.ttl = lifetime_;
    return expected.value;
  }

 private:
  const std::chrono::milliseconds lifetime_;  // 0: for ever
  std::string ttl_;                           // the same as a bulk string; empty: none
};

class RawString final : public StringWrite {
 public:
  RawString(const BindContext& context, const std::string& column)
      : StringWrite(context), column_(require_column(context, column, "column")) {}

 protected:
  [[nodiscard]] bool complete(Row row) const override { return row[column_].state != ValueState::unchanged; }
  void put_row(std::string_view key, Row row, Batch& batch) override {
    if (row[column_].has_text()) return set(key, row[column_].text, batch);
    unlink(key, batch);
  }
  void expect_row(Row row, Expectation& expected) override {
    if (row[column_].has_text()) expect_string(expected) = row[column_].text;
  }

 private:
  std::size_t column_;
};

class JsonString final : public StringWrite {
 public:
  explicit JsonString(const BindContext& context) : StringWrite(context), json_(fields(context)) {}

 protected:
  [[nodiscard]] bool complete(Row row) const override { return json_.complete(row); }
  void put_row(std::string_view key, Row row, Batch& batch) override {
    text_.clear();
    json_.append(row, text_);
    set(key, text_, batch);
  }
  void expect_row(Row row, Expectation& expected) override { json_.append(row, expect_string(expected)); }

 private:
  static std::vector<JsonRow::Field> fields(const BindContext& context) {
    std::vector<JsonRow::Field> fields;
    for (const ChosenColumn& chosen : choose_columns(context)) {
      fields.push_back({chosen.column, chosen.field, context.relation.columns[chosen.column].type});
    }
    return fields;
  }

  JsonRow json_;
  std::string text_;  // kept for its memory
};

std::string string_mistake(const WriteSpec& write) {
  if (!write.parameters.contains("column") || !write.parameters.contains("columns")) return "";
  return "\"column\" (one column as it is) and \"columns\" (the row as JSON) exclude each other; keep one";
}

std::unique_ptr<Write> bind_string(const BindContext& context) {
  const Parameter* column = context.find("column");
  if (column != nullptr) return std::make_unique<RawString>(context, column->text);
  return std::make_unique<JsonString>(context);
}

}  // namespace

Kind string_kind() {
  using Shape = ParameterShape;
  KeyedWrite::track_script();
  return {{"string",
           "Each row is a Redis string: one column as it is, or the row as a JSON object.",
           {{"key", Shape::template_, true, {}, "The key, as in \"user:{id}\"."},
            {"column", Shape::column, false, {}, "The column whose text is the value; NULL removes the key."},
            {"columns", Shape::columns, false, {}, "Without column: which columns the JSON has; all by default."},
            {"ttl", Shape::duration, false, {}, "How long the key lives after its last write; for ever by default."},
            {"when", Shape::expression, false, {}, "Only rows for which it is true have a key."},
            {"track", Shape::choice, false, {"redis"}, "Keep in Redis the key of each row, for a narrow identity."}}},
          true,
          string_mistake,
          bind_string};
}

}  // namespace walrelay::sinks
