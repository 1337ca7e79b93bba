// Walks the value with simdjson's On-Demand interface, which checks strings and structure as it goes but hands numbers
// over as text: the DOM would refuse those beyond 64 bits and doubles.
#include <simdjson.h>

#include "sinks/json_name.h"
#include "sinks/json_text.h"

namespace walrelay::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kMostDepth = 512;

std::string_view trimmed(std::string_view token) {
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  return token.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

bool walk(ondemand::value value, int depth);

bool walk_array(ondemand::array array, int depth) {
  for (auto element : array) {
    ondemand::value value;
    if (element.get(value) != simdjson::SUCCESS || !walk(value, depth + 1)) return false;
  }
  return true;
}

bool walk_object(ondemand::object object, int depth) {
  for (auto member : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(member).get(field) != simdjson::SUCCESS) return false;
    if (!member_name(field, key) || !walk(field.value(), depth + 1)) return false;
  }
  return true;
}

bool walk(ondemand::value value, int depth) {
  ondemand::json_type type{};
  if (depth > kMostDepth || value.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case ondemand::json_type::array: {
      ondemand::array array;
      return value.get_array().get(array) == simdjson::SUCCESS && walk_array(array, depth);
    }
    case ondemand::json_type::object: {
      ondemand::object object;
      return value.get_object().get(object) == simdjson::SUCCESS && walk_object(object, depth);
    }
    case ondemand::json_type::string: {
      std::string_view text;
      return value.get_string().get(text) == simdjson::SUCCESS;
    }
    default:
      break;
  }
  // Left unread: going on to the next element skips it.
  const std::string_view token = trimmed(value.raw_json_token());
  return token == "true" || token == "false" || token == "null" || is_json_number(token);
}

// In brackets, so that a lone number is an element like any other; "1],[2" and "1,2" must still be refused.
bool is_one_element(ondemand::parser& parser, std::string_view bracketed, std::size_t capacity) {
  ondemand::document document;
  ondemand::array array;
  if (parser.iterate(bracketed, capacity).get(document) != simdjson::SUCCESS) return false;
  if (document.get_array().get(array) != simdjson::SUCCESS) return false;
  std::size_t elements = 0;
  for (auto element : array) {
    ondemand::value value;
    if (++elements > 1 || element.get(value) != simdjson::SUCCESS || !walk(value, 0)) return false;
  }
  return elements == 1 && document.current_location().error() == simdjson::OUT_OF_BOUNDS;  // nothing is left
}

}  // namespace

struct JsonValidator::State {
  ondemand::parser parser;
  std::string text;  // the value in brackets, with simdjson's padding behind it
};

JsonValidator::JsonValidator() = default;
JsonValidator::~JsonValidator() = default;
JsonValidator::JsonValidator(JsonValidator&&) noexcept = default;
JsonValidator& JsonValidator::operator=(JsonValidator&&) noexcept = default;

bool JsonValidator::valid(std::string_view text) {
  if (!state_) state_ = std::make_unique<State>();
  std::string& bracketed = state_->text;
  bracketed.assign(1, '[').append(text).push_back(']');
  const std::size_t size = bracketed.size();
  bracketed.append(simdjson::SIMDJSON_PADDING, ' ');
  return is_one_element(state_->parser, std::string_view(bracketed.data(), size), bracketed.size());
}

}  // namespace walrelay::sinks
