// Arrays:
//
//   dimensions:4 flags:4 element type:4 { size:4 lower bound:4 } { length:4 (-1 NULL) element }
//   {a,"b c",NULL}     {{1,2},{3,4}}     [0:1]={1,2}      "[l:u]=" as soon as one lower bound is not 1
//
// The element's OID is not compared with the catalogue's: an array over a domain names the domain there.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "replication/binary_codec.h"
#include "replication/reader.h"

namespace walrelay::replication::binary {
namespace {

constexpr std::size_t kMostDimensions = 6;
constexpr std::size_t kLengthBytes = 4;

struct Dimension {
  std::int32_t size = 0;
  std::int32_t lower = 1;
};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_null_word(std::string_view text) {
  constexpr std::string_view kNull = "null";
  return std::equal(text.begin(), text.end(), kNull.begin(), kNull.end(),
                    [](char c, char lower) { return (c | 0x20) == lower; });
}

bool needs_quotes(std::string_view text, char delimiter) {
  if (text.empty() || is_null_word(text)) return true;
  return std::any_of(text.begin(), text.end(), [delimiter](char c) {
    return c == '"' || c == '\\' || c == '{' || c == '}' || c == delimiter || is_space(c);
  });
}

// Puts what stands in `out` from `start` on between quotes, with a backslash before quotes and backslashes. From the
// back to the front, so that it works in place.
void quote(std::string& out, std::size_t start) {
  const auto escaped = std::count_if(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
                                     [](char c) { return c == '"' || c == '\\'; });
  std::size_t from = out.size();
  std::size_t to = from + static_cast<std::size_t>(escaped) + 2;
  out.resize(to);
  out[--to] = '"';
  while (from > start) {
    const char c = out[--from];
    out[--to] = c;
    if (c == '"' || c == '\\') out[--to] = '\\';
  }
  out[start] = '"';
}

class ArrayText {
 public:
  ArrayText(const ColumnType& type, Reader& in, std::string& out)
      : in_(in), out_(out), element_(*type.element), format_(format_of(element_)), delimiter_(type.delimiter) {}

  void put_level(std::span<const Dimension> dimensions) {
    out_.push_back('{');
    for (std::int32_t i = 0; i < dimensions.front().size; ++i) {
      if (i > 0) out_.push_back(delimiter_);
      if (dimensions.size() > 1) {
        put_level(dimensions.subspan(1));
      } else {
        put_element();
      }
    }
    out_.push_back('}');
  }

 private:
  void put_element() {
    const auto length = in_.i32();
    if (length == -1) {
      out_ += "NULL";
      return;
    }
    if (length < 0) in_.fail("has an element of negative length");
    const auto start = out_.size();
    append_value(format_, element_, in_.bytes(static_cast<std::size_t>(length)), out_);
    if (needs_quotes(std::string_view(out_).substr(start), delimiter_)) quote(out_, start);
  }

  Reader& in_;
  std::string& out_;
  const ColumnType& element_;
  Format format_;
  char delimiter_;
};

}  // namespace

void append_array(const ColumnType& type, std::string_view bytes, std::string& out) {
  Reader in(bytes, "binary array");
  const std::size_t count = in.u32();
  if (count > kMostDimensions) in.fail("has too many dimensions");
  if (in.u32() > 1) in.fail("has unknown flags");
  in.u32();
  std::array<Dimension, kMostDimensions> all;
  const auto dimensions = std::span(all).first(count);
  std::uint64_t elements = count == 0 ? 0 : 1;
  for (auto& dimension : dimensions) {
    dimension = {in.i32(), in.i32()};
    if (dimension.size < 0) in.fail("has a dimension of negative size");
    elements *= static_cast<std::uint32_t>(dimension.size);
    // Each element has at least its length: what claims more than the bytes can hold is refused before it is walked.
    if (elements > bytes.size() / kLengthBytes) in.fail("has fewer elements than its dimensions say");
  }
  if (elements == 0) {
    out += "{}";
  } else {
    if (std::any_of(dimensions.begin(), dimensions.end(), [](const Dimension& d) { return d.lower != 1; })) {
      for (const auto& [size, lower] : dimensions) {
        out.append("[").append(std::to_string(lower)).append(":");
        out.append(std::to_string(std::int64_t{lower} + size - 1)).append("]");
      }
      out.push_back('=');
    }
    ArrayText(type, in, out).put_level(dimensions);
  }
  in.expect_end();
}

}  // namespace walrelay::replication::binary
