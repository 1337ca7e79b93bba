// One column's text, as PostgreSQL prints it, as a Redis value that is no JSON: a hash's field, a whole string.
//
//   booleans     pg: t, f         words: true, false      digits: 1, 0
//   bytea        hex: \x00ff      base64                  raw: the bytes themselves
//   all else     as it is
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/write.h"

namespace walrelay::sinks {

enum class TextForm : std::uint8_t { as_it_is, words, digits, base64, raw };

// The form that the write's parameters `booleans` and `bytea` say for a column, real or virtual.
TextForm text_form(const BindContext& context, std::size_t column);
// The description of those parameters.
void describe_text_forms(std::vector<ParameterDescription>& parameters);

class FieldText {
 public:
  explicit FieldText(TextForm form) : form_(form) {}
  // Stays valid until the next call, as long as the text itself. A text that has not its type's form stays as it is.
  std::string_view of(std::string_view text) { return form_ == TextForm::as_it_is ? text : written(text); }

 private:
  std::string_view written(std::string_view text);

  TextForm form_;
  std::string memory_;
};

}  // namespace walrelay::sinks
