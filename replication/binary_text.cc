#include "replication/binary_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "replication/binary_codec.h"

namespace walrelay::replication {
namespace binary {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";
constexpr Oid kFirstUserOid = 16384;

struct BuiltinFormat {
  Oid oid;
  Format format;
};

constexpr auto kBuiltinFormats = std::to_array<BuiltinFormat>({
    {16, Format::boolean},    {17, Format::bytea},    {18, Format::single_char}, {19, Format::text},    // name
    {20, Format::int8},       {21, Format::int2},     {23, Format::int4},        {25, Format::text},    // text
    {26, Format::oid},        {114, Format::text},                                                      // json
    {650, Format::inet},                                                                                // cidr
    {700, Format::float4},    {701, Format::float8},  {869, Format::inet},       {1042, Format::text},  // bpchar
    {1043, Format::text},                                                                               // varchar
    {1082, Format::date},     {1083, Format::time},   {1114, Format::timestamp}, {1184, Format::timestamptz},
    {1186, Format::interval}, {1266, Format::timetz}, {1700, Format::numeric},   {2950, Format::uuid},
    {3802, Format::jsonb},
});

// By OID: asked for every value.
constexpr auto kFormatOf = [] {
  std::array<Format, kBuiltinFormats.back().oid + 1> formats{};
  for (const BuiltinFormat& builtin : kBuiltinFormats) formats[builtin.oid] = builtin.format;
  return formats;
}();
static_assert(Format{} == Format::none);

struct NamedFormat {
  std::string_view name;
  Format format;
};

// A domain has an OID of its own but the name of the type that it is based on, as format_type() prints it. Types of
// other schemas are printed with their schema, so that none of them can pass for one of these.
constexpr auto kNamedFormats = std::to_array<NamedFormat>({
    {"\"char\"", Format::single_char},
    {"bigint", Format::int8},
    {"boolean", Format::boolean},
    {"bytea", Format::bytea},
    {"character varying", Format::text},
    {"character", Format::text},
    {"cidr", Format::inet},
    {"date", Format::date},
    {"double precision", Format::float8},
    {"inet", Format::inet},
    {"integer", Format::int4},
    {"interval", Format::interval},
    {"json", Format::text},
    {"jsonb", Format::jsonb},
    {"name", Format::text},
    {"numeric", Format::numeric},
    {"oid", Format::oid},
    {"real", Format::float4},
    {"smallint", Format::int2},
    {"text", Format::text},
    {"time with time zone", Format::timetz},
    {"time without time zone", Format::time},
    {"timestamp with time zone", Format::timestamptz},
    {"timestamp without time zone", Format::timestamp},
    {"uuid", Format::uuid},
});

Format format_of_name(std::string_view name) {
  const auto* const found = std::find_if(kNamedFormats.begin(), kNamedFormats.end(),
                                         [&](const NamedFormat& named) { return named.name == name; });
  return found == kNamedFormats.end() ? Format::none : found->format;
}

template <class Integer>
void append_number(Integer number, std::string& out) {
  std::array<char, 24> buffer;
  out.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr);
}

void append_boolean(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary boolean");
  const auto truth = in.u8();
  in.expect_end();
  out.push_back(truth != 0 ? 't' : 'f');
}

void append_integer(Format format, std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary integer");
  if (format == Format::int2) {
    append_number(in.i16(), out);
  } else if (format == Format::int4) {
    append_number(in.i32(), out);
  } else if (format == Format::int8) {
    append_number(in.i64(), out);
  } else {
    append_number(in.u32(), out);
  }
  in.expect_end();
}

void append_hex(std::string_view bytes, std::string& out) {
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = kHexDigits[byte >> 4];
    out[at++] = kHexDigits[byte & 0x0F];
  }
}

void append_bytea(std::string_view bytes, std::string& out) {
  out += "\\x";
  append_hex(bytes, out);
}

void append_uuid(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary uuid");
  for (const std::size_t group : {4U, 2U, 2U, 2U, 6U}) {
    if (in.remaining() < 16) out.push_back('-');
    append_hex(in.bytes(group), out);
  }
  in.expect_end();
}

void append_char(std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary \"char\"");
  const unsigned byte = in.u8();
  in.expect_end();
  if (byte >= 0x80) {
    out.push_back('\\');
    for (const unsigned shift : {6U, 3U, 0U}) out.push_back(static_cast<char>('0' + ((byte >> shift) & 7U)));
  } else if (byte != 0) {
    out.push_back(static_cast<char>(byte));
  }
}

std::string_view jsonb_text(std::string_view bytes) {
  Reader in(bytes, "binary jsonb");
  if (in.u8() != 1) in.fail("is of an unknown version");
  return in.take_rest();
}

}  // namespace

Format format_of(const ColumnType& type) {
  if (type.kind == TypeKind::enumeration) return Format::text;
  if (type.kind == TypeKind::array) {
    const bool exact = type.element != nullptr && format_of(*type.element) != Format::none;
    return exact ? Format::array : Format::none;
  }
  if (type.oid < kFormatOf.size()) [[likely]]
    return kFormatOf[type.oid];
  return type.oid >= kFirstUserOid ? format_of_name(type.name) : Format::none;
}

void append_value(Format format, const ColumnType& type, std::string_view bytes, std::string& out) {
  switch (format) {
    case Format::boolean:
      return append_boolean(bytes, out);
    case Format::int2:
    case Format::int4:
    case Format::int8:
    case Format::oid:
      return append_integer(format, bytes, out);
    case Format::float4:
      return append_float4(bytes, out);
    case Format::float8:
      return append_float8(bytes, out);
    case Format::numeric:
      return append_numeric(bytes, out);
    case Format::text:
      out += bytes;
      return;
    case Format::single_char:
      return append_char(bytes, out);
    case Format::bytea:
      return append_bytea(bytes, out);
    case Format::uuid:
      return append_uuid(bytes, out);
    case Format::date:
      return append_date(bytes, out);
    case Format::time:
      return append_time(bytes, out);
    case Format::timetz:
      return append_timetz(bytes, out);
    case Format::timestamp:
    case Format::timestamptz:
      return append_timestamp(bytes, format == Format::timestamptz, out);
    case Format::interval:
      return append_interval(bytes, out);
    case Format::jsonb:
      out += jsonb_text(bytes);
      return;
    case Format::inet:
      return append_inet(bytes, out);
    case Format::array:
      return append_array(type, bytes, out);
    case Format::none:
      break;
  }
  throw ProtocolError("PostgreSQL sent a value of type " + type.name +
                      " in binary, which is only asked for where its text can be made exactly.");
}

}  // namespace binary

bool binary_is_exact(const ColumnType& type) { return binary::format_of(type) != binary::Format::none; }

std::string_view binary_to_text(const ColumnType& type, std::string_view bytes, std::string& scratch) {
  const auto format = binary::format_of(type);
  if (format == binary::Format::text) return bytes;
  if (format == binary::Format::jsonb) return binary::jsonb_text(bytes);
  const auto start = scratch.size();
  binary::append_value(format, type, bytes, scratch);
  return std::string_view(scratch).substr(start);
}

}  // namespace walrelay::replication
