#include "replication/copy_row.h"

#include <charconv>
#include <cstring>

namespace walrelay::replication {
namespace {

constexpr std::string_view kNullMark = "\\N";
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::uint32_t kCriticalFlags = 0xFFFF0000;

[[noreturn]] void fail_line(const Relation& relation, const char* fault) {
  throw ProtocolError("PostgreSQL's COPY line of " + relation.qualified() + " " + fault);
}

int digit_value(char c, int base) {
  int value = -1;
  std::from_chars(&c, &c + 1, value, base);
  return value;
}

// Up to `most` digits from `at` on; `at` moves behind them.
char take_digits(std::string_view field, std::size_t& at, int base, int most) {
  int value = 0;
  for (int i = 0; i < most && at < field.size(); ++i) {
    const int digit = digit_value(field[at], base);
    if (digit < 0) break;
    value = value * base + digit;
    ++at;
  }
  return static_cast<char>(value);  // three octal digits can exceed a byte; PostgreSQL drops the ninth bit too
}

// The character that the escape at field[at] stands for; `at` is behind the backslash and moves behind the escape.
char take_escape(std::string_view field, std::size_t& at) {
  const char c = field[at];
  if (c >= '0' && c <= '7') return take_digits(field, at, 8, 3);
  ++at;
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'x':
      return at < field.size() && digit_value(field[at], 16) >= 0 ? take_digits(field, at, 16, 2) : c;
    default:
      return c;
  }
}

// Appends `field` without its escapes. `field` does not end in the middle of one.
void append_unescaped(std::string_view field, std::string& out) {
  std::size_t at = 0;
  while (at < field.size()) {
    const auto backslash = std::min(field.find('\\', at), field.size());
    out += field.substr(at, backslash - at);
    at = backslash;
    if (at == field.size()) break;
    ++at;
    out.push_back(take_escape(field, at));
  }
}

// The end of the field that starts at `at`: the next tab that no backslash protects, or the end of the line.
std::size_t field_end(std::string_view line, std::size_t at, const Relation& relation) {
  for (; at < line.size() && line[at] != '\t'; ++at) {
    if (line[at] != '\\') continue;
    ++at;  // over what the backslash protects
    if (at == line.size()) fail_line(relation, "ends within an escape.");
  }
  return at;
}

void read_header(Reader& in) {
  if (in.bytes(kSignature.size()) != kSignature) in.fail("lacks its signature");
  if ((in.u32() & kCriticalFlags) != 0) in.fail("has unknown flags");
  in.counted();
}

}  // namespace

Row CopyTextRow::decode(const Relation& relation, std::string_view line, const Encoding* encoding) {
  const auto newline = line.find('\n');
  if (newline == std::string_view::npos) fail_line(relation, "has no end.");
  if (newline + 1 != line.size()) fail_line(relation, "has a newline in it.");
  line.remove_suffix(1);
  const std::size_t columns = relation.columns.size();
  const bool escapes = line.find('\\') != std::string_view::npos;
  buffer_.start(columns);
  if (columns == 0 && line.empty()) return buffer_.finish();  // an empty line is no column or one empty text
  std::size_t column = 0;
  for (std::size_t start = 0;; ++column) {
    const auto end = escapes ? field_end(line, start, relation) : std::min(line.find('\t', start), line.size());
    const auto field = line.substr(start, end - start);
    if (column < columns) {
      if (!escapes || field.find('\\') == std::string_view::npos) {
        buffer_.set_text(column, field, encoding);
      } else if (field == kNullMark) {
        buffer_.set(column, ValueState::null);
      } else {
        const auto offset = buffer_.arena().size();
        append_unescaped(field, buffer_.arena());
        buffer_.set_from_arena(column, offset, encoding);
      }
    }
    if (end == line.size()) break;
    start = end + 1;
  }
  if (column + 1 != columns) fail_column_count(relation, column + 1);
  return buffer_.finish();
}

std::optional<Row> CopyBinaryRow::decode(const Relation& relation, std::string_view copy_data,
                                         const Encoding* encoding) {
  Reader in(copy_data, "binary COPY row");
  if (state_ != State::rows) {
    read_header(in);
    state_ = State::rows;
    if (in.remaining() == 0) return std::nullopt;
  }
  const int count = in.i16();
  if (count == -1) {
    in.expect_end();
    state_ = State::ended;
    return std::nullopt;
  }
  if (count < 0) in.fail("has a negative number of columns");
  const auto columns = static_cast<std::size_t>(count);
  if (columns != relation.columns.size()) fail_column_count(relation, columns);
  buffer_.start(columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const auto length = in.i32();
    if (length == -1) {
      buffer_.set(i, ValueState::null);
    } else {
      if (length < 0) in.fail("has a value of negative length");
      buffer_.set_binary(i, relation.columns[i], in.bytes(static_cast<std::size_t>(length)), encoding);
    }
  }
  in.expect_end();
  return buffer_.finish();
}

}  // namespace walrelay::replication
