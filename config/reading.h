// One value on its way from the tree to the configuration: whose it is, where its variables come from, and where its
// mistakes go. Each word for a single value is read here, so that every key says the same of the same mistake.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/expand.h"
#include "config/mistake.h"
#include "config/settings.h"
#include "config/values.h"

namespace walrelay::config {

class Reading {
 public:
  // `name` says whose value it is, as in "hash.ttl", and stands in front of each complaint.
  Reading(std::string name, const Environment& environment, Mistakes& mistakes)
      : name_(std::move(name)), environment_(environment), mistakes_(mistakes) {}

  // The value below it that has this word: "hash.ttl" -> "hash.ttl.at".
  [[nodiscard]] Reading of(const std::string& word) const { return {name_ + "." + word, environment_, mistakes_}; }

  void complain(const Place& place, const std::string& complaint) const;
  void unknown_key(const Node& key, const std::vector<std::string>& known) const;

  // Each gives nothing, or an empty text, after a complaint.
  [[nodiscard]] std::optional<Given> scalar(const Node& node) const;
  [[nodiscard]] std::string text(const Node& node) const;        // not empty
  [[nodiscard]] std::string expression(const Node& node) const;  // not blank
  [[nodiscard]] std::string choice(const Node& node, const std::vector<std::string>& choices) const;
  [[nodiscard]] std::optional<milliseconds> duration(const Node& node) const;
  [[nodiscard]] std::optional<bool> flag(const Node& node) const;
  [[nodiscard]] std::optional<std::uint64_t> number(const Node& node) const;  // whole, from 0 on

 private:
  std::string name_;
  const Environment& environment_;
  Mistakes& mistakes_;
};

// What stands for a given text in a message: its variable, where it came from one.
std::string shown(const Given& given);

// " \"name\"", or nothing where the name may be no name.
std::string shown_name(const std::string& name);

// The key of an entry, for its place; null: not there.
const Node* find_key_node(const Node& map, const std::string& word);

}  // namespace walrelay::config
