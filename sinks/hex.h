// Bytes from the hexadecimal form in which PostgreSQL prints a bytea.
#pragma once

#include <string>
#include <string_view>

namespace walrelay::sinks {

// The bytes that "\x0aff" stands for; false and nothing appended when the text has not that form.
bool append_bytes_of_hex(std::string& out, std::string_view text);

}  // namespace walrelay::sinks
