// hash: a row is a Redis hash, a column a field; NULL is the absence of the field unless `nulls` says otherwise.
#include "sinks/columns.h"
#include "sinks/exploded_hash.h"
#include "sinks/field_text.h"
#include "sinks/hash_write.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind hash_kind();

namespace {

using replication::Row;
using replication::ValueState;

class ColumnHash final : public HashWrite {
 public:
  explicit ColumnHash(const BindContext& context) : HashWrite(context) {
    for (const ChosenColumn& chosen : choose_columns(context)) {
      columns_.push_back({chosen.column, chosen.field, resp::bulk(chosen.field),
                          FieldText(text_form(context, chosen.column))});
    }
    if (const Parameter* nulls = context.find("nulls")) {
      nulls_are_there_ = nulls->text != "absent";
      null_ = nulls->text == "null" ? "null" : "";
    }
  }

 protected:
  [[nodiscard]] bool complete(Row row) const override {
    for (const Column& column : columns_) {
      if (row[column.column].state == ValueState::unchanged) return false;
    }
    return true;
  }
  [[nodiscard]] bool keeps_unchanged(Row, Row) const override { return true; }
  [[nodiscard]] bool has_fixed_fields() const override { return true; }

  void list(Row row, std::vector<Field>& out) override {
    for (Column& column : columns_) {
      const replication::Value& value = row[column.column];
      if (value.has_text()) {
        out.push_back({column.name, column.bulk, true, column.text.of(value.text)});
      } else if (value.state == ValueState::null) {
        out.push_back({column.name, column.bulk, nulls_are_there_, null_});
      }
    }
  }

 private:
  struct Column {
    std::size_t column;
    std::string name, bulk;
    FieldText text;
  };
  std::vector<Column> columns_;
  bool nulls_are_there_ = false;
  std::string null_;
};

std::string hash_mistake(const WriteSpec& write) {
  if (!write.parameters.contains("explode")) return "";
  for (const char* parameter : {"columns", "nulls", "booleans", "bytea"}) {
    if (write.parameters.contains(parameter)) {
      return "\"explode\" makes the fields of a column's elements, and \"" + std::string(parameter) +
             "\" is for columns; keep one";
    }
  }
  return "";
}

std::unique_ptr<Write> bind_hash(const BindContext& context) {
  if (context.find("explode") != nullptr) return std::make_unique<ExplodedHash>(context);
  return std::make_unique<ColumnHash>(context);
}

std::vector<ParameterDescription> parameters() {
  using Shape = ParameterShape;
  std::vector<ParameterDescription> all{
      {"key", Shape::template_, true, {}, "The key, as in \"user:{id}\"."},
      {"columns",
       Shape::columns,
       false,
       {},
       "Which columns and lets to take, and under which field names; all columns by default."},
      {"nulls",
       Shape::choice,
       false,
       {"absent", "empty", "null"},
       "What NULL is: no field (absent, the default), an empty field, or the word null."}};
  describe_text_forms(all);
  all.push_back({"explode",
                 Shape::explode,
                 false,
                 {},
                 "Instead of columns: a field for each element of a JSON object or array, its name and value by "
                 "expressions over json_each's key, value and type and the row's columns. Fields of elements that are "
                 "gone go; NULL removes the key."});
  describe_lifetime(all);
  all.push_back({"when", Shape::expression, false, {}, "Only rows for which it is true have a key."});
  all.push_back({"track", Shape::choice, false, {"redis"}, "Keep in Redis the key of each row, for a narrow identity."});
  return all;
}

}  // namespace

Kind hash_kind() {
  make_hash_scripts();
  return {{"hash",
           "Each row is a Redis hash with a field for each column; NULL removes the field, a row of NULLs the key.",
           parameters()},
          true,
          hash_mistake,
          bind_hash};
}

}  // namespace walrelay::sinks
