#include "config/lifetime.h"

#include <map>

#include "config/nearest.h"

namespace walrelay::config {

namespace {

constexpr std::uint64_t kMostJitter = 90;  // more would leave hardly any life

class LifetimeReader {
 public:
  LifetimeReader(const Reading& reading, const TtlClasses& classes) : reading_(reading), classes_(classes) {}

  Lifetime run(const Node& node) {
    if (node.kind == Node::Kind::list) {
      reading_.complain(node.place, "must be a duration, or a map with \"for\", \"class\" or \"at\", not a list");
    } else if (node.kind != Node::Kind::map) {
      out_.constant = reading_.duration(node).value_or(out_.constant);
    } else {
      for (const auto& [key, value] : node.entries) entry(*key, *value);
      check(node);
    }
    return std::move(out_);
  }

 private:
  void entry(const Node& key, const Node& value) {
    const std::string& word = key.text;
    const Reading reading = reading_.of(word);
    if (word == "for") {
      out_.constant = reading.duration(value).value_or(out_.constant);
    } else if (word == "class") {
      out_.constant = of_class(value, reading);
    } else if (word == "at") {
      out_.at = reading.expression(value);
    } else if (word == "unit") {
      out_.unit = reading.choice(value, {"s", "ms", "us"});
    } else if (word == "add") {
      out_.add = reading.duration(value).value_or(out_.add);
    } else if (word == "jitter") {
      jitter(value, reading);
    } else if (word == "refresh") {
      out_.on_change = reading.choice(value, {"always", "on_change"}) == "on_change";
    } else {
      reading_.unknown_key(key, {"for", "class", "at", "unit", "add", "jitter", "refresh"});
    }
  }

  void jitter(const Node& node, const Reading& reading) {
    const auto percent = reading.number(node);
    if (!percent) return;
    if (*percent > kMostJitter) {
      reading.complain(node.place, "must be from 0 to " + std::to_string(kMostJitter) + ", so many of a hundred");
    }
    out_.jitter = static_cast<unsigned>(*percent);
  }

  milliseconds of_class(const Node& node, const Reading& reading) {
    const auto given = reading.scalar(node);
    if (!given) return {};
    const auto found = classes_.lifetimes.find(given->text);
    if (found != classes_.lifetimes.end()) return found->second;
    if (classes_.incomplete) return {};  // its mistakes come first
    std::vector<std::string> known;
    for (const auto& [name, lifetime] : classes_.lifetimes) {
      if (is_printable_name(name)) known.push_back(name);
    }
    std::string hint = did_you_mean(given->text, known);
    if (hint.empty()) hint = known.empty() ? "; \"ttl_classes\" has none" : "; \"ttl_classes\" has " + either(known);
    if (!classes_.passed_over.empty()) hint += "; " + classes_.passed_over;
    reading.complain(node.place, "unknown class" + shown_name(given->shown.empty() ? given->text : "") + hint);
    return {};
  }

  // How long, or until when: one of the two, and with it only what goes with it.
  void check(const Node& node) {
    const Node* first = nullptr;
    bool alone = true;
    for (const auto& [key, value] : node.entries) {
      if (key->text != "for" && key->text != "class" && key->text != "at") continue;
      if (first != nullptr) {
        alone = false;
        reading_.complain(key->place,
                          "\"" + first->text + "\" and \"" + key->text + "\" exclude each other; keep one of them");
      } else {
        first = key;
      }
    }
    if (first == nullptr) {
      reading_.complain(node.place, "says neither how long nor until when; give \"for\", \"class\" or \"at\"");
    } else if (alone) {
      check_company(node, first->text == "at");
    }
  }

  void check_company(const Node& node, bool at) {
    for (const auto& [key, value] : node.entries) {
      const std::string& word = key->text;
      if (at && (word == "jitter" || word == "refresh")) {
        reading_.complain(key->place, "\"" + word + "\" goes with \"for\" or \"class\", not with \"at\"");
      }
      if (!at && (word == "unit" || word == "add")) {
        reading_.complain(key->place, "\"" + word + "\" goes with \"at\" only");
      }
    }
  }

  const Reading& reading_;
  const TtlClasses& classes_;
  Lifetime out_;
};

}  // namespace

Lifetime read_lifetime(const Node& node, const Reading& reading, const TtlClasses& classes) {
  return LifetimeReader(reading, classes).run(node);
}

}  // namespace walrelay::config
