#include "config/schema_forms.h"

#include "config/keys.h"

namespace walrelay::config::forms {

namespace {

constexpr const char* kDuration = "^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$";
constexpr const char* kDigits = "^[0-9]+$";
constexpr const char* kIdentifier = "^[A-Za-z_][A-Za-z0-9_]*$";
constexpr const char* kNotBlank = "[^ \\t\\r\\n]";

Json expression() {
  return Json::object()
      .with("type", Json::texts({"string", "number", "boolean"}))
      .with("pattern", Json::text(kNotBlank));
}

Json from_zero() { return type("integer").with("minimum", Json::raw("0")); }

Json map_of(Json values) { return type("object").with("additionalProperties", std::move(values)); }

Json list_or_one(const std::vector<std::string>& choices) {
  const Json one = Json::object().with("enum", Json::texts(choices));
  Json list = type("array").with("items", one).with("minItems", Json::raw("1")).with("uniqueItems", Json::raw("true"));
  return any_of({one, std::move(list)});
}

Json columns() {
  Json properties = Json::object().with("include", names()).with("exclude", names());
  properties.add("rename", map_of(type("string")));
  Json object =
      closed(std::move(properties)).with("not", Json::object().with("required", Json::texts({"include", "exclude"})));
  return Json::object().with("anyOf", Json::array().with(names()).with(std::move(object)));
}

// "for" and "class" with what goes with a time, "at" with what goes with an instant.
Json lifetime() {
  Json jitter = any_of({from_zero().with("maximum", Json::raw("90")), pattern(kDigits)});
  const Json company = Json::object().with("jitter", std::move(jitter)).with("refresh", word({"always", "on_change"}));
  Json at = Json::object().with("at", expression()).with("unit", word({"s", "ms", "us"})).with("add", duration());
  return any_of({pattern(kDuration), Json::object().with("const", Json::raw("0")),
                 closed(Json(company).with("for", duration()), {"for"}),
                 closed(Json(company).with("class", scalar()), {"class"}), closed(std::move(at), {"at"})});
}

Json explode() {
  Json properties = Json::object().with("column", scalar());
  properties.add("field", expression()).add("value", expression()).add("where", expression());
  return closed(std::move(properties), {"column", "field", "value"});
}

}  // namespace

Json type(const char* name) { return Json::object().with("type", Json::text(name)); }

Json pattern(const char* expression) { return type("string").with("pattern", Json::text(expression)); }

Json any_of(std::vector<Json> forms) {
  Json list = Json::array();
  for (Json& form : forms) list.add(std::move(form));
  list.add(Json::object().with("$ref", Json::text("#/definitions/variable")));
  return Json::object().with("anyOf", std::move(list));
}

Json scalar() { return Json::object().with("type", Json::texts({"string", "number", "boolean"})); }

Json word(const std::vector<std::string>& choices) {
  return any_of({Json::object().with("enum", Json::texts(choices))});
}

Json flag() { return any_of({type("boolean")}); }

Json duration() { return any_of({pattern(kDuration), Json::object().with("const", Json::raw("0"))}); }

Json whole_number() { return any_of({from_zero(), pattern(kDigits)}); }

Json names() { return type("array").with("items", type("string")).with("minItems", Json::raw("1")); }

Json closed(Json properties, const std::vector<std::string>& required) {
  Json out = type("object");
  out.add("additionalProperties", Json::raw("false")).add("properties", std::move(properties));
  if (!required.empty()) out.add("required", Json::texts(required));
  return out;
}

Json parameter(const ParameterRule& rule) {
  switch (rule.shape) {
    case Shape::template_:
    case Shape::column:
      return scalar();
    case Shape::choice:
      return word(rule.choices);
    case Shape::choices:
      return list_or_one(rule.choices);
    case Shape::duration:
      return duration();
    case Shape::number:
      return whole_number();
    case Shape::flag:
      return flag();
    case Shape::columns:
      return columns();
    case Shape::expression:
      return expression();
    case Shape::lifetime:
      return lifetime();
    case Shape::explode:
      return explode();
    case Shape::tables:
      return map_of(scalar()).with("minProperties", Json::raw("1"));
  }
  return scalar();
}

Json mapping_value(const std::string& key) {
  if (key == "write") {
    const Json one = Json::object().with("$ref", Json::text("#/definitions/write"));
    Json many = type("array").with("minItems", Json::raw("1")).with("items", one);
    return Json::object().with("anyOf", Json::array().with(one).with(std::move(many)));
  }
  if (key == "enabled" || key == "allow_eviction") return flag();
  if (key == "identity") return any_of({Json::object().with("enum", Json::texts({"primary_key", "full"})), names()});
  if (key == "let")
    return map_of(expression()).with("propertyNames", Json::object().with("pattern", Json::text(kIdentifier)));
  if (key == "on_poison") return word({"stop", "dead_letter", "skip"});
  if (key == "on_table_gone") return word({"keep", "purge"});
  if (key == "reindex") return type("object");
  return type("string");
}

Json ttl_classes() {
  Json properties = Json::object();
  for (const ListedKey& key : ttl_classes_keys()) {
    Json form = key.name == "env" ? any_of({pattern(kIdentifier)}) : word({"s", "ms"});
    if (key.name == "defaults") {
      form = Json::object().with("type", Json::texts({"object", "null"}));
      form.add("additionalProperties", any_of({from_zero(), pattern(kDuration), pattern(kDigits)}));
    }
    properties.add(key.name, std::move(form.add("description", Json::text(plain(key.help)))));
  }
  Json out = Json::object().with("type", Json::texts({"object", "null"}));
  out.add("description", Json::text("Lifetimes by name, for \"ttl: {class: ...}\"."))
      .add("additionalProperties", Json::raw("false"))
      .add("properties", std::move(properties))
      .add("dependencies", Json::object().with("env", Json::texts({"unit"})));
  return out;
}

std::string plain(std::string help) {
  std::erase(help, '`');
  return help;
}

}  // namespace walrelay::config::forms
