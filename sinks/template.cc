#include "sinks/template.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "sinks/nearest_name.h"

namespace walrelay::sinks {
namespace {

constexpr std::array<bool, 256> kMustEncode = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0; byte <= 0x20; ++byte) table[byte] = true;
  for (const char byte : {'%', ':', '{', '}', '\x7f'}) table[static_cast<unsigned char>(byte)] = true;
  return table;
}();

[[noreturn]] void wrong(std::string_view text, std::size_t at, const std::string& what) {
  throw std::invalid_argument("\"" + std::string(text) + "\": " + what + " (character " + std::to_string(at + 1) + ")");
}

// Reads the placeholder that begins after the brace at `at`; gives the place after its closing brace.
std::size_t parse_placeholder(std::string_view text, std::size_t at, TemplatePart& part) {
  const std::size_t end = text.find_first_of("{}", at + 1);
  if (end == std::string_view::npos || text[end] == '{') {
    wrong(text, at, "this '{' is never closed; write '{{' for a brace in the key");
  }
  std::string_view inside = text.substr(at + 1, end - at - 1);
  if (const std::size_t bar = inside.rfind('|'); bar != std::string_view::npos) {
    const std::string_view modifier = inside.substr(bar + 1);
    if (modifier != "enc") {
      wrong(text, at,
            "unknown modifier \"" + std::string(modifier) + "\"; the only one is \"enc\", as in {column|enc}");
    }
    part.encoded = true;
    inside = inside.substr(0, bar);
  }
  if (inside.empty()) wrong(text, at, "a placeholder needs the name of a column");
  part.name = inside;
  return end + 1;
}

std::optional<std::size_t> find_column(const replication::Relation& relation, std::string_view name) {
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].name == name) return i;
  }
  return std::nullopt;
}

// The text of a placeholder that is the same for every row of the relation.
std::optional<std::string> constant_text(const std::string& name, bool column_exists,
                                         const replication::Relation& relation, const Captures& captures) {
  if (const auto capture = captures.find(name); capture != captures.end()) return capture->second;
  if (column_exists) return std::nullopt;
  if (name == "table") return relation.name;
  if (name == "schema") return relation.schema;
  return std::nullopt;
}

[[noreturn]] void unknown_name(const std::string& name, const replication::Relation& relation,
                               const Captures& captures) {
  std::vector<std::string> known{"table", "schema"};
  for (const auto& column : relation.columns) known.push_back(column.name);
  for (const auto& [capture, matched] : captures) known.push_back(capture);
  throw std::invalid_argument("there is no column \"" + name + "\"" + did_you_mean(name, known));
}

}  // namespace

bool must_encode(unsigned char byte) { return kMustEncode[byte]; }

void append_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (!must_encode(byte)) continue;
    out.append(text.substr(copied, i - copied));
    copied = i + 1;
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  out.append(text.substr(copied));
}

Template parse_template(std::string_view text) {
  Template result;
  for (std::size_t at = 0; at < text.size();) {
    const char byte = text[at];
    const bool doubled = at + 1 < text.size() && text[at + 1] == byte;
    if ((byte == '{' || byte == '}') && doubled) {
      result.tail.push_back(byte);
      at += 2;
    } else if (byte == '{') {
      TemplatePart part;
      at = parse_placeholder(text, at, part);
      part.literal.swap(result.tail);
      result.parts.push_back(std::move(part));
    } else if (byte == '}') {
      wrong(text, at, "this '}' closes nothing; write '}}' for a brace in the key");
    } else {
      result.tail.push_back(byte);
      ++at;
    }
  }
  return result;
}

std::optional<std::size_t> BoundTemplate::render(replication::Row row, std::string& out) const {
  for (const Part& part : parts_) {
    const replication::Value& value = row[part.column];
    if (!value.has_text()) return part.column;
    out.append(part.literal);
    if (part.encoded) {
      append_encoded(out, value.text);
    } else {
      out.append(value.text);
    }
  }
  out.append(tail_);
  return std::nullopt;
}

void BoundTemplate::render_known(replication::Row row, std::string& out) const {
  for (const Part& part : parts_) {
    out.append(part.literal);
    if (part.encoded) {
      append_encoded(out, row[part.column].text);
    } else {
      out.append(row[part.column].text);
    }
  }
  out.append(tail_);
}

bool BoundTemplate::uses(std::size_t column) const {
  return std::any_of(parts_.begin(), parts_.end(), [column](const Part& part) { return part.column == column; });
}

BoundTemplate bind_template(const Template& text, const replication::Relation& relation, const Captures& captures,
                            const FindLet& find_let) {
  std::vector<BoundTemplate::Part> parts;
  std::string literal;
  for (const TemplatePart& part : text.parts) {
    literal += part.literal;
    const auto let = find_let && !captures.contains(part.name) ? find_let(part.name) : std::nullopt;
    if (let) {
      parts.push_back({std::move(literal), *let, part.encoded, nullptr});
      literal.clear();
      continue;
    }
    const auto column = find_column(relation, part.name);
    if (const auto constant = constant_text(part.name, column.has_value(), relation, captures)) {
      if (part.encoded) {
        append_encoded(literal, *constant);
      } else {
        literal += *constant;
      }
      continue;
    }
    if (!column) unknown_name(part.name, relation, captures);
    parts.push_back({std::move(literal), *column, part.encoded, relation.columns[*column].type});
    literal.clear();
  }
  return {std::move(parts), literal + text.tail};
}

}  // namespace walrelay::sinks
