#include "sinks/field_text.h"

#include "sinks/hex.h"
#include "sinks/json_text.h"

namespace walrelay::sinks {
namespace {

using replication::TypeKind;

constexpr std::size_t kKeptMemory = 1024 * 1024;  // a huge value must not hold its memory for ever

std::string choice(const BindContext& context, const std::string& parameter) {
  const Parameter* given = context.find(parameter);
  return given == nullptr ? "" : given->text;
}

}  // namespace

TextForm text_form(const BindContext& context, std::size_t column) {
  const replication::ColumnType* type = context.type_of(column);
  const TypeKind kind = type == nullptr ? TypeKind::other : type->kind;
  if (kind == TypeKind::boolean) {
    const std::string booleans = choice(context, "booleans");
    if (booleans == "words") return TextForm::words;
    if (booleans == "digits") return TextForm::digits;
  }
  if (kind == TypeKind::bytea) {
    const std::string bytea = choice(context, "bytea");
    if (bytea == "base64") return TextForm::base64;
    if (bytea == "raw") return TextForm::raw;
  }
  return TextForm::as_it_is;
}

void describe_text_forms(std::vector<ParameterDescription>& parameters) {
  using Shape = ParameterShape;
  parameters.push_back({"booleans",
                        Shape::choice,
                        false,
                        {"pg", "words", "digits"},
                        "A boolean as t and f (pg, the default), true and false, or 1 and 0."});
  parameters.push_back({"bytea",
                        Shape::choice,
                        false,
                        {"hex", "base64", "raw"},
                        "A bytea as \\x and hexadecimal digits (hex, the default), base64, or its bytes themselves."});
}

std::string_view FieldText::written(std::string_view text) {
  if (memory_.capacity() > kKeptMemory) memory_ = {};
  memory_.clear();
  switch (form_) {
    case TextForm::words:
      return text == "t" ? "true" : text == "f" ? "false" : text;
    case TextForm::digits:
      return text == "t" ? "1" : text == "f" ? "0" : text;
    case TextForm::base64:
      return append_base64_of_hex(memory_, text) ? memory_ : text;
    case TextForm::raw:
      return append_bytes_of_hex(memory_, text) ? memory_ : text;
    case TextForm::as_it_is:
      break;
  }
  return text;
}

}  // namespace walrelay::sinks
