#include "config/parameters.h"

#include <algorithm>
#include <map>
#include <optional>

#include "config/nearest.h"
#include "config/settings.h"
#include "config/values.h"

namespace walrelay::config {

namespace {

class ParameterReader {
 public:
  ParameterReader(const std::string& name, const ParameterRule& rule, const Environment& environment,
                  Mistakes& mistakes)
      : name_(name), rule_(rule), environment_(environment), mistakes_(mistakes) {
    parameter_.shape = rule.shape;
  }

  Parameter run(const Node& node) {
    if (rule_.shape == Shape::columns) {
      columns(node);
    } else if (const auto given = read_scalar(node, name_, environment_, mistakes_)) {
      scalar(*given);
    }
    return std::move(parameter_);
  }

 private:
  void complain(const Place& place, const std::string& complaint) { mistakes_.add(place, name_ + ": " + complaint); }

  void scalar(const Given& given) {
    const std::string shown = given.shown.empty() ? "\"" + given.text + "\"" : given.shown;
    switch (rule_.shape) {
      case Shape::template_:
      case Shape::column:
        if (given.text.empty()) return complain(given.place, "must not be empty");
        parameter_.text = given.text;
        return;
      case Shape::choice: {
        const bool known = std::find(rule_.choices.begin(), rule_.choices.end(), given.text) != rule_.choices.end();
        if (!known) return complain(given.place, shown + " is not allowed; write " + either(rule_.choices));
        parameter_.text = given.text;
        return;
      }
      case Shape::duration: {
        const auto duration = parse_duration(given.text);
        const std::string what = parse_integer(given.text) ? " has no unit; " : " is no duration; ";
        if (!duration) return complain(given.place, shown + what + std::string(kDurationRule));
        parameter_.duration = *duration;
        return;
      }
      case Shape::flag: {
        const auto flag = parse_flag(given.text);
        if (!flag) return complain(given.place, shown + " is neither true nor false");
        parameter_.flag = *flag;
        return;
      }
      case Shape::columns:
        return;
    }
  }

  // A list is short for {include: list}.
  void columns(const Node& node) {
    if (node.kind == Node::Kind::list) {
      parameter_.include = names(node);
      return;
    }
    if (node.kind != Node::Kind::map) {
      return complain(node.place,
                      std::string("must be a list of columns, or a map with \"include\" or \"exclude\", and "
                                  "\"rename\", not ") +
                          node.what());
    }
    const Node* include = nullptr;
    for (const auto& [key, value] : node.entries) {
      if (key->text == "include") {
        include = key;
        parameter_.include = names(*value);
      } else if (key->text == "exclude") {
        parameter_.exclude = names(*value);
      } else if (key->text == "rename") {
        rename(*value);
      } else {
        const std::string shown = is_printable_name(key->text) ? " \"" + key->text + "\"" : "";
        complain(key->place, "unknown key" + shown + did_you_mean(key->text, {"include", "exclude", "rename"}));
      }
    }
    if (const Node* renamed = node.find("rename")) check_renamed(*renamed);
    if (include != nullptr && node.find("exclude") != nullptr) {
      complain(include->place, "\"include\" and \"exclude\" exclude each other; keep one of them");
    }
  }

  std::vector<std::string> names(const Node& list) {
    std::vector<std::string> out;
    if (list.kind != Node::Kind::list) {
      complain(list.place, std::string("must be a list of columns, not ") + list.what());
      return out;
    }
    if (list.items.empty()) complain(list.place, "the list of columns is empty; remove it");
    std::map<std::string, Place> seen;
    for (const Node* item : list.items) {
      auto given = read_scalar(*item, name_, environment_, mistakes_);
      if (!given) continue;
      if (given->text.empty()) complain(given->place, "a column's name is empty");
      if (!seen.emplace(given->text, given->place).second)
        complain(given->place, "this column stands twice in the list");
      out.push_back(std::move(given->text));
    }
    return out;
  }

  void rename(const Node& map) {
    if (map.kind != Node::Kind::map) {
      return complain(map.place, std::string("\"rename\" must be a map of column: field, not ") + map.what());
    }
    std::map<std::string, Place> fields;
    for (const auto& [column, field] : map.entries) {
      auto given = read_scalar(*field, name_, environment_, mistakes_);
      if (!given) continue;
      if (given->text.empty()) complain(given->place, "a field's name is empty");
      if (!fields.emplace(given->text, given->place).second) {
        complain(given->place, "two columns are renamed to the same field");
      }
      parameter_.rename[column->text] = std::move(given->text);
    }
  }

  void check_renamed(const Node& map) {
    for (const auto& [column, field] : map.entries) {
      const auto& excluded = parameter_.exclude;
      if (std::find(excluded.begin(), excluded.end(), column->text) == excluded.end()) continue;
      complain(column->place, "a column that is excluded cannot be renamed");
    }
  }

  const std::string& name_;
  const ParameterRule& rule_;
  const Environment& environment_;
  Mistakes& mistakes_;
  Parameter parameter_;
};

}  // namespace

Parameter read_parameter(const Node& node, const std::string& name, const ParameterRule& rule,
                         const Environment& environment, Mistakes& mistakes) {
  return ParameterReader(name, rule, environment, mistakes).run(node);
}

}  // namespace walrelay::config
