// How a program would write the JSON of a row, for readers that were made for that program's documents.
//
//                         plain (default)         node-pg                        go
//   bigint                number                  string                         number
//   numeric               number                  string; in arrays a double     number
//   real, double          number                  as JavaScript prints it        number
//   NaN, infinities       string                  null                           string
//   timestamp             2024-01-02T03:04:05.5   2024-01-02T03:04:05.500Z       2024-01-02T03:04:05.5Z
//   with time zone        2024-01-02T03:04:05.5Z  2024-01-02T03:04:05.500Z       2024-01-02T03:04:05.5Z
//   date                  2024-01-02              2024-01-02T00:00:00.000Z       2024-01-02
//   bytea                 base64                  {"type":"Buffer","data":[0]}   base64
//   composite types       object                  string                         object
//
// node-pg is what JSON.stringify() makes of a row of node-postgres whose process has UTC as its time zone, but nested
// JSON is PostgreSQL's text, and interval, point and circle stay strings. go is what encoding/json makes of time.Time;
// a timestamp without time zone is taken for UTC by both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "replication/relation.h"

namespace walrelay::sinks {

struct JsonStyle {
  enum class Profile : std::uint8_t { plain, node_pg, go };
  enum class Bytea : std::uint8_t { of_profile, hex, base64 };
  Profile profile = Profile::plain;
  Bytea bytea = Bytea::of_profile;
};

// Where the profile has another form than `plain` for the value, appends it and says true. A text that has not its
// type's form has none.
bool append_as_node(const replication::ColumnType& type, std::string_view text, bool in_array, std::string& out);
bool append_as_go(const replication::ColumnType& type, std::string_view text, std::string& out);

// As JavaScript prints a number: 0.1, 1e+300, 100000000000000000000; null for NaN and the infinities.
void append_javascript_number(double number, std::string& out);

}  // namespace walrelay::sinks
