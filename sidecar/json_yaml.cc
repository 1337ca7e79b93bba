#include "sidecar/json_yaml.h"

#include <algorithm>
#include <cctype>

#include "config/json_text.h"

namespace walrelay::sidecar {

namespace {

// A text that no reader of YAML, of 1.1 or of 1.2, takes for a number, a date, a flag or a mark; JSON's form is YAML,
// too.
std::string scalar(std::string_view text) {
  static constexpr const char* kWords[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-' || c == '/' || c == ' ';
  };
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool word = std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
  const bool begins = !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0;
  if (begins && !word && text.back() != ' ' && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  return config::Json::text(std::string(text)).print();
}

void write(JsonElement json, const std::string& indent, bool behind_a_mark, std::string& out);

bool is_empty(JsonElement json) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (json.get(object) == simdjson::SUCCESS) return object.size() == 0;
  return json.get(array) == simdjson::SUCCESS && array.size() == 0;
}

void write_scalar(JsonElement json, std::string& out) {
  std::string_view text;
  out += json.get(text) == simdjson::SUCCESS ? scalar(text) : simdjson::minify(json);
  out += '\n';
}

// Behind "name:" or "-": what has parts goes below.
void write_value(JsonElement value, const std::string& indent, bool in_list, std::string& out) {
  const bool nested = (value.is_object() || value.is_array()) && !is_empty(value);
  if (!nested) {
    out += ' ';
    return write_scalar(value, out);
  }
  if (in_list && value.is_object()) {  // "- name: ..."
    out += ' ';
    return write(value, indent, true, out);
  }
  out += '\n';
  write(value, indent, false, out);
}

void write(JsonElement json, const std::string& indent, bool behind_a_mark, std::string& out) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (is_empty(json)) {
    out += indent;
    write_scalar(json, out);
  } else if (json.get(object) == simdjson::SUCCESS) {
    for (const auto& [name, value] : object) {
      out += (behind_a_mark ? "" : indent) + scalar(name) + ":";
      behind_a_mark = false;
      write_value(value, indent + "  ", false, out);
    }
  } else if (json.get(array) == simdjson::SUCCESS) {
    for (const JsonElement value : array) {
      out += indent + "-";
      write_value(value, indent + "  ", true, out);
    }
  } else {
    out += indent;
    write_scalar(json, out);
  }
}

}  // namespace

std::string yaml_of(JsonElement json) {
  std::string out;
  write(json, "", false, out);
  return out;
}

}  // namespace walrelay::sidecar
