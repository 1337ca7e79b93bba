#include "config/document.h"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "config/nearest.h"
#include "config/utf8.h"

namespace walrelay::config {

namespace {

constexpr std::string_view kTab = "a tab in the indentation; YAML takes spaces only";
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

  // The value read last, and the innermost list or map that is still open; the top of the file before either.
  [[nodiscard]] Place last_place() const { return nodes_.empty() ? Place{file_, 1, 1} : nodes_.back().place; }
  [[nodiscard]] Place open_place() const { return parents_.empty() ? Place{file_, 1, 1} : parents_.back()->place; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node& node = start(Node::Kind::null, mark, "", anchor);
    // The mark of a value that is not there is that of whatever follows, lines below.
    const Node* key = parents_.empty() || parents_.back()->kind != Node::Kind::map ? nullptr : keys_.back();
    if (key != nullptr && key->place.line != node.place.line) node.place = key->place;
    close(node);
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
    drop_duplicates(node);
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

  // Reports the keys that stand twice, and keeps the first of each.
  void drop_duplicates(Node& map) {
    std::map<std::string_view, const Node*> first;
    std::erase_if(map.entries, [&](const Node::Entry& entry) {
      const Node& key = *entry.first;
      const auto [known, inserted] = first.emplace(key.text, &key);
      if (inserted) return false;
      const std::string name = is_printable_name(key.text) ? "\"" + key.text + "\"" : "this key";
      mistakes_.add(key.place, name + " stands already in line " + std::to_string(known->second->place.line) +
                                   " of the same map; keep one of them");
      return true;
    });
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
  if (has("tab")) return std::string(kTab);
  if (has("anchor")) {
    return "an alias (\"*name\") without an anchor (\"&name\"); quote a text that begins with \"*\"";
  }
  if (has("end of map flow"))
    return "this map is not closed by \"}\"; check quotes and braces (between braces ${...} needs quotes)";
  if (has("end of sequence flow")) return "this list is not closed by \"]\"; check quotes and brackets";
  if (has("end of")) return "this line does not fit its surroundings; check its indentation and the quotes before it";
  if (has("escape")) return "a \"\\\" in a double-quoted text begins no escape that YAML knows; use single quotes";
  return "this is no YAML; check indentation, quotes and the space after \":\"";
}

// The line with this number, from 0; empty behind the last one.
std::string_view line_of(std::string_view text, int number) {
  for (; number > 0 && !text.empty(); --number) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return text.substr(0, text.find('\n'));
}

// What yaml-cpp stopped at. It says little about a tab, and nothing of where an open quote or brace began.
void report(const YAML::Exception& error, std::string_view text, const Builder& builder, const std::string& file,
            Mistakes& mistakes) {
  const YAML::Mark& mark = error.mark;
  if (mark.line < 0) return mistakes.add({file, 1, 1}, plain_words(error.msg));
  const std::string_view line = line_of(text, mark.line);
  const std::size_t tab = line.substr(0, line.find_first_not_of(" \t")).find('\t');
  if (tab != std::string_view::npos) {
    return mistakes.add({file, mark.line + 1, static_cast<int>(tab) + 1}, std::string(kTab));
  }
  const bool at_end = mark.line >= std::count(text.begin(), text.end(), '\n');
  if (at_end && error.msg.find("EOF") != std::string::npos) {
    return mistakes.add(builder.last_place(),
                        "a quoted text that begins here or below is not closed; check the quotes");
  }
  if (at_end && error.msg.find("flow") != std::string::npos) {
    return mistakes.add(builder.open_place(), plain_words(error.msg));
  }
  mistakes.add({file, mark.line + 1, mark.column + 1}, plain_words(error.msg));
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
  // yaml-cpp takes an unclosed quote at the end of the file for closed if a line end stands before it; with a comment
  // there it does not.
  std::istringstream in(text + "\n#");
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
  } catch (const YAML::DeepRecursion& e) {
    root_ = nullptr;
    mistakes.add({file, e.mark.line + 1, e.mark.column + 1}, "lists and maps are nested too deeply");
  } catch (const YAML::Exception& e) {
    root_ = nullptr;
    report(e, text, builder, file, mistakes);
  }
  if (root_ != nullptr && too_heavy) {
    mistakes.add(root_->place, "the aliases of this file stand for too many values");
    root_ = nullptr;
  }
}

}  // namespace walrelay::config
