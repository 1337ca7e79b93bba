// The letters of JSON: strings, numbers, base64, and whether a text is JSON at all.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace walrelay::sinks {

// As a JSON string with its quotes. What is not UTF-8 (SQL_ASCII databases) becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Whether the text is a number by JSON's grammar (RFC 8259); no limit on its size.
bool is_json_number(std::string_view text);

// Base64 (RFC 4648, padded) of the bytes that PostgreSQL's hex form "\x0aff" stands for; false and nothing appended
// when the text has not that form.
bool append_base64_of_hex(std::string& out, std::string_view text);

// Checks by simdjson whether a text is one JSON value. Numbers are checked by their grammar alone, so that those beyond
// 64 bits pass. Keeps its memory between calls.
class JsonValidator {
 public:
  JsonValidator();
  ~JsonValidator();
  JsonValidator(JsonValidator&&) noexcept;
  JsonValidator& operator=(JsonValidator&&) noexcept;
  bool valid(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sinks
