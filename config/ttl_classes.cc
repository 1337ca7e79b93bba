#include "config/ttl_classes.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "config/keys.h"
#include "config/nearest.h"
#include "config/reading.h"

namespace walrelay::config {

namespace {

using simdjson::dom::element;

bool is_bare_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// A JSON number in `unit`, or a text: a duration, or digits. Nothing: neither.
std::optional<milliseconds> lifetime_of(element value, const std::string& unit) {
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    const std::string written(text);
    return parse_duration(is_bare_number(written) ? written + unit : written);
  }
  double number = 0;
  if (!value.is_number() || value.get(number) != simdjson::SUCCESS || !(number >= 0)) return {};
  const double count = std::ceil(number * (unit == "s" ? 1000.0 : 1.0));  // up: 0 would mean for ever
  if (count > static_cast<double>(kLongestDuration.count())) return {};
  return milliseconds{static_cast<std::int64_t>(count)};
}

class TtlClassesReader {
 public:
  TtlClassesReader(const Environment& environment, Mistakes& mistakes, std::vector<std::string>& warnings)
      : reading_("ttl_classes", environment, mistakes), environment_(environment), warnings_(warnings) {}

  TtlClasses run(const Node& node) {
    if (node.kind == Node::Kind::null) return {};
    if (node.kind != Node::Kind::map) {
      complain(node.place, std::string("must be a map with \"defaults\", \"unit\" and \"env\", not ") + node.what());
      return std::move(out_);
    }
    // The unit first: the numbers need it.
    if (const Node* unit = node.find("unit")) unit_ = reading_.of("unit").choice(*unit, {"s", "ms"});
    unit_missing_ = node.find("unit") == nullptr;
    for (const auto& [key, value] : node.entries) {
      if (key->text == "defaults") defaults(*value);
      if (key->text == "env") variable(*value);
      if (!is_known(key->text)) unknown_key(*key);
    }
    if (!variable_.empty()) from_environment();
    return std::move(out_);
  }

 private:
  static bool is_known(const std::string& word) {
    const auto& keys = ttl_classes_keys();
    return std::any_of(keys.begin(), keys.end(), [&](const ListedKey& key) { return key.name == word; });
  }

  void unknown_key(const Node& key) {
    std::vector<std::string> known;
    for (const ListedKey& one : ttl_classes_keys()) known.push_back(one.name);
    reading_.unknown_key(key, known);
    out_.incomplete = true;
  }

  void complain(const Place& place, const std::string& complaint) {
    reading_.complain(place, complaint);
    out_.incomplete = true;
  }

  void defaults(const Node& node) {
    const Reading reading = reading_.of("defaults");
    if (node.kind == Node::Kind::null) return;
    if (node.kind != Node::Kind::map) {
      out_.incomplete = true;
      return reading.complain(node.place, std::string("must be a map of class: lifetime, not ") + node.what());
    }
    for (const auto& [name, value] : node.entries) {
      if (name->text.empty()) reading.complain(name->place, "a class's name is empty");
      // Known whatever is wrong with its lifetime, so that nobody hears of it twice.
      const bool printable = is_printable_name(name->text);
      out_.lifetimes[name->text] = lifetime(*value, printable ? reading.of(name->text) : reading);
    }
  }

  milliseconds lifetime(const Node& node, const Reading& reading) {
    const auto given = reading.scalar(node);
    if (!given) return {};
    const bool bare = is_bare_number(given->text);
    if (const auto found = parse_duration(bare ? given->text + unit_ : given->text)) return *found;
    if (bare && unit_.empty()) {
      if (unit_missing_) {
        reading.complain(given->place,
                         shown(*given) +
                             " has no unit; give \"unit: s\" or \"unit: ms\" beside \"defaults\", or write "
                             "it with its own, as in 5m");
      }
    } else if (bare) {
      reading.complain(given->place, shown(*given) + " is longer than ten years");
    } else {
      reading.complain(given->place, shown(*given) +
                                         " is no lifetime; write a whole number in \"unit\", or a duration, "
                                         "as in 5m");
    }
    return {};
  }

  void variable(const Node& node) {
    const auto given = reading_.of("env").scalar(node);
    if (!given) {
      out_.incomplete = true;
    } else if (!is_identifier(given->text)) {
      out_.incomplete = true;
      reading_.of("env").complain(node.place,
                                  "must be the name of an environment variable, as in CACHE_TTLS_JSON, not its value");
    } else if (unit_missing_) {
      complain(node.place, "the numbers in \"env\" have no unit; give \"unit: s\" or \"unit: ms\" beside it");
    } else {
      variable_ = given->text;
    }
  }

  void from_environment() {
    const auto text = environment_(variable_);
    if (!text || text->empty()) return;
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(*text).get(object) != simdjson::SUCCESS) {
      out_.passed_over = "the environment variable " + variable_ +
                         " is no JSON object of numbers and was passed over: the defaults of \"ttl_classes\" hold";
      warnings_.push_back(out_.passed_over);
      return;
    }
    for (const auto& [key, value] : object) {
      const std::string name(key);
      if (const auto lifetime = lifetime_of(value, unit_)) {
        out_.lifetimes[name] = *lifetime;
      } else {
        const std::string whose = is_printable_name(name) ? "the class \"" + name + "\"" : "a class";
        warnings_.push_back("the environment variable " + variable_ + " has no lifetime for " + whose +
                            ": it must be a number of " + unit_ + " from 0 to ten years; its default holds");
      }
    }
  }

  const Reading reading_;
  const Environment& environment_;
  std::vector<std::string>& warnings_;
  std::string unit_;  // empty: none, or a mistake
  bool unit_missing_ = false;
  std::string variable_;
  TtlClasses out_;
};

}  // namespace

TtlClasses read_ttl_classes(const Node& node, const Environment& environment, Mistakes& mistakes,
                            std::vector<std::string>& warnings) {
  return TtlClassesReader(environment, mistakes, warnings).run(node);
}

}  // namespace walrelay::config
