#include "sinks/expression_functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>

#include "sinks/digest.h"
#include "sinks/expression_time.h"
#include "sinks/expression_values.h"

namespace walrelay::sinks {
namespace {

using Int64Limits = std::numeric_limits<std::int64_t>;

// What a function needs to know of itself.
struct Function {
  const char* name;
  int arguments;
  void (*call)(sqlite3_context*, int, sqlite3_value**) noexcept;
  std::int64_t divisor = 0;  // epoch_*: microseconds in its unit
};

const Function& self(sqlite3_context* context) { return *static_cast<const Function*>(sqlite3_user_data(context)); }

void fail(sqlite3_context* context, std::string_view what) {
  std::array<char, 100> message{};
  const std::string_view name = self(context).name;
  std::size_t size = name.copy(message.data(), name.size());
  size += std::string_view("() ").copy(message.data() + size, 3);
  size += what.copy(message.data() + size, message.size() - size);
  sqlite3_result_error(context, message.data(), static_cast<int>(size));
}

bool is_null(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_NULL; }

std::string_view bytes_of(sqlite3_value* value) {
  const void* bytes = sqlite3_value_type(value) == SQLITE_BLOB ? sqlite3_value_blob(value) : sqlite3_value_text(value);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// An integer, also as text (a capture) or as a real number without a fraction (numeric with a scale).
std::optional<std::int64_t> integer_of(sqlite3_value* value) {
  const int type = sqlite3_value_numeric_type(value);
  if (type == SQLITE_INTEGER) return sqlite3_value_int64(value);
  if (type != SQLITE_FLOAT) return std::nullopt;
  constexpr double kLimit = 9223372036854775808.0;
  const double number = sqlite3_value_double(value);
  if (std::trunc(number) != number || number < -kLimit || number >= kLimit) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

void floordiv(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  if (is_null(arguments[0]) || is_null(arguments[1])) return;
  const auto dividend = integer_of(arguments[0]), divisor = integer_of(arguments[1]);
  if (!dividend || !divisor) return fail(context, "takes integers");
  if (*divisor == 0) return;
  if (*dividend == Int64Limits::min() && *divisor == -1) return fail(context, "leaves the range of integers");
  const bool inexact = *dividend % *divisor != 0, negative = (*dividend < 0) != (*divisor < 0);
  sqlite3_result_int64(context, *dividend / *divisor - (inexact && negative ? 1 : 0));
}

void glob_escape(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  if (is_null(arguments[0])) return;
  try {
    std::string escaped;
    for (const char byte : bytes_of(arguments[0])) {
      if (std::string_view("*?[]\\").find(byte) != std::string_view::npos) escaped.push_back('\\');
      escaped.push_back(byte);
    }
    sqlite::return_text(context, escaped);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void md5_of(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  if (is_null(arguments[0])) return;
  try {
    sqlite::return_text(context, md5(bytes_of(arguments[0])));
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  } catch (const std::runtime_error& error) {
    sqlite3_result_error(context, error.what(), -1);
  }
}

void as_text(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  try {
    const int type = sqlite3_value_type(arguments[0]);
    std::string number;
    if (type == SQLITE_INTEGER) {
      append_number(number, std::int64_t{sqlite3_value_int64(arguments[0])});
    } else if (type == SQLITE_FLOAT) {
      append_number(number, sqlite3_value_double(arguments[0]));
    }
    if (!is_null(arguments[0])) sqlite::return_text(context, number.empty() ? bytes_of(arguments[0]) : number);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

// The microseconds that a text stands for; without them the function has its result or its error.
std::optional<std::int64_t> time_of(sqlite3_context* context, sqlite3_value* value) {
  const ReadTime time = read_time(bytes_of(value));
  if (time.state == ReadTime::State::known) return time.microseconds;
  if (time.state == ReadTime::State::malformed) fail(context, "was given a text that is no timestamp");
  if (time.state == ReadTime::State::beyond) fail(context, "was given a time that is too far away");
  return std::nullopt;
}

void epoch(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  if (is_null(arguments[0])) return;
  if (sqlite3_value_type(arguments[0]) != SQLITE_TEXT) return fail(context, "takes the text of a timestamp");
  if (const auto time = time_of(context, arguments[0])) {
    sqlite3_result_int64(context, floor_division(*time, self(context).divisor));
  }
}

// A text, or milliseconds.
std::optional<std::int64_t> time_or_milliseconds(sqlite3_context* context, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  if (type == SQLITE_NULL) return std::nullopt;
  if (type == SQLITE_TEXT) return time_of(context, value);
  if (type != SQLITE_INTEGER) {
    fail(context, "takes the text of a timestamp or an integer of milliseconds");
    return std::nullopt;
  }
  const std::int64_t milliseconds = sqlite3_value_int64(value);
  if (milliseconds <= Int64Limits::max() / 1000 && milliseconds >= Int64Limits::min() / 1000)
    return milliseconds * 1000;
  fail(context, "was given a time that is too far away");
  return std::nullopt;
}

void iso_ms_function(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  const auto time = time_or_milliseconds(context, arguments[0]);
  if (time) sqlite::return_text(context, iso_ms(*time).view());
}

void rfc3339_function(sqlite3_context* context, int, sqlite3_value** arguments) noexcept {
  const auto time = time_or_milliseconds(context, arguments[0]);
  if (!time) return;
  if (const auto text = rfc3339(*time)) return sqlite::return_text(context, text->view());
  fail(context, "has no year before 0 or beyond 9999");
}

constexpr std::array<Function, 9> kFunctions{{{"floordiv", 2, floordiv},
                                              {"as_text", 1, as_text},
                                              {"glob_escape", 1, glob_escape},
                                              {"md5", 1, md5_of},
                                              {"epoch_s", 1, epoch, 1'000'000},
                                              {"epoch_ms", 1, epoch, 1'000},
                                              {"epoch_us", 1, epoch, 1},
                                              {"iso_ms", 1, iso_ms_function},
                                              {"rfc3339", 1, rfc3339_function}}};

}  // namespace

void register_functions(sqlite3* connection) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (const Function& function : kFunctions) {
    // SQLite hands the pointer back as it is; nobody writes through it.
    void* const description = const_cast<Function*>(&function);
    const int result = sqlite3_create_function_v2(connection, function.name, function.arguments, kFlags, description,
                                                  function.call, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) throw std::runtime_error(std::string("SQLite refuses the function ") + function.name);
  }
}

bool is_function_message(std::string_view message) {
  return std::any_of(kFunctions.begin(), kFunctions.end(), [message](const Function& function) {
    const std::string_view name = function.name;
    return message.starts_with(name) && message.substr(name.size()).starts_with("() ");
  });
}

}  // namespace walrelay::sinks
