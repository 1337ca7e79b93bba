#include "config/schema.h"

#include <algorithm>

#include "config/json_text.h"
#include "config/key_values.h"
#include "config/keys.h"
#include "config/schema_forms.h"

namespace walrelay::config {

namespace {

using forms::any_of;
using forms::pattern;
using forms::plain;
using forms::type;

constexpr const char* kSize = "^[0-9]+ ?([kKmMgGtT][iI]?)?[bB]?$";

Json number_form(const Key& key) {
  return type("integer")
      .with("minimum", Json::raw(std::to_string(key.minimum)))
      .with("maximum", Json::raw(std::to_string(key.maximum)));
}

Json form_of(const Key& key) {
  switch (key.type) {
    case Type::choice:
      return forms::word(key.choices);
    case Type::integer:
      return any_of({number_form(key), pattern("^-?[0-9]+$")});
    case Type::flag:
      return forms::flag();
    case Type::duration:
      return forms::duration();
    case Type::size:
      return any_of({number_form(key), pattern(kSize)});
    case Type::text:
    case Type::secret:
    case Type::secret_file:
    case Type::url:
    case Type::url_file:
      return forms::scalar();
  }
  return forms::scalar();
}

Json default_of(const Key& key, const std::string& value) {
  const bool bare = key.type == Type::integer || key.type == Type::flag;
  return bare ? Json::raw(value) : Json::text(value);
}

Json property(const Key& key, Config& defaults) {
  Json out = form_of(key);
  if (!key.help.empty()) out.add("description", Json::text(plain(key.help)));
  const std::string value = effective(key, defaults);
  if (!value.empty() && key.default_words.empty()) out.add("default", default_of(key, value));
  return out;
}

Json closed_object(Json properties) {
  return Json::object()
      .with("type", Json::texts({"object", "null"}))
      .with("additionalProperties", Json::raw("false"))
      .with("properties", std::move(properties));
}

// Everything under one section: its keys, and the sections in it.
Json properties_of(const std::string& prefix, Config& defaults) {
  Json properties = Json::object();
  std::string last_section;
  for (const Key& key : keys()) {
    if (!key.name.starts_with(prefix)) continue;
    const std::string rest = key.name.substr(prefix.size());
    const std::string word = rest.substr(0, rest.find('.'));
    const std::string name = prefix + word;
    if (!is_section(name)) {
      properties.add(word, property(key, defaults));
    } else if (word != last_section) {
      Json section = closed_object(properties_of(name + ".", defaults));
      const Key* itself = find_key(name);  // "ack: fsynced" beside "ack: {...}"
      properties.add(word, itself == nullptr ? std::move(section) : any_of({std::move(section), form_of(*itself)}));
      last_section = word;
    }
  }
  return properties;
}

Json kind_form(const KindRule& kind) {
  Json properties = Json::object();
  std::vector<std::string> required;
  for (const ParameterRule& rule : kind.parameters) {
    Json form = forms::parameter(rule);
    if (!rule.help.empty()) form.add("description", Json::text(plain(rule.help)));
    properties.add(rule.name, std::move(form));
    if (rule.required) required.push_back(rule.name);
  }
  Json out = required.empty() ? Json::object().with("type", Json::texts({"object", "null"})) : type("object");
  if (!kind.help.empty()) out.add("description", Json::text(plain(kind.help)));
  out.add("additionalProperties", Json::raw("false")).add("properties", std::move(properties));
  if (!required.empty()) out.add("required", Json::texts(required));
  return out;
}

Json write_form(const std::vector<KindRule>& kinds) {
  Json properties = Json::object();
  for (const KindRule& kind : kinds) properties.add(kind.name, kind_form(kind));
  return type("object")
      .with("minProperties", Json::raw("1"))
      .with("additionalProperties", Json::raw("false"))
      .with("properties", std::move(properties));
}

Json mapping_form() {
  Json properties = Json::object();
  for (const ListedKey& key : mapping_keys()) {
    Json form = forms::mapping_value(key.name);
    form.add("description", Json::text(plain(key.help)));
    properties.add(key.name, std::move(form));
  }
  const auto requires_key = [](const char* name) { return Json::object().with("required", Json::texts({name})); };
  return type("object")
      .with("additionalProperties", Json::raw("false"))
      .with("required", Json::texts({"write"}))
      .with("oneOf", Json::array().with(requires_key("table")).with(requires_key("tables")))
      .with("properties", std::move(properties));
}

}  // namespace

std::string json_schema(const std::vector<KindRule>& kinds) {
  Config defaults;
  Json properties = properties_of("", defaults);
  properties.add("ttl_classes", forms::ttl_classes());
  properties.add("mappings",
                 Json::object()
                     .with("type", Json::texts({"array", "null"}))
                     .with("description",
                           Json::text("What is written for which table; none: every published table becomes a hash."))
                     .with("items", Json::object().with("$ref", Json::text("#/definitions/mapping"))));
  Json definitions = Json::object();
  definitions.add(
      "variable",
      pattern("\\$\\{[A-Za-z_][A-Za-z0-9_]*[^}]*\\}").with("description", Json::text("A value from the environment.")));
  definitions.add("mapping", mapping_form()).add("write", write_form(kinds));
  Json schema = Json::object();
  schema.add("$schema", Json::text("http://json-schema.org/draft-07/schema#"))
      .add("title", Json::text("walrelay configuration"))
      .add("type", Json::texts({"object", "null"}))
      .add("additionalProperties", Json::raw("false"))
      .add("patternProperties", Json::object().with("^x-", Json::raw("true")))
      .add("properties", std::move(properties))
      .add("definitions", std::move(definitions));
  return schema.print() + "\n";
}

}  // namespace walrelay::config
