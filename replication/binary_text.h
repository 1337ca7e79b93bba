// From PostgreSQL's binary send formats to the text that PostgreSQL itself prints, byte for byte, under TimeZone=UTC,
// DateStyle=ISO, IntervalStyle=postgres, bytea_output=hex and extra_float_digits of 1 or more.
//
//   binary_text.cc    which format a type has; the short ones
//   binary_number.cc  float4, float8, numeric
//   binary_time.cc    date, time, timetz, timestamp, timestamptz, interval
//   binary_inet.cc    inet, cidr
//   binary_array.cc   arrays of all of these
//
// Sending binary saves the server a quarter of its decoding time; a type whose text we cannot make exactly keeps its
// table on text.
#pragma once

#include <string>
#include <string_view>

#include "replication/reader.h"
#include "replication/relation.h"

namespace walrelay::replication {

// True when binary_to_text() gives exactly the server's own text for every value of the type. Domains are judged by
// what they are based on, enumerations are their labels, arrays are judged by their elements. Two known borders: an
// interval whose three parts all have their largest value is printed as infinity, as PostgreSQL 17 and later mean it;
// a "char" above 0x7F is printed in octal, as PostgreSQL 15 and later do.
bool binary_is_exact(const ColumnType& type);

// The text of one value (not of NULL). Where the binary form is the text, a view into `bytes`; else the text is
// appended to `scratch`, and nothing else is, and the view is of that part: it dies when `scratch` grows. A caller with
// several values therefore remembers scratch.size() before each call, and makes the views when all are done. Throws
// ProtocolError for malformed bytes, and for a type that is not exact.
std::string_view binary_to_text(const ColumnType& type, std::string_view bytes, std::string& scratch);

}  // namespace walrelay::replication
