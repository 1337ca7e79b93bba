#include "sinks/json_pairs.h"

#include <simdjson.h>

namespace walrelay::sinks {
namespace {

namespace ondemand = simdjson::ondemand;

bool read_text(ondemand::value value, std::optional<std::string>& out) {
  std::string_view text;
  bool null = false;
  if (value.is_null().get(null) != simdjson::SUCCESS) return false;
  if (null) return true;
  if (value.get_string().get(text) != simdjson::SUCCESS) return false;
  out.emplace(text);
  return true;
}

bool read_pair(ondemand::array pair, TextPair& out) {
  std::size_t count = 0;
  for (auto element : pair) {
    ondemand::value value;
    if (element.get(value) != simdjson::SUCCESS || count == 2) return false;
    if (!read_text(value, count == 0 ? out.first : out.second)) return false;
    ++count;
  }
  return count == 2;
}

}  // namespace

std::optional<std::vector<TextPair>> read_pairs(std::string_view json) {
  std::string padded(json);
  padded.append(simdjson::SIMDJSON_PADDING, ' ');
  ondemand::parser parser;
  ondemand::document document;
  ondemand::array pairs;
  if (parser.iterate(std::string_view(padded.data(), json.size()), padded.size()).get(document) != simdjson::SUCCESS ||
      document.get_array().get(pairs) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  std::vector<TextPair> all;
  for (auto element : pairs) {
    ondemand::array pair;
    if (element.get_array().get(pair) != simdjson::SUCCESS || !read_pair(pair, all.emplace_back())) return std::nullopt;
  }
  return all;
}

}  // namespace walrelay::sinks
