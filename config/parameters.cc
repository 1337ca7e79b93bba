#include "config/parameters.h"

#include <algorithm>

#include "config/columns.h"
#include "config/lifetime.h"
#include "config/nearest.h"

namespace walrelay::config {

namespace {

// One of the rule's choices, or a list of them.
std::vector<std::string> read_choices(const Node& node, const ParameterRule& rule, const Reading& reading) {
  std::vector<std::string> out;
  if (node.kind == Node::Kind::list && node.items.empty()) {
    reading.complain(node.place, "the list is empty; write " + either(rule.choices));
  }
  const std::vector<const Node*> items = node.kind == Node::Kind::list ? node.items : std::vector<const Node*>{&node};
  for (const Node* item : items) {
    std::string choice = reading.choice(*item, rule.choices);
    if (choice.empty()) continue;
    if (std::find(out.begin(), out.end(), choice) != out.end()) {
      reading.complain(item->place, "\"" + choice + "\" stands twice in the list");
    } else {
      out.push_back(std::move(choice));
    }
  }
  return out;
}

Explode read_explode(const Node& node, const Reading& reading) {
  Explode out;
  if (node.kind != Node::Kind::map) {
    reading.complain(node.place,
                     std::string("must be a map with \"column\", \"field\" and \"value\", not ") + node.what());
    return out;
  }
  for (const auto& [key, value] : node.entries) {
    if (key->text == "column") {
      out.column = reading.of("column").text(*value);
    } else if (key->text == "field") {
      out.field = reading.of("field").expression(*value);
    } else if (key->text == "value") {
      out.value = reading.of("value").expression(*value);
    } else if (key->text == "where") {
      out.where = reading.of("where").expression(*value);
    } else {
      reading.unknown_key(*key, {"column", "field", "value", "where"});
    }
  }
  for (const char* word : {"column", "field", "value"}) {
    if (node.find(word) == nullptr) reading.complain(node.place, std::string("needs \"") + word + "\"");
  }
  return out;
}

std::map<std::string, std::string> read_tables(const Node& node, const Reading& reading) {
  std::map<std::string, std::string> out;
  if (node.kind != Node::Kind::map) {
    reading.complain(node.place, std::string("must be a map of table: column or query, not ") + node.what());
    return out;
  }
  if (node.entries.empty()) reading.complain(node.place, "the map of tables is empty; remove it");
  for (const auto& [table, value] : node.entries) {
    if (table->text.empty()) reading.complain(table->place, "a table's name is empty");
    out[table->text] = reading.text(*value);
  }
  return out;
}

void read_single(const Node& node, const ParameterRule& rule, const Reading& reading, Parameter& out) {
  switch (rule.shape) {
    case Shape::template_:
    case Shape::column:
      out.text = reading.text(node);
      return;
    case Shape::expression:
      out.text = reading.expression(node);
      return;
    case Shape::choice:
      out.text = reading.choice(node, rule.choices);
      return;
    case Shape::duration:
      out.duration = reading.duration(node).value_or(out.duration);
      return;
    case Shape::number:
      out.number = reading.number(node).value_or(out.number);
      return;
    case Shape::flag:
      out.flag = reading.flag(node).value_or(out.flag);
      return;
    case Shape::choices:
    case Shape::columns:
    case Shape::lifetime:
    case Shape::explode:
    case Shape::tables:
      return;  // no single values
  }
}

}  // namespace

Parameter read_parameter(const Node& node, const ParameterRule& rule, const Reading& reading,
                         const TtlClasses& classes) {
  Parameter out;
  out.shape = rule.shape;
  if (rule.shape == Shape::choices) {
    out.include = read_choices(node, rule, reading);
  } else if (rule.shape == Shape::columns) {
    read_columns(node, reading, out);
  } else if (rule.shape == Shape::lifetime) {
    out.lifetime = read_lifetime(node, reading, classes);
  } else if (rule.shape == Shape::explode) {
    out.explode = read_explode(node, reading);
  } else if (rule.shape == Shape::tables) {
    out.rename = read_tables(node, reading);
  } else {
    read_single(node, rule, reading, out);
  }
  return out;
}

}  // namespace walrelay::config
