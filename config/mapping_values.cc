#include "config/mapping_values.h"

#include "config/columns.h"

namespace walrelay::config {

bool read_enabled(const Node& node, const Reading& reading) { return reading.flag(node).value_or(true); }

std::vector<std::pair<std::string, std::string>> read_let(const Node& node, const Reading& reading) {
  std::vector<std::pair<std::string, std::string>> out;
  if (node.kind != Node::Kind::map) {
    reading.complain(node.place, std::string("must be a map of name: expression, not ") + node.what());
    return out;
  }
  for (const auto& [name, value] : node.entries) {
    if (!is_identifier(name->text)) {
      reading.complain(name->place, "a name must be a letter or \"_\", and then letters, digits or \"_\"");
      continue;
    }
    out.emplace_back(name->text, reading.of(name->text).expression(*value));
  }
  return out;
}

Identity read_identity(const Node& node, const Reading& reading) {
  if (node.kind == Node::Kind::list) return {Identity::Form::columns, read_column_list(node, reading)};
  if (node.kind == Node::Kind::map) {
    reading.complain(node.place, "must be a list of columns, primary_key or full, not a map");
    return {};
  }
  const auto given = reading.scalar(node);
  if (!given) return {};
  if (given->text == "primary_key") return {Identity::Form::primary_key, {}};
  if (given->text == "full") return {Identity::Form::full, {}};
  reading.complain(node.place, shown(*given) +
                                   " is not allowed; write primary_key, full, or a list of columns, as in "
                                   "[id]");
  return {};
}

std::string read_on_poison(const Node& node, const Reading& reading) {
  return reading.choice(node, {"stop", "dead_letter", "skip"});
}

bool read_on_table_gone(const Node& node, const Reading& reading) {
  return reading.choice(node, {"keep", "purge"}) == "purge";
}

}  // namespace walrelay::config
