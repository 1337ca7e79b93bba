// Private to binary_*.cc: the formats, one function each. Every function takes the whole value, appends its text to
// `out`, and throws ProtocolError for malformed bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "replication/relation.h"

namespace walrelay::replication::binary {

enum class Format : std::uint8_t {
  none,  // not one of ours
  boolean,
  int2,
  int4,
  int8,
  oid,
  float4,
  float8,
  numeric,
  text,
  single_char,
  bytea,
  uuid,
  date,
  time,
  timetz,
  timestamp,
  timestamptz,
  interval,
  jsonb,
  inet,
  array,
};

Format format_of(const ColumnType& type);
// The value's text, whichever format it has; also of those whose bytes are their text.
void append_value(Format format, const ColumnType& type, std::string_view bytes, std::string& out);

void append_float4(std::string_view bytes, std::string& out);
void append_float8(std::string_view bytes, std::string& out);
void append_numeric(std::string_view bytes, std::string& out);
void append_date(std::string_view bytes, std::string& out);
void append_time(std::string_view bytes, std::string& out);
void append_timetz(std::string_view bytes, std::string& out);
void append_timestamp(std::string_view bytes, bool with_zone, std::string& out);
void append_interval(std::string_view bytes, std::string& out);
void append_inet(std::string_view bytes, std::string& out);
void append_array(const ColumnType& type, std::string_view bytes, std::string& out);

}  // namespace walrelay::replication::binary
