// YAML text as a tree that knows where each value stands. yaml-cpp reads; the rules that it lacks are here.
//
//   text ──is it UTF-8?──> yaml-cpp events ──> Node tree, aliases pointing into it
//
//   duplicate keys        a mistake (yaml-cpp keeps both)
//   << merge keys         done while the tree is built; a key written beside them wins
//   two documents         a mistake
//   alias in its anchor   a mistake, and so is a tree that aliases blow up: walking the tree always ends soon
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "config/mistake.h"

namespace walrelay::config {

struct Node {
  enum class Kind { null, scalar, list, map };
  using Entry = std::pair<const Node*, const Node*>;  // key (always a scalar) and value

  Kind kind = Kind::null;
  Place place;
  std::string text;                // scalar
  std::vector<const Node*> items;  // list
  std::vector<Entry> entries;      // map, in the order written, each key once
  std::size_t weight = 1;          // how many nodes a walk from here meets
  bool open = true;                // still being read

  [[nodiscard]] const Node* find(const std::string& key) const;  // null: not there
  [[nodiscard]] const char* what() const;                        // "a list", for messages
};

class Document {
 public:
  Document(const std::string& text, const std::string& file, Mistakes& mistakes);
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  // The top node; null when the document is empty or could not be read. Lives as long as the document.
  [[nodiscard]] const Node* root() const { return root_; }

 private:
  std::deque<Node> nodes_;  // never moved
  const Node* root_ = nullptr;
};

}  // namespace walrelay::config
