#include "config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>

#include "config/nearest.h"
#include "config/utf8.h"

namespace walrelay::config {

namespace {

constexpr std::size_t kHeaviest = 200000;
constexpr std::size_t kLargestText = 4 * 1024 * 1024;

bool is_core_tag(const std::string& tag) {
  return tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:");
}

// Builds the tree from yaml-cpp's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(std::deque<Node>& nodes, const std::string& file, Mistakes& mistakes)
      : nodes_(nodes), file_(file), mistakes_(mistakes) {}

  [[nodiscard]] const Node* root() const { return root_; }
  [[nodiscard]] bool too_heavy() const {
    return merged_ > kHeaviest || (root_ != nullptr && root_->weight > kHeaviest);
  }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    close(start(Node::Kind::null, mark, "", anchor));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Node& node = start(Node::Kind::scalar, mark, tag, anchor);
    node.text = text;
    close(node);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    parents_.push_back(&start(Node::Kind::list, mark, tag, anchor));
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    parents_.push_back(&start(Node::Kind::map, mark, tag, anchor));
    keys_.push_back(nullptr);
  }
  void OnSequenceEnd() override {
    Node& node = *parents_.back();
    parents_.pop_back();
    close(node);
  }
  void OnMapEnd() override {
    Node& node = *parents_.back();
    parents_.pop_back();
    keys_.pop_back();
    check_duplicates(node);
    merge(node);
    close(node);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const Node* found = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (found != nullptr && !found->open) return hand_over(*found);
    mistakes_.add(place(mark), "an alias stands inside the value that it stands for");
    close(start(Node::Kind::null, mark, "", 0));
  }

 private:
  [[nodiscard]] Place place(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  Node& start(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Node& node = nodes_.emplace_back();
    node.kind = kind;
    node.place = place(mark);
    if (!is_core_tag(tag)) mistakes_.add(node.place, "a tag of its own (\"!...\") means nothing here; remove it");
    if (anchor >= anchors_.size()) anchors_.resize(anchor + 1, nullptr);  // yaml-cpp numbers them from 1; 0 is none
    anchors_[anchor] = &node;
    return node;
  }

  void close(Node& node) {
    node.open = false;
    hand_over(node);
  }

  // Gives a finished node to its parent.
  void hand_over(const Node& node) {
    if (parents_.empty()) {
      root_ = &node;
      return;
    }
    Node& parent = *parents_.back();
    parent.weight = std::min(parent.weight + node.weight, kHeaviest + 1);
    if (parent.kind == Node::Kind::list) return parent.items.push_back(&node);
    if (keys_.back() == nullptr) {
      keys_.back() = &node;
      return;
    }
    if (keys_.back()->kind == Node::Kind::scalar) {
      parent.entries.emplace_back(keys_.back(), &node);
    } else {
      mistakes_.add(keys_.back()->place, std::string("a key must be a word, not ") + keys_.back()->what());
    }
    keys_.back() = nullptr;
  }

  void check_duplicates(Node& map) {
    std::vector<Node::Entry> sorted = map.entries;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const Node::Entry& a, const Node::Entry& b) { return a.first->text < b.first->text; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      const Node& key = *sorted[i].first;
      const Node& first = *sorted[i - 1].first;
      if (key.text != first.text) continue;
      const std::string name = is_printable_name(key.text) ? "\"" + key.text + "\"" : "this key";
      mistakes_.add(key.place, name + " stands already in line " + std::to_string(first.place.line) +
                                   " of the same map; keep one of them");
    }
  }

  // Adds the entries of "<<: *base" or "<<: [*a, *b]" that the map does not have itself.
  void merge(Node& map) {
    std::vector<Node::Entry> own;
    std::vector<const Node*> bases;
    for (const auto& entry : map.entries) {
      if (entry.first->text != "<<") {
        own.push_back(entry);
      } else if (entry.second->kind == Node::Kind::list) {
        bases.insert(bases.end(), entry.second->items.begin(), entry.second->items.end());
      } else {
        bases.push_back(entry.second);
      }
    }
    if (bases.empty()) return;
    std::set<std::string_view> known;
    for (const auto& entry : own) known.insert(entry.first->text);
    map.entries = std::move(own);
    for (const Node* base : bases) {
      if (base->kind != Node::Kind::map) {
        mistakes_.add(base->place, "\"<<\" takes a map, or a list of maps");
        continue;
      }
      for (const auto& entry : base->entries) {
        if (merged_ > kHeaviest || !known.insert(entry.first->text).second) continue;
        map.entries.push_back(entry);
        ++merged_;
      }
    }
  }

  std::deque<Node>& nodes_;
  const std::string& file_;
  Mistakes& mistakes_;
  std::vector<Node*> parents_;
  std::vector<const Node*> keys_;  // of the open maps: the key whose value is awaited
  std::vector<const Node*> anchors_;
  std::size_t merged_ = 0;  // entries copied by merge keys: bounded, like the weight
  const Node* root_ = nullptr;
};

// yaml-cpp's own words quote what it met, which may be a piece of a secret; these do not.
std::string plain_words(const std::string& message) {
  const auto has = [&](std::string_view words) { return message.find(words) != std::string::npos; };
  if (has("tab")) return "a tab in the indentation; YAML takes spaces only";
  if (has("anchor")) return "an alias (\"*name\") without an anchor (\"&name\"); quote a text that begins with \"*\"";
  if (has("end of map"))
    return "this map is not closed, or a line is indented wrongly; check quotes, braces and indentation";
  if (has("end of sequence"))
    return "this list is not closed, or a line is indented wrongly; check quotes and brackets";
  if (has("EOF")) return "a quoted text is not closed; check the quotes";
  if (has("escape")) return "a \"\\\" in a double-quoted text begins no escape that YAML knows; use single quotes";
  if (has("depth")) return "lists and maps are nested too deeply";
  return "this is no YAML; check indentation, quotes and the space after \":\"";
}

}  // namespace

const Node* Node::find(const std::string& key) const {
  for (const auto& entry : entries) {
    if (entry.first->text == key) return entry.second;
  }
  return nullptr;
}

const char* Node::what() const {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return "a text";
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
  }
  return "";
}

Document::Document(const std::string& text, const std::string& file, Mistakes& mistakes) {
  if (text.size() > kLargestText) {
    mistakes.add({file, 1, 1}, "the file is larger than 4 MiB");
    return;
  }
  if (const auto fault = find_text_fault(text)) {
    mistakes.add({file, fault->line, fault->column}, fault->message);
    return;
  }
  std::istringstream in(text);
  Builder builder(nodes_, file, mistakes);
  bool too_heavy = false;
  try {
    YAML::Parser parser(in);
    parser.HandleNextDocument(builder);
    root_ = builder.root();
    too_heavy = builder.too_heavy();
    Mistakes unread;  // of a second document only the place counts
    Builder second(nodes_, file, unread);
    if (parser.HandleNextDocument(second) && second.root() != nullptr) {
      mistakes.add(second.root()->place, "a second document begins here; a configuration is one document");
    }
  } catch (const YAML::Exception& e) {
    root_ = nullptr;
    const bool placed = e.mark.line >= 0;
    mistakes.add({file, placed ? e.mark.line + 1 : 1, placed ? e.mark.column + 1 : 1}, plain_words(e.msg));
  }
  if (root_ != nullptr && too_heavy) {
    mistakes.add(root_->place, "the aliases of this file stand for too many values");
    root_ = nullptr;
  }
}

}  // namespace walrelay::config
