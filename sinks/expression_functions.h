// The functions that expressions have besides SQLite's own. NULL gives NULL.
//
//   floordiv(a, b)                     of integers, towards minus infinity; NULL where b is 0
//   glob_escape(text)                  a backslash in front of what Redis' patterns give a meaning
//   md5(text or blob)                  32 hexadecimal digits
//   epoch_s(x) epoch_ms(x) epoch_us(x) of the text of a timestamp or a date (expression_time.h); NULL for infinity
//   as_text(x)                         the text that x would be as the value of an expression
//   iso_ms(x) rfc3339(x)               the same, or an integer of milliseconds, as JavaScript and Go write a time
#pragma once

#include <string_view>

#include "sinks/sqlite.h"

namespace walrelay::sinks {

void register_functions(sqlite3* connection);  // throws std::runtime_error

// Whether SQLite's message is one of these functions': they say no value of a row.
bool is_function_message(std::string_view message);

}  // namespace walrelay::sinks
