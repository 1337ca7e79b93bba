#include "sinks/row_identity.h"

#include <cstdint>
#include <cstring>

namespace walrelay::sinks {
namespace {

using replication::Value;
using replication::ValueState;

constexpr std::uint32_t kNull = 0xFFFFFFFF, kNotSent = 0xFFFFFFFE;  // instead of a size

// The next column's bytes of an identity, with its size; it is taken off the front.
std::string_view take_column(std::string_view& identity) {
  std::uint32_t size = 0;
  std::memcpy(&size, identity.data(), sizeof size);
  const std::string_view column = identity.substr(0, sizeof size + (size == kNull || size == kNotSent ? 0 : size));
  identity.remove_prefix(column.size());
  return column;
}

bool was_sent(std::string_view column) {
  std::uint32_t size = 0;
  std::memcpy(&size, column.data(), sizeof size);
  return size != kNotSent;
}

}  // namespace

void append_row_identity(replication::Row row, const std::vector<std::size_t>& columns, std::string& out) {
  for (const std::size_t column : columns) {
    const Value& value = row[column];
    const std::uint32_t size = value.has_text()                  ? static_cast<std::uint32_t>(value.text.size())
                               : value.state == ValueState::null ? kNull
                                                                 : kNotSent;
    char bytes[sizeof size];
    std::memcpy(bytes, &size, sizeof size);
    out.append(bytes, sizeof bytes);
    if (value.has_text()) out.append(value.text);
  }
}

std::optional<std::string_view> next_of_identity(std::string_view& identity) {
  std::uint32_t size = kNull;
  if (identity.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, identity.data(), sizeof size);
  identity.remove_prefix(sizeof size);
  if (size >= kNotSent) return std::nullopt;
  const std::string_view text = identity.substr(0, size);
  identity.remove_prefix(text.size());
  return text;
}

bool is_whole_identity(std::string_view part) {
  while (!part.empty()) {
    if (!was_sent(take_column(part))) return false;
  }
  return true;
}

bool may_be_same_row(std::string_view part, std::string_view identity) {
  while (!part.empty() && !identity.empty()) {
    const std::string_view wanted = take_column(part), found = take_column(identity);
    if (was_sent(wanted) && was_sent(found) && wanted != found) return false;
  }
  return part.empty() && identity.empty();
}

}  // namespace walrelay::sinks
