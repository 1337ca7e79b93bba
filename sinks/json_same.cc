// Both texts are written anew in one form, which is compared.
#include "sinks/json_same.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include "sinks/json_name.h"
#include "sinks/json_text.h"

namespace walrelay::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kMostDepth = 512;

bool append_number(std::string_view token, std::string& out) {
  if (!is_json_number(token)) return false;
  std::int64_t integer = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), integer);
  if (error == std::errc() && end == token.data() + token.size()) {
    out.append(std::to_string(integer));
    return true;
  }
  const double number = std::strtod(std::string(token).c_str(), nullptr);
  std::array<char, 400> digits{};  // without an exponent: 1e2 is 100
  const auto printed = std::to_chars(digits.data(), digits.data() + digits.size(), number, std::chars_format::fixed);
  if (printed.ec == std::errc()) out.append(digits.data(), printed.ptr);
  return printed.ec == std::errc();
}

bool append_value(ondemand::value value, int depth, std::string& out);

bool append_array(ondemand::array array, int depth, std::string& out) {
  out.push_back('[');
  for (auto element : array) {
    ondemand::value value;
    if (element.get(value) != simdjson::SUCCESS || !append_value(value, depth + 1, out)) return false;
    out.push_back(',');
  }
  out.push_back(']');
  return true;
}

bool append_object(ondemand::object object, int depth, std::string& out) {
  std::map<std::string, std::string> members;
  for (auto member : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(member).get(field) != simdjson::SUCCESS) return false;
    if (!member_name(field, name)) return false;
    std::string& value = members[std::string(name)];
    value.clear();
    if (!append_value(field.value(), depth + 1, value)) return false;
  }
  out.push_back('{');
  for (const auto& [name, value] : members) {
    append_json_string(out, name);
    out.append(":").append(value).append(",");
  }
  out.push_back('}');
  return true;
}

bool append_scalar(std::string_view token, std::string& out) {
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  token = token.substr(0, end == std::string_view::npos ? 0 : end + 1);
  if (token != "true" && token != "false" && token != "null") return append_number(token, out);
  out.append(token);
  return true;
}

bool append_value(ondemand::value value, int depth, std::string& out) {
  ondemand::json_type type{};
  if (depth > kMostDepth || value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case ondemand::json_type::array: {
      ondemand::array array;
      return value.get_array().get(array) == simdjson::SUCCESS && append_array(array, depth, out);
    }
    case ondemand::json_type::object: {
      ondemand::object object;
      return value.get_object().get(object) == simdjson::SUCCESS && append_object(object, depth, out);
    }
    case ondemand::json_type::string: {
      std::string_view text;
      if (value.get_string().get(text) != simdjson::SUCCESS) return false;
      append_json_string(out, text);
      return true;
    }
    default:
      return append_scalar(value.raw_json_token(), out);
  }
}

// In brackets, so that a lone scalar is an element like any other; "1],[2" is no JSON all the same.
std::optional<std::string> rewritten(std::string_view text) {
  std::string bracketed("[");
  bracketed.append(text).push_back(']');
  const std::size_t size = bracketed.size();
  bracketed.append(simdjson::SIMDJSON_PADDING, ' ');
  ondemand::parser parser;
  ondemand::document document;
  ondemand::array array;
  if (parser.iterate(std::string_view(bracketed.data(), size), bracketed.size()).get(document) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::string out;
  if (document.get_array().get(array) != simdjson::SUCCESS || !append_array(array, 0, out)) return std::nullopt;
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) return std::nullopt;  // something is left
  return out;
}

}  // namespace

bool same_json(std::string_view left, std::string_view right) {
  if (left == right) return true;
  const auto one = rewritten(left), other = rewritten(right);
  return one && one == other;
}

}  // namespace walrelay::sinks
