// Writes the Redis protocol: commands as arrays of bulk strings.
//
//   *3\r\n  $3\r\nSET\r\n  $1\r\nk\r\n  $1\r\nv\r\n
//   header  bulk           bulk         bulk
//
// put_...() write where the caller has made room and return the end (the hot path); append_...() extend a string.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace walrelay::sinks::resp {

inline constexpr std::size_t kHeaderRoom = 24;  // the type byte, at most 20 digits, CR LF

// What put_bulk() needs at most.
constexpr std::size_t bulk_room(std::size_t size) { return kHeaderRoom + size + 2; }

char* put_large_number(char* to, std::uint64_t number);

inline char* put_number(char* to, std::uint64_t number) {
  if (number < 10) {
    *to = static_cast<char>('0' + number);
    return to + 1;
  }
  if (number < 100) {
    to[0] = static_cast<char>('0' + number / 10);
    to[1] = static_cast<char>('0' + number % 10);
    return to + 2;
  }
  return put_large_number(to, number);
}

// Most names and values are short: two moves that may overlap, without a call.
inline char* put_bytes(char* to, std::string_view bytes) {
  const char* const from = bytes.data();
  const std::size_t size = bytes.size();
  if (size > 16) {
    std::memcpy(to, from, size);
  } else if (size >= 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, from, 4);
    std::memcpy(to + size - 4, from + size - 4, 4);
  } else if (size > 0) {
    to[0] = from[0];
    to[size / 2] = from[size / 2];
    to[size - 1] = from[size - 1];
  }
  return to + size;
}

inline char* put_header(char* to, char type, std::size_t number) {
  *to = type;
  to = put_number(to + 1, number);
  to[0] = '\r';
  to[1] = '\n';
  return to + 2;
}

inline char* put_bulk(char* to, std::string_view bytes) {
  to = put_bytes(put_header(to, '$', bytes.size()), bytes);
  to[0] = '\r';
  to[1] = '\n';
  return to + 2;
}

// Starts a command of that many arguments, its name included.
void append_header(std::string& out, std::size_t arguments);
void append_bulk(std::string& out, std::string_view bytes);
void append_bulk(std::string& out, std::uint64_t number);  // its decimal text as a bulk string
void append_command(std::string& out, std::initializer_list<std::string_view> arguments);

// The bulk string alone, for what is rendered once and used often.
std::string bulk(std::string_view bytes);

// The size of the longest argument of commands that were made by these functions.
std::size_t longest_argument(std::string_view commands);

}  // namespace walrelay::sinks::resp
