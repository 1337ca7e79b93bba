#include "config/reading.h"

#include <algorithm>

#include "config/nearest.h"

namespace walrelay::config {

void Reading::complain(const Place& place, const std::string& complaint) const {
  mistakes_.add(place, name_ + ": " + complaint);
}

void Reading::unknown_key(const Node& key, const std::vector<std::string>& known) const {
  complain(key.place, "unknown key" + shown_name(key.text) + did_you_mean(key.text, known));
}

std::optional<Given> Reading::scalar(const Node& node) const {
  return read_scalar(node, name_, environment_, mistakes_);
}

std::string Reading::text(const Node& node) const {
  auto given = scalar(node);
  if (!given) return "";
  if (given->text.empty()) complain(given->place, "must not be empty");
  return std::move(given->text);
}

std::string Reading::expression(const Node& node) const {
  auto given = scalar(node);
  if (!given) return "";
  if (given->text.find_first_not_of(" \t\r\n") == std::string::npos) {
    complain(given->place, "must not be empty");
    return "";
  }
  return std::move(given->text);
}

std::string Reading::choice(const Node& node, const std::vector<std::string>& choices) const {
  auto given = scalar(node);
  if (!given) return "";
  if (std::find(choices.begin(), choices.end(), given->text) == choices.end()) {
    complain(given->place, shown(*given) + " is not allowed; write " + either(choices));
    return "";
  }
  return std::move(given->text);
}

std::optional<milliseconds> Reading::duration(const Node& node) const {
  const auto given = scalar(node);
  if (!given) return {};
  const auto duration = parse_duration(given->text);
  const std::string what = parse_integer(given->text) ? " has no unit; " : " is no duration; ";
  if (!duration) complain(given->place, shown(*given) + what + std::string(kDurationRule));
  return duration;
}

std::optional<bool> Reading::flag(const Node& node) const {
  const auto given = scalar(node);
  if (!given) return {};
  const auto flag = parse_flag(given->text);
  if (!flag) complain(given->place, shown(*given) + " is neither true nor false");
  return flag;
}

std::optional<std::uint64_t> Reading::number(const Node& node) const {
  const auto given = scalar(node);
  if (!given) return {};
  const auto number = parse_integer(given->text);
  if (number && *number >= 0) return static_cast<std::uint64_t>(*number);
  complain(given->place, shown(*given) + (number ? " is less than 0" : " is no whole number"));
  return {};
}

std::string shown(const Given& given) { return given.shown.empty() ? "\"" + given.text + "\"" : given.shown; }

std::string shown_name(const std::string& name) { return is_printable_name(name) ? " \"" + name + "\"" : ""; }

const Node* find_key_node(const Node& map, const std::string& word) {
  const auto found = std::find_if(map.entries.begin(), map.entries.end(),
                                  [&](const auto& entry) { return entry.first->text == word; });
  return found == map.entries.end() ? nullptr : found->first;
}

}  // namespace walrelay::config
