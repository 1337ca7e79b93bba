// hash_field: a row is one field of a hash that rows share.
//
//   there      HSET key field value        not there      HDEL key field
//
// Where several rows can make one field (a unique index that is not the identity) it belongs to the row that wrote it
// last: a DELETE of another one leaves it.
#include "sinks/columns.h"
#include "sinks/field_text.h"
#include "sinks/json_row.h"
#include "sinks/member_write.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind hash_field_kind();

namespace {

using replication::Row;

void add(std::uint32_t write, std::string_view key, std::string_view field, std::string_view value, Batch& batch) {
  static const std::string kHset = resp::bulk("HSET");
  batch.open(write, key, field, Effect::whole);
  batch.command(4);
  batch.rendered(kHset);
  batch.argument(key);
  batch.member(field);
  batch.argument(value);
  batch.close();
}

void take(std::uint32_t write, std::string_view key, std::string_view field, Batch& batch) {
  static const std::string kHdel = resp::bulk("HDEL");
  append_member_command(kHdel, write, key, field, batch);
}

const MemberKind kKind{
    OwnedKeys::Members::fields,        false, true, "HSCAN", "redis.call('HSET', key, member, value)",
    "redis.call('HDEL', key, member)", add,   take};

const MemberScripts& scripts() {
  static const MemberScripts all(kKind);
  return all;
}

class FieldWrite : public MemberWrite {
 public:
  FieldWrite(const BindContext& context, std::vector<std::size_t> value_columns)
      : MemberWrite(context, kKind, scripts(), context.bind("field"), std::move(value_columns)) {}

 protected:
  void expect_member(std::string_view value, Expectation& expected) const final {
    expected.type = Expectation::Type::field;
    expected.value = value;
  }
};

// The value is a template; NULL in it is the empty text.
class TemplateField final : public FieldWrite {
 public:
  TemplateField(const BindContext& context, BoundTemplate value)
      : FieldWrite(context, columns_of(value)), value_(std::move(value)) {}

 protected:
  void append_value(Row row, std::string& out) override {
    for (const auto& part : value_.parts()) {
      out.append(part.literal);
      if (part.encoded) {
        append_encoded(out, row[part.column].text);
      } else {
        out.append(row[part.column].text);
      }
    }
    out.append(value_.tail());
  }

 private:
  static std::vector<std::size_t> columns_of(const BoundTemplate& value) {
    std::vector<std::size_t> columns;
    for (const auto& part : value.parts()) columns.push_back(part.column);
    return columns;
  }
  const BoundTemplate value_;
};

// One column as it is; NULL is the empty text.
class ColumnField final : public FieldWrite {
 public:
  ColumnField(const BindContext& context, std::size_t column)
      : FieldWrite(context, {column}), column_(column), text_(text_form(context, column)) {}

 protected:
  void append_value(Row row, std::string& out) override { out.append(text_.of(row[column_].text)); }

 private:
  const std::size_t column_;
  FieldText text_;
};

class JsonField final : public FieldWrite {
 public:
  explicit JsonField(const BindContext& context) : JsonField(context, JsonRow(context)) {}

 protected:
  void append_value(Row row, std::string& out) override { json_.append(row, out); }

 private:
  JsonField(const BindContext& context, JsonRow json) : FieldWrite(context, json.columns()), json_(std::move(json)) {}
  JsonRow json_;
};

std::string mistake(const WriteSpec& write) {
  const auto has = [&write](const char* name) { return write.parameters.contains(name); };
  if (has("value") + has("column") + has("columns") > 1) {
    return "\"value\", \"column\" and \"columns\" exclude each other; keep one";
  }
  if (!has("value") && !has("column")) return json_mistake(write);
  if (has("profile")) return "\"profile\" is for the row as JSON; drop it, or write \"columns\"";
  const bool forms = has("booleans") || has("bytea");
  return has("value") && forms ? "\"booleans\" and \"bytea\" are for a column as it is; \"value\" is a template" : "";
}

std::unique_ptr<Write> bind(const BindContext& context) {
  if (context.find("value") != nullptr) return std::make_unique<TemplateField>(context, context.bind("value"));
  if (const Parameter* column = context.find("column")) {
    return std::make_unique<ColumnField>(context, require_column(context, column->text, "column"));
  }
  return std::make_unique<JsonField>(context);
}

}  // namespace

Kind hash_field_kind() {
  using Shape = ParameterShape;
  scripts();
  std::vector<ParameterDescription> parameters{
      {"key", Shape::template_, true, {}, "The hash's key, as in \"offsets:{group_id}\"."},
      {"field", Shape::template_, true, {}, "The field, as in \"{topic}:{partition_id}\"."},
      {"value", Shape::template_, false, {}, "The value as a template; NULL in it is the empty text."},
      {"column", Shape::column, false, {}, "Or the column whose text is the value; NULL is the empty text."},
      {"columns", Shape::columns, false, {}, "Or the row as JSON, of these columns and lets; all columns by default."},
      describe_profile()};
  describe_text_forms(parameters);
  for (ParameterDescription& more : std::vector<ParameterDescription>{
           {"when", Shape::expression, false, {}, "Only rows for which it is true are fields."},
           {"shared", Shape::flag, false, {}, "Whether several rows may make one field; known from the templates."},
           {"track", Shape::choice, false, {"redis"}, "Keep in Redis where each row stands, for a narrow identity."}}) {
    parameters.push_back(std::move(more));
  }
  return {{"hash_field", "Each row is one field of a hash that rows share.", std::move(parameters)},
          false,
          mistake,
          bind,
          true};
}

}  // namespace walrelay::sinks
