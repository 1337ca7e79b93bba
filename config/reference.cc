// The tables of docs/configuration.md, and what the manual page of the file is made of.
#include <algorithm>

#include "config/key_values.h"
#include "config/nearest.h"
#include "config/schema.h"

namespace walrelay::config {

namespace {

std::string code(const std::string& text) { return "`" + text + "`"; }

// What may be written, in a few words.
std::string form(const Key& key) {
  if (!key.choices.empty()) {
    std::string out;
    for (const std::string& choice : key.choices) out += (out.empty() ? "" : ", ") + code(choice);
    return out;
  }
  switch (key.type) {
    case Type::integer:
      return "number";
    case Type::flag:
      return "`true`, `false`";
    case Type::duration:
      return "duration";
    case Type::size:
      return "size";
    case Type::secret:
      return "secret";
    case Type::secret_file:
    case Type::url_file:
      return "path";
    case Type::url:
      return "address";
    default:
      return "text";
  }
}

std::string default_text(const Key& key, Config& defaults) {
  if (!key.default_words.empty()) return key.default_words;
  const std::string value = key.stands_for.empty() ? effective(key, defaults) : "";
  return value.empty() ? "" : code(value);
}

}  // namespace

std::string form_of(const ParameterRule& rule) {
  switch (rule.shape) {
    case Shape::template_:
      return "template";
    case Shape::column:
      return "column";
    case Shape::duration:
      return "duration";
    case Shape::flag:
      return "`true`, `false`";
    case Shape::columns:
      return "columns";
    case Shape::number:
      return "number";
    case Shape::expression:
      return "expression";
    case Shape::lifetime:
      return "lifetime";
    case Shape::explode:
      return "explode";
    case Shape::tables:
      return "tables";
    case Shape::choice:
    case Shape::choices:
      break;
  }
  std::string out;
  for (const std::string& choice : rule.choices) out += (out.empty() ? "" : ", ") + code(choice);
  return rule.shape == Shape::choices ? out + ", or a list of them" : out;
}

std::vector<ExplainedKey> explained_keys() {
  Config defaults;
  std::vector<ExplainedKey> all;
  for (const Key& key : keys()) all.push_back({key.name, form(key), default_text(key, defaults), key.help});
  for (const ListedKey& key : ttl_classes_keys()) all.push_back({"ttl_classes." + key.name, "", "", key.help});
  for (const ListedKey& key : mapping_keys()) all.push_back({"mappings[]." + key.name, "", "", key.help});
  return all;
}

std::string reference_of_keys() {
  std::string out = "| Key | Value | Default | Meaning |\n|---|---|---|---|\n";
  for (const ExplainedKey& key : explained_keys()) {
    out += "| " + code(key.name) + " | " + key.form + " | " + key.fallback + " | " + key.help + " |\n";
  }
  return out;
}

std::string reference_of_kinds(const std::vector<KindRule>& kinds) {
  std::string out;
  for (const KindRule& kind : kinds) {
    if (!out.empty()) out += "\n";
    out += "### " + code(kind.name) + "\n\n" + kind.help +
           "\n\n| Parameter | Value | Needed | Meaning |\n|---|---|---|---|\n";
    for (const ParameterRule& rule : kind.parameters) {
      out += "| " + code(rule.name) + " | " + form_of(rule) + " | " + (rule.required ? "yes" : "") + " | " + rule.help +
             " |\n";
    }
  }
  return out;
}

}  // namespace walrelay::config
