// string: a row is a Redis string, one column as it is, an expression or the row as a JSON object.
#include "sinks/columns.h"
#include "sinks/field_text.h"
#include "sinks/value_write.h"

namespace walrelay::sinks {

Kind string_kind();

namespace {

using replication::Row;
using replication::ValueState;

// One column, real or virtual; NULL removes the key.
class TextWrite final : public ValueWrite {
 public:
  TextWrite(const BindContext& context, std::size_t column)
      : ValueWrite(context, Store::string), column_(column), text_(text_form(context, column)) {}

 protected:
  [[nodiscard]] bool complete(Row row) const override { return row[column_].state != ValueState::unchanged; }
  std::optional<std::string_view> value_of(Row row) override {
    if (!row[column_].has_text()) return std::nullopt;
    return text_.of(row[column_].text);
  }

 private:
  const std::size_t column_;
  FieldText text_;
};

std::string string_mistake(const WriteSpec& write) {
  const auto has = [&write](const char* name) { return write.parameters.contains(name); };
  if (has("column") + has("columns") + has("value") > 1) {
    return "\"column\" (one column as it is), \"value\" (an expression) and \"columns\" (the row as JSON) exclude each "
           "other; keep one";
  }
  if (!has("column") && !has("value")) return json_mistake(write);
  return has("profile") ? "\"profile\" is for the row as JSON; drop it, or write \"columns\"" : "";
}

std::unique_ptr<Write> bind_string(const BindContext& context) {
  if (const Parameter* column = context.find("column")) {
    return std::make_unique<TextWrite>(context, require_column(context, column->text, "column"));
  }
  if (const auto value = context.expression("value")) return std::make_unique<TextWrite>(context, *value);
  return std::make_unique<JsonWrite>(context, ValueWrite::Store::string);
}

std::vector<ParameterDescription> parameters() {
  using Shape = ParameterShape;
  std::vector<ParameterDescription> all{
      {"key", Shape::template_, true, {}, "The key, as in \"user:{id}\"."},
      {"column", Shape::column, false, {}, "The column whose text is the value; NULL removes the key."},
      {"value", Shape::expression, false, {}, "Or the expression whose text is the value; NULL removes the key."},
      {"columns", Shape::columns, false, {}, "Or the row as JSON, of these columns and lets; all columns by default."},
      describe_profile()};
  describe_text_forms(all);
  describe_lifetime(all);
  all.push_back({"when", Shape::expression, false, {}, "Only rows for which it is true have a key."});
  all.push_back({"track", Shape::choice, false, {"redis"}, "Keep in Redis the key of each row, for a narrow identity."});
  return all;
}

}  // namespace

Kind string_kind() {
  make_value_scripts();
  return {{"string", "Each row is a Redis string: one column as it is, an expression, or the row as a JSON object.",
           parameters()},
          true,
          string_mistake,
          bind_string};
}

}  // namespace walrelay::sinks
