#include "config/json_text.h"

#include <algorithm>

namespace walrelay::config {

namespace {

std::string quote(const std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20) {
      out += "\\u00";
      out += kHex[code / 16];
      out += kHex[code % 16];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

Json Json::text(const std::string& value) { return Json(quote(value)); }

Json Json::texts(const std::vector<std::string>& values) {
  Json out = array();
  for (const std::string& value : values) out.add(text(value));
  return out;
}

Json& Json::add(const std::string& name, Json value) & {
  members_.emplace_back(name, std::move(value));
  return *this;
}

Json& Json::add(Json value) & { return add("", std::move(value)); }

Json&& Json::with(const std::string& name, Json value) && {
  add(name, std::move(value));
  return std::move(*this);
}

Json&& Json::with(Json value) && { return std::move(*this).with("", std::move(value)); }

std::string Json::print(int depth) const {
  if (kind_ == Kind::raw) return raw_;
  const bool is_object = kind_ == Kind::object;
  if (members_.empty()) return is_object ? "{}" : "[]";
  // What holds single values only stands in one line.
  constexpr std::size_t kFew = 8;
  const bool flat = members_.size() <= kFew && std::all_of(members_.begin(), members_.end(), [](const auto& member) {
                      return member.second.kind_ == Kind::raw && member.second.raw_.size() < 60;
                    });
  std::string out = is_object ? "{" : "[";
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i > 0) out += ",";
    if (flat && i > 0) out += ' ';
    if (!flat) out.append("\n").append(static_cast<std::size_t>(depth + 1) * 2, ' ');
    if (is_object) out += quote(members_[i].first) + ": ";
    out += members_[i].second.print(depth + 1);
  }
  if (!flat) out.append("\n").append(static_cast<std::size_t>(depth) * 2, ' ');
  return out + (is_object ? "}" : "]");
}

}  // namespace walrelay::config
