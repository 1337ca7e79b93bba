#include "config/mappings.h"

#include <algorithm>
#include <map>

#include "config/keys.h"
#include "config/mapping_values.h"
#include "config/nearest.h"
#include "config/parameters.h"
#include "config/reading.h"
#include "config/reindex.h"

namespace walrelay::config {

namespace {

template <class Named>
std::vector<std::string> names_of(const std::vector<Named>& all) {
  std::vector<std::string> out;
  for (const Named& one : all) out.push_back(one.name);
  return out;
}

template <class Named>
const Named* find_named(const std::vector<Named>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Named& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

class MappingReader {
 public:
  MappingReader(const Environment& environment, const std::vector<KindRule>& kinds, const TtlClasses& classes,
                Mistakes& mistakes)
      : environment_(environment), kinds_(kinds), classes_(classes), mistakes_(mistakes) {}

  std::vector<Mapping> run(const Node& node) {
    if (node.kind == Node::Kind::null) return {};
    if (node.kind != Node::Kind::list) {
      mistakes_.add(node.place,
                    std::string("\"mappings\" must be a list, each item a map with \"table\" or \"tables\", and "
                                "\"write\", not ") +
                        node.what());
      return {};
    }
    for (const Node* item : node.items) mapping(*item);
    return std::move(mappings_);
  }

 private:
  void mapping(const Node& node) {
    if (node.kind != Node::Kind::map) {
      return mistakes_.add(
          node.place,
          std::string("a mapping must be a map with \"table\" or \"tables\", and \"write\", not ") + node.what());
    }
    Mapping out;
    out.where = node.place.text();
    bool enabled = true;
    for (const auto& [key, value] : node.entries) entry(*key, *value, out, enabled);
    check_tables(node);
    if (node.find("write") == nullptr) {
      mistakes_.add(node.place,
                    "this mapping has no \"write\"; say what is written, as in write: {hash: {key: \"...\"}}");
    }
    if (!enabled) {
      // Its name is free for another.
      return;
    }
    name(node, out);
    mappings_.push_back(std::move(out));
  }

  void entry(const Node& key, const Node& value, Mapping& out, bool& enabled) {
    const std::string& word = key.text;
    const Reading reading(word, environment_, mistakes_);
    if (word == "name") text(value, word, out.name);
    if (word == "enabled") enabled = read_enabled(value, reading);
    if (word == "table") text(value, word, out.table);
    if (word == "tables") text(value, word, out.tables);
    if (word == "identity") out.identity = read_identity(value, reading);
    if (word == "let") out.let = read_let(value, reading);
    if (word == "allow_eviction") out.allow_eviction = reading.flag(value).value_or(false);
    if (word == "on_poison") out.on_poison = read_on_poison(value, reading);
    if (word == "on_table_gone") out.purge_gone = read_on_table_gone(value, reading);
    if (word == "write") writes(value, out.writes);
    if (word == "reindex") read_reindex(value, environment_, mistakes_, out);
    if (find_named(mapping_keys(), word) == nullptr) unknown_key(key);
  }

  void unknown_key(const Node& key) {
    if (find_named(kinds_, key.text) != nullptr) {
      return mistakes_.add(key.place, "unknown key" + shown_name(key.text) +
                                          " in a mapping; it is a kind of write and belongs under \"write\"");
    }
    mistakes_.add(key.place, "unknown key" + shown_name(key.text) + " in a mapping" +
                                 did_you_mean(key.text, names_of(mapping_keys())));
  }

  void text(const Node& node, const std::string& key, std::string& out) {
    auto given = read_scalar(node, key, environment_, mistakes_);
    if (!given) return;
    if (given->text.empty()) mistakes_.add(node.place, "\"" + key + "\" must not be empty");
    out = std::move(given->text);
  }

  void check_tables(const Node& node) {
    const Node* table = node.find("table");
    const Node* tables = node.find("tables");
    if (table != nullptr && tables != nullptr) {
      mistakes_.add(node.place, "this mapping has both \"table\" and \"tables\"; keep one of them");
    } else if (table == nullptr && tables == nullptr) {
      mistakes_.add(node.place,
                    "this mapping has neither \"table\" nor \"tables\"; name the table whose rows it writes");
    }
  }

  // A name is unique; a mapping without one is named by its table, so a table stands in one unnamed mapping only.
  void name(const Node& node, Mapping& out) {
    const bool own = !out.name.empty();
    if (!own) out.name = out.table.empty() ? out.tables : out.table;
    if (out.name.empty()) return;
    std::string canonical = out.name;
    if (!own && !out.table.empty() && canonical.starts_with("public.")) canonical.erase(0, canonical.find('.') + 1);
    const auto [first, inserted] = names_.emplace(canonical, node.place);
    if (inserted) return;
    const Node* at = node.find(own ? "name" : (out.table.empty() ? "tables" : "table"));
    const Place& place = at == nullptr ? node.place : at->place;
    const std::string other = "the mapping in line " + std::to_string(first->second.line);
    if (own) return mistakes_.add(place, other + " has the same name; names must differ");
    mistakes_.add(
        place,
        other + " is named after the same table; put both writes into one mapping, or give one of them a \"name\"");
  }

  void writes(const Node& node, std::vector<Write>& out) {
    if (node.kind == Node::Kind::list && !node.items.empty()) {
      for (const Node* item : node.items) write_map(*item, out);
    } else {
      write_map(node, out);
    }
  }

  void write_map(const Node& node, std::vector<Write>& out) {
    if (node.kind != Node::Kind::map || node.entries.empty()) {
      return mistakes_.add(
          node.place,
          "\"write\" must hold a kind of write with its parameters, as in hash: {key: \"...\"}; known kinds: " +
              either(names_of(kinds_)));
    }
    for (const auto& [key, value] : node.entries) {
      const KindRule* kind = find_named(kinds_, key->text);
      if (kind != nullptr) {
        out.push_back(write(*key, *value, *kind));
      } else if (!misplaced(node, *key)) {
        mistakes_.add(key->place, "unknown kind of write" + shown_name(key->text) +
                                      did_you_mean(key->text, names_of(kinds_)) +
                                      "; known kinds: " + either(names_of(kinds_)));
      }
    }
  }

  // "- hash:" with its parameters not indented far enough.
  bool misplaced(const Node& node, const Node& key) {
    for (const auto& [other, value] : node.entries) {
      const KindRule* kind = find_named(kinds_, other->text);
      if (kind == nullptr || find_named(kind->parameters, key.text) == nullptr) continue;
      mistakes_.add(key.place, "\"" + key.text + "\" is a parameter of \"" + kind->name + "\"; indent it below \"" +
                                   kind->name + ":\"");
      return true;
    }
    return false;
  }

  Write write(const Node& key, const Node& node, const KindRule& kind) {
    Write out;
    out.kind = kind.name;
    out.where = key.place.text();
    if (node.kind != Node::Kind::map && node.kind != Node::Kind::null) {
      mistakes_.add(node.place, "\"" + kind.name + "\" must be a map of parameters, not " + node.what());
      return out;
    }
    for (const auto& [name, value] : node.entries) {
      if (const ParameterRule* rule = find_named(kind.parameters, name->text)) {
        const Reading reading(kind.name + "." + rule->name, environment_, mistakes_);
        out.parameters[rule->name] = read_parameter(*value, *rule, reading, classes_);
      } else {
        mistakes_.add(name->place, "\"" + kind.name + "\" has no parameter" + shown_name(name->text) +
                                       did_you_mean(name->text, names_of(kind.parameters)));
      }
    }
    for (const ParameterRule& rule : kind.parameters) {
      if (rule.required && node.find(rule.name) == nullptr) {
        mistakes_.add(key.place, "\"" + kind.name + "\" needs the parameter \"" + rule.name + "\"");
      }
    }
    return out;
  }

  const Environment& environment_;
  const std::vector<KindRule>& kinds_;
  const TtlClasses& classes_;
  Mistakes& mistakes_;
  std::vector<Mapping> mappings_;
  std::map<std::string, Place> names_;
};

}  // namespace

std::vector<Mapping> read_mappings(const Node& node, const Environment& environment, const std::vector<KindRule>& kinds,
                                   const TtlClasses& classes, Mistakes& mistakes) {
  return MappingReader(environment, kinds, classes, mistakes).run(node);
}

}  // namespace walrelay::config
