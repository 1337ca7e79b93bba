// `config show`: the effective configuration as YAML that loads again.
#include <algorithm>

#include "config/key_values.h"
#include "config/load.h"
#include "config/values.h"

namespace walrelay::config {

namespace {

// A scalar that YAML reads back as this very text. "$" before "{" or "$" would be expanded, so it is doubled.
std::string scalar(const std::string& text) {
  const bool plain = !text.empty() && text != "null" && text != "Null" && text != "NULL" &&
                     std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                              c == '.' || c == '/';
                     });
  if (plain) return text;
  constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (c == '$' && i + 1 < text.size() && (text[i + 1] == '{' || text[i + 1] == '$')) out += '$';
    if (code < 0x20 || code == 0x7F) {
      out += "\\x";
      out += kHex[code / 16];
      out += kHex[code % 16];
    } else {
      out += c;
    }
  }
  return out + '"';
}

class Printer {
 public:
  explicit Printer(bool with_origin) : with_origin_(with_origin) {}

  void line(std::size_t depth, const std::string& text, const std::string& origin = "") {
    out_.append(depth * 2, ' ').append(text);
    if (with_origin_ && !origin.empty()) out_.append("  # ").append(origin);
    out_ += '\n';
  }

  // Opens the sections of a dotted key that are not open yet; returns the depth of the key itself.
  std::size_t enter(const std::string& name) {
    std::vector<std::string> path;
    std::size_t start = 0;
    for (std::size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', start)) {
      path.push_back(name.substr(start, dot - start));
      start = dot + 1;
    }
    const auto same = std::mismatch(path.begin(), path.end(), open_.begin(), open_.end()).first;
    for (auto at = same; at != path.end(); ++at) line(static_cast<std::size_t>(at - path.begin()), *at + ":");
    open_ = path;
    return path.size();
  }

  std::string take() { return std::move(out_); }

 private:
  const bool with_origin_;
  std::string out_;
  std::vector<std::string> open_;
};

void print_list(Printer& printer, std::size_t depth, const std::string& name, const std::vector<std::string>& items) {
  if (items.empty()) return;
  std::string text = name + ": [";
  for (std::size_t i = 0; i < items.size(); ++i) text += (i > 0 ? ", " : "") + scalar(items[i]);
  printer.line(depth, text + "]");
}

// A map of texts; what is empty was not given.
template <class Pairs>
void print_map(Printer& printer, std::size_t depth, const std::string& name, const Pairs& pairs) {
  printer.line(depth, name + ":");
  for (const auto& [key, value] : pairs) {
    if (!value.empty()) printer.line(depth + 1, scalar(key) + ": " + scalar(value));
  }
}

void print_columns(Printer& printer, std::size_t depth, const std::string& name, const Parameter& parameter) {
  if (parameter.include.empty() && parameter.exclude.empty() && parameter.rename.empty()) {
    return printer.line(depth, name + ": {}");
  }
  printer.line(depth, name + ":");
  print_list(printer, depth + 1, "include", parameter.include);
  print_list(printer, depth + 1, "exclude", parameter.exclude);
  if (!parameter.rename.empty()) print_map(printer, depth + 1, "rename", parameter.rename);
}

// A class has been resolved: what is printed is the lifetime that it had.
std::string lifetime_text(const Lifetime& lifetime) {
  const bool by_time = lifetime.at.empty();
  std::string out = by_time ? "for: " + format_duration(lifetime.constant) : "at: " + scalar(lifetime.at);
  if (by_time && lifetime.jitter == 0 && !lifetime.on_change) return format_duration(lifetime.constant);
  if (!lifetime.unit.empty()) out += ", unit: " + lifetime.unit;
  if (lifetime.add.count() != 0) out += ", add: " + format_duration(lifetime.add);
  if (lifetime.jitter != 0) out += ", jitter: " + std::to_string(lifetime.jitter);
  if (lifetime.on_change) out += ", refresh: on_change";
  return "{" + out + "}";
}

void print_explode(Printer& printer, std::size_t depth, const std::string& name, const Explode& explode) {
  using Line = std::pair<const char*, const std::string&>;
  print_map(
      printer, depth, name,
      std::initializer_list<Line>{
          {"column", explode.column}, {"field", explode.field}, {"value", explode.value}, {"where", explode.where}});
}

void print_parameter(Printer& printer, std::size_t depth, const std::string& name, const Parameter& parameter) {
  switch (parameter.shape) {
    case Shape::template_:
    case Shape::column:
    case Shape::choice:
    case Shape::expression:
      return printer.line(depth, name + ": " + scalar(parameter.text));
    case Shape::choices:
      return print_list(printer, depth, name, parameter.include);
    case Shape::number:
      return printer.line(depth, name + ": " + std::to_string(parameter.number));
    case Shape::duration:
      return printer.line(depth, name + ": " + format_duration(parameter.duration));
    case Shape::flag:
      return printer.line(depth, name + (parameter.flag ? ": true" : ": false"));
    case Shape::columns:
      return print_columns(printer, depth, name, parameter);
    case Shape::lifetime:
      return printer.line(depth, name + ": " + lifetime_text(parameter.lifetime));
    case Shape::explode:
      return print_explode(printer, depth, name, parameter.explode);
    case Shape::tables:
      return print_map(printer, depth, name, parameter.rename);
  }
}

void print_identity(Printer& printer, const Identity& identity) {
  switch (identity.form) {
    case Identity::Form::any:
      return;
    case Identity::Form::primary_key:
      return printer.line(2, "identity: primary_key");
    case Identity::Form::full:
      return printer.line(2, "identity: full");
    case Identity::Form::columns:
      return print_list(printer, 2, "identity", identity.columns);
  }
}

void print_reindex(Printer& printer, const Mapping& mapping) {
  printer.line(2, "reindex:");
  for (const ReindexParameter& parameter : mapping.reindex) {
    printer.line(3, scalar(parameter.name) + ":");
    printer.line(4, "column: " + scalar(parameter.column));
    if (parameter.default_value) printer.line(4, "default: " + scalar(*parameter.default_value));
  }
  if (!mapping.reindex_status_table.empty()) printer.line(3, "status_table: " + scalar(mapping.reindex_status_table));
}

void print_mapping(Printer& printer, const Mapping& mapping) {
  printer.line(1, "- name: " + scalar(mapping.name), mapping.where);
  if (!mapping.table.empty()) printer.line(2, "table: " + scalar(mapping.table));
  if (!mapping.tables.empty()) printer.line(2, "tables: " + scalar(mapping.tables));
  print_identity(printer, mapping.identity);
  if (!mapping.let.empty()) print_map(printer, 2, "let", mapping.let);
  if (mapping.allow_eviction) printer.line(2, "allow_eviction: true");
  if (!mapping.on_poison.empty()) printer.line(2, "on_poison: " + mapping.on_poison);
  if (mapping.purge_gone) printer.line(2, "on_table_gone: purge");
  if (!mapping.reindex.empty() || !mapping.reindex_status_table.empty()) print_reindex(printer, mapping);
  printer.line(2, "write:");
  for (const Write& write : mapping.writes) {
    printer.line(3, "- " + write.kind + (write.parameters.empty() ? ": {}" : ":"), write.where);
    for (const auto& [name, parameter] : write.parameters) print_parameter(printer, 5, name, parameter);
  }
}

}  // namespace

std::string show(const Config& config, bool with_origin) {
  Config copy = config;
  Printer printer(with_origin);
  for (const Key& key : keys()) {
    if (!key.stands_for.empty() || key.type == Type::url || key.type == Type::url_file) continue;
    // Beside a socket the default host would say that both are given.
    if (!config.target.unix_path.empty() && (key.name == "target.host" || key.name == "target.port")) continue;
    const std::string value = effective(key, copy);
    const auto origin = config.origins.find(key.name);
    if (value.empty() && origin == config.origins.end()) continue;
    const std::size_t depth = printer.enter(key.name);
    const std::string word = key.name.substr(key.name.rfind('.') + 1);
    printer.line(depth, word + ": " + scalar(value), origin == config.origins.end() ? "default" : origin->second);
  }
  if (config.mappings.empty()) {
    printer.line(0, "mappings: []", "every published table becomes a hash");
  } else {
    printer.line(0, "mappings:");
    for (const Mapping& mapping : config.mappings) print_mapping(printer, mapping);
  }
  return printer.take();
}

}  // namespace walrelay::config
