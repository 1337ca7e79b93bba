#include "config/settings.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/document.h"
#include "config/key_values.h"
#include "config/load.h"
#include "config/nearest.h"

namespace walrelay::config {

namespace {

bool empty_is_nothing(Type type) {
  return type == Type::secret || type == Type::secret_file || type == Type::url || type == Type::url_file;
}

bool may_be_shown(Type type) { return !empty_is_nothing(type); }

std::string last_word(const std::string& name) { return name.substr(name.rfind('.') + 1); }

// What an unknown word under `section` ("" is the top) may stand for: a synonym of a key there, a key of another
// section, a mistyped key there, a mistyped key of another section; in this order.
std::string suggestion(const std::string& section, const std::string& word) {
  const std::string prefix = section.empty() ? "" : section + ".";
  std::vector<std::string> here, everywhere;
  for (const Key& key : keys()) {
    everywhere.push_back(last_word(key.name));
    if (!key.name.starts_with(prefix)) continue;
    const std::string rest = key.name.substr(prefix.size());
    here.push_back(rest.substr(0, rest.find('.')));
    const auto& synonyms = key.synonyms;
    const bool synonym = std::find(synonyms.begin(), synonyms.end(), word) != synonyms.end();
    if (synonym && rest.find('.') == std::string::npos) return "; did you mean \"" + rest + "\"?";
  }
  if (section.empty()) here.insert(here.end(), {"mappings", "ttl_classes"});
  const bool elsewhere = std::find(everywhere.begin(), everywhere.end(), word) != everywhere.end();
  std::string found = elsewhere ? "" : did_you_mean(word, here);
  const std::string other = elsewhere ? word : nearest(word, everywhere);
  if (!found.empty() || other.empty()) return found;
  const auto key = std::find_if(keys().begin(), keys().end(), [&](const Key& k) { return last_word(k.name) == other; });
  return "; did you mean \"" + key->name + "\"?";
}

void unknown_key(const Place& place, const std::string& section, const std::string& word, Mistakes& mistakes) {
  const std::string where = section.empty() ? "" : " in \"" + section + "\"";
  if (!is_printable_name(word)) return mistakes.add(place, "unknown key" + where);
  mistakes.add(place, "unknown key \"" + word + "\"" + where + suggestion(section, word));
}

class FileReader {
 public:
  FileReader(const Environment& environment, Settings& settings, Mistakes& mistakes)
      : environment_(environment), settings_(settings), mistakes_(mistakes) {}

  void section(const Node& map, const std::string& name) {
    for (const auto& [key, value] : map.entries) {
      const bool top = name.empty();
      // "x-..." is a place for anchors.
      if (top && (is_read_apart(key->text) || key->text.starts_with("x-"))) continue;
      entry(*key, *value, name, (top ? "" : name + ".") + key->text);
    }
  }

 private:
  void entry(const Node& key, const Node& value, const std::string& section_name, const std::string& name) {
    const Key* known = find_key(name);
    const bool has_keys = is_section(name);
    if (known == nullptr && !has_keys) return unknown_key(key.place, section_name, key.text, mistakes_);
    if (has_keys && value.kind == Node::Kind::map) return section(value, name);
    if (has_keys && value.kind == Node::Kind::null) return;
    if (known == nullptr) {
      return mistakes_.add(value.place, "\"" + name + "\" must be a map of keys, not " + value.what());
    }
    auto given = read_scalar(value, name, environment_, mistakes_);
    if (!given) return settings_.note_failed(name);
    settings_.put(*known, std::move(*given));
  }

  const Environment& environment_;
  Settings& settings_;
  Mistakes& mistakes_;
};

}  // namespace

void Settings::put(const Key& key, Given given) {
  if (given.text.empty() && (empty_is_nothing(key.type) || key.keyword != nullptr)) return;
  const std::string quoted = given.shown.empty() ? "\"" + given.text + "\"" : given.shown;
  Config scratch;
  const std::string complaint = assign(key, given.text, may_be_shown(key.type) ? quoted : "it", scratch);
  if (!complaint.empty()) {
    note_failed(key.name);
    return mistakes_.add(given.place, key.name + ": " + complaint);
  }
  if (!key.stands_for.empty()) {
    if (!key.stands_for_value.empty()) given.text = key.stands_for_value;
    return put(*find_key(key.stands_for), std::move(given));
  }
  const auto [at, inserted] = given_.try_emplace(key.name, given);
  if (inserted || at->second.level < given.level || given.level == Level::flag) {
    at->second = std::move(given);
  } else if (at->second.level == given.level) {
    mistakes_.add(given.place,
                  key.name + " is given twice, under two names (" + at->second.place.text() + "); keep one");
  }
}

const Given* Settings::find(const std::string& key) const {
  const auto found = given_.find(key);
  return found == given_.end() ? nullptr : &found->second;
}

std::optional<Given> read_scalar(const Node& node, const std::string& name, const Environment& environment,
                                 Mistakes& mistakes) {
  if (node.kind == Node::Kind::null) {
    mistakes.add(node.place, "\"" + name + "\" has no value; give one, or remove the key");
    return {};
  }
  if (node.kind != Node::Kind::scalar) {
    const std::string braces = node.kind == Node::Kind::map ? "; put a text that begins with \"{\" in quotes" : "";
    mistakes.add(node.place, "\"" + name + "\" must be a single value, not " + node.what() + braces);
    return {};
  }
  Expanded expanded = expand(node.text, environment);
  for (const std::string& complaint : expanded.complaints) mistakes.add(node.place, name + ": " + complaint);
  if (!expanded.complaints.empty()) return {};
  Given given{std::move(expanded.text), Level::file, node.place,
              node.place.file + ":" + std::to_string(node.place.line)};
  if (!expanded.variables.empty()) given.shown = "the value of ${" + expanded.variables.front() + "}";
  return given;
}

void read_file(const Node& root, const Environment& environment, Settings& settings, Mistakes& mistakes) {
  FileReader(environment, settings, mistakes).section(root, "");
}

void read_environment(const Environment& environment, Settings& settings) {
  for (const Key& key : keys()) {
    const std::string name = environment_name(key.name);
    auto text = environment(name);
    if (!text || text->empty()) continue;
    settings.put(key, {std::move(*text), Level::environment, {name, 0, 0}, "environment " + name});
  }
}

void read_overrides(const Overrides& overrides, Settings& settings, Mistakes& mistakes) {
  for (const auto& [name, text] : overrides.values) {
    const Place place{"flag " + (is_printable_name(name) ? name : "--set"), 0, 0};
    if (const Key* key = find_key(name)) {
      settings.put(*key, {text, Level::flag, place, "flag"});
    } else if (is_read_apart(name) || is_section(name)) {
      mistakes.add(place, "\"" + name + "\" cannot be given by a flag; only single values can");
    } else {
      const std::size_t dot = name.rfind('.');
      const std::string section = dot == std::string::npos ? "" : name.substr(0, dot);
      unknown_key(place, is_section(section) ? section : "", is_section(section) ? name.substr(dot + 1) : name,
                  mistakes);
    }
  }
}

}  // namespace walrelay::config
