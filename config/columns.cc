#include "config/columns.h"

#include <algorithm>
#include <map>

namespace walrelay::config {

namespace {

std::map<std::string, std::string> read_rename(const Node& map, const Reading& reading) {
  std::map<std::string, std::string> out;
  if (map.kind != Node::Kind::map) {
    reading.complain(map.place, std::string("\"rename\" must be a map of column: field, not ") + map.what());
    return out;
  }
  std::map<std::string, Place> fields;
  for (const auto& [column, field] : map.entries) {
    auto given = reading.scalar(*field);
    if (!given) continue;
    if (given->text.empty()) reading.complain(given->place, "a field's name is empty");
    if (!fields.emplace(given->text, given->place).second) {
      reading.complain(given->place, "two columns are renamed to the same field");
    }
    out[column->text] = std::move(given->text);
  }
  return out;
}

void check_renamed(const Node& map, const std::vector<std::string>& excluded, const Reading& reading) {
  for (const auto& [column, field] : map.entries) {
    if (std::find(excluded.begin(), excluded.end(), column->text) == excluded.end()) continue;
    reading.complain(column->place, "a column that is excluded cannot be renamed");
  }
}

}  // namespace

std::vector<std::string> read_column_list(const Node& node, const Reading& reading) {
  std::vector<std::string> out;
  if (node.kind != Node::Kind::list) {
    reading.complain(node.place, std::string("must be a list of columns, not ") + node.what());
    return out;
  }
  if (node.items.empty()) reading.complain(node.place, "the list of columns is empty; remove it");
  std::map<std::string, Place> seen;
  for (const Node* item : node.items) {
    auto given = reading.scalar(*item);
    if (!given) continue;
    if (given->text.empty()) reading.complain(given->place, "a column's name is empty");
    if (!seen.emplace(given->text, given->place).second) {
      reading.complain(given->place, "this column stands twice in the list");
    }
    out.push_back(std::move(given->text));
  }
  return out;
}

void read_columns(const Node& node, const Reading& reading, Parameter& out) {
  if (node.kind == Node::Kind::list) {
    out.include = read_column_list(node, reading);
    return;
  }
  if (node.kind != Node::Kind::map) {
    return reading.complain(
        node.place,
        std::string("must be a list of columns, or a map with \"include\" or \"exclude\", and \"rename\", not ") +
            node.what());
  }
  for (const auto& [key, value] : node.entries) {
    if (key->text == "include") {
      out.include = read_column_list(*value, reading);
    } else if (key->text == "exclude") {
      out.exclude = read_column_list(*value, reading);
    } else if (key->text == "rename") {
      out.rename = read_rename(*value, reading);
    } else {
      reading.unknown_key(*key, {"include", "exclude", "rename"});
    }
  }
  if (const Node* renamed = node.find("rename")) check_renamed(*renamed, out.exclude, reading);
  const Node* include = find_key_node(node, "include");
  if (include != nullptr && node.find("exclude") != nullptr) {
    reading.complain(include->place, "\"include\" and \"exclude\" exclude each other; keep one of them");
  }
}

}  // namespace walrelay::config
