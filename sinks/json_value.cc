#include "sinks/json_value.h"

namespace walrelay::sinks {
namespace {

using replication::ColumnType;
using replication::TypeKind;

constexpr std::size_t kMostDepth = 64;
constexpr int kMostDimensions = 6;  // as in PostgreSQL

void append_timestamp(std::string& out, std::string_view text, bool zone) {
  const std::size_t space = text.find(' ');
  const bool plain = space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos;
  if (!plain || text[0] < '0' || text[0] > '9') return append_json_string(out, text);
  std::string_view time = text.substr(space + 1);
  const bool utc = zone && time.ends_with("+00");
  if (utc) time.remove_suffix(3);
  append_json_string(out, text.substr(0, space));
  out.back() = 'T';
  const std::size_t quote = out.size();
  append_json_string(out, time);
  out.erase(quote, 1);
  if (utc) out.insert(out.size() - 1, 1, 'Z');
}

}  // namespace

// A cursor over an array's or a composite's text form.
class JsonValues::Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool skip(char byte) {
    if (at_end() || text_[at_] != byte) return false;
    ++at_;
    return true;
  }

  // "[0:2][1:3]=" before an array with other lower bounds than 1.
  bool skip_bounds() {
    if (peek() != '[') return true;
    while (skip('[')) {
      if (!skip_integer() || !skip(':') || !skip_integer() || !skip(']')) return false;
    }
    return skip('=');
  }

  struct Item {
    std::string_view text;  // in the literal, or in the given buffer when it had escapes
    bool quoted = false;
  };

  // Reads up to a byte of `ends` outside quotes. Backslash takes the next byte as it is; so does a quote its twin where
  // `doubled` (composites). False when the text ends before.
  bool read(std::string_view ends, bool doubled, std::string& buffer, Item& item) {
    buffer.clear();
    item = {};
    const std::size_t begin = at_;
    bool inside = false, changed = false;
    for (; !at_end(); ++at_) {
      char byte = text_[at_];
      if (byte == '"') {
        const bool twin = doubled && inside && at_ + 1 < text_.size() && text_[at_ + 1] == '"';
        start_buffer(begin, changed, buffer);
        item.quoted = true;
        if (!twin) {
          inside = !inside;
          continue;
        }
        ++at_;
      } else if (byte == '\\') {
        start_buffer(begin, changed, buffer);
        if (++at_ == text_.size()) return false;
        byte = text_[at_];
      } else if (!inside && ends.find(byte) != std::string_view::npos) {
        item.text = changed ? std::string_view(buffer) : text_.substr(begin, at_ - begin);
        return true;
      }
      if (changed) buffer.push_back(byte);
    }
    return false;
  }

 private:
  bool skip_integer() {
    skip('-');
    const std::size_t begin = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > begin;
  }

  void start_buffer(std::size_t begin, bool& changed, std::string& buffer) const {
    if (!changed) buffer.assign(text_.substr(begin, at_ - begin));
    changed = true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

namespace {

bool is_null_word(std::string_view text) {
  return text.size() == 4 && (text[0] | 32) == 'n' && (text[1] | 32) == 'u' && (text[2] | 32) == 'l' &&
         (text[3] | 32) == 'l';
}

}  // namespace

std::string& JsonValues::scratch(std::size_t depth) {
  while (scratch_.size() <= depth) scratch_.emplace_back();
  return scratch_[depth];
}

bool JsonValues::append_of_profile(const ColumnType& type, std::string_view text, std::size_t depth,
                                   std::string& out) const {
  if (type.kind == TypeKind::bytea) {
    if (style_.bytea == JsonStyle::Bytea::base64) return false;  // as plain has it
    if (style_.bytea == JsonStyle::Bytea::hex) return append_json_string(out, text), true;
  }
  if (style_.profile == JsonStyle::Profile::node_pg) return append_as_node(type, text, depth > 0, out);
  return style_.profile == JsonStyle::Profile::go && append_as_go(type, text, out);
}

void JsonValues::append(const ColumnType* type, std::string_view text, std::size_t depth, std::string& out) {
  if (type != nullptr && append_of_profile(*type, text, depth, out)) return;
  switch (type == nullptr ? TypeKind::other : type->kind) {
    case TypeKind::boolean:
      if (text == "t" || text == "f") {
        out.append(text == "t" ? "true" : "false");
        return;
      }
      break;
    case TypeKind::integer:
    case TypeKind::numeric:
    case TypeKind::floating:
      if (is_json_number(text)) {
        out.append(text);
        return;
      }
      break;
    case TypeKind::json:
      if (validator_.valid(text)) {
        out.append(text);
        return;
      }
      break;
    case TypeKind::timestamp:
      return append_timestamp(out, text, false);
    case TypeKind::timestamptz:
      return append_timestamp(out, text, true);
    case TypeKind::bytea:
      out.push_back('"');
      if (append_base64_of_hex(out, text)) {
        out.push_back('"');
        return;
      }
      out.pop_back();
      break;
    case TypeKind::array:
    case TypeKind::composite:
      if (append_nested(*type, text, depth, out)) return;
      break;
    default:
      break;
  }
  append_json_string(out, text);
}

bool JsonValues::append_nested(const ColumnType& type, std::string_view text, std::size_t depth, std::string& out) {
  if (depth >= kMostDepth) return false;
  const std::size_t kept = out.size();
  const bool good =
      type.kind == TypeKind::array ? append_array(type, text, depth, out) : append_composite(type, text, depth, out);
  if (!good) out.resize(kept);
  return good;
}

bool JsonValues::append_array(const ColumnType& type, std::string_view text, std::size_t depth, std::string& out) {
  Literal literal(text);
  return literal.skip_bounds() && append_dimension(type, literal, depth, 1, out) && literal.at_end();
}

bool JsonValues::append_dimension(const ColumnType& type, Literal& literal, std::size_t depth, int dimension,
                                  std::string& out) {
  if (dimension > kMostDimensions || !literal.skip('{')) return false;
  out.push_back('[');
  const char ends[] = {type.delimiter, '}', '{'};
  for (bool first = true; !(first && literal.skip('}')); first = false) {
    if (!first) out.push_back(',');
    if (literal.peek() == '{') {
      if (!append_dimension(type, literal, depth, dimension + 1, out)) return false;
    } else {
      Literal::Item item;
      if (!literal.read(std::string_view(ends, sizeof ends), false, scratch(depth), item)) return false;
      if (!item.quoted && item.text.empty()) return false;
      if (!item.quoted && is_null_word(item.text)) {
        out.append("null");
      } else {
        append(type.element, item.text, depth + 1, out);
      }
    }
    if (literal.skip('}')) break;
    if (!literal.skip(type.delimiter)) return false;
  }
  out.push_back(']');
  return true;
}

bool JsonValues::append_composite(const ColumnType& type, std::string_view text, std::size_t depth, std::string& out) {
  Literal literal(text);
  if (!literal.skip('(')) return false;
  out.push_back('{');
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    if (i > 0 && !literal.skip(',')) return false;
    if (i > 0) out.push_back(',');
    append_json_string(out, type.fields[i].name);
    out.push_back(':');
    Literal::Item item;
    if (!literal.read(",)", true, scratch(depth), item)) return false;
    if (!item.quoted && item.text.empty()) {
      out.append("null");
    } else {
      append(type.fields[i].type, item.text, depth + 1, out);
    }
  }
  out.push_back('}');
  return literal.skip(')') && literal.at_end();
}

}  // namespace walrelay::sinks
