// Whether a JSON value is what a schema of an OpenAPI document says: the words that ours uses, and a complaint about
// any other. Stricter in one thing: a member that the schema does not name is a mismatch, unless it allows more.
#pragma once

#include <simdjson.h>

#include <regex>
#include <set>
#include <string>

namespace walrelay::support {

class JsonSchema {
 public:
  using Value = simdjson::dom::element;
  explicit JsonSchema(Value document) : document_(document) {}

  // The first thing that is wrong, with its place; "" when nothing is.
  [[nodiscard]] std::string mismatch(Value value, Value schema, const std::string& place = "$") const {
    Value found;
    if (schema["$ref"].get(found) == simdjson::SUCCESS) {
      const std::string pointer = std::string(std::string_view(found)).substr(1);
      return mismatch(value, document_.at_pointer(pointer), place);
    }
    if (schema["anyOf"].get(found) == simdjson::SUCCESS) return any_of(value, found, place);
    for (const auto& [word, rule] : simdjson::dom::object(schema)) {
      const std::string complaint = judge(std::string(word), rule, value, schema, place);
      if (!complaint.empty()) return complaint;
    }
    return "";
  }

 private:
  [[nodiscard]] std::string any_of(Value value, Value choices, const std::string& place) const {
    std::string all;
    for (const Value choice : simdjson::dom::array(choices)) {
      const std::string complaint = mismatch(value, choice, place);
      if (complaint.empty()) return "";
      all += complaint + "; ";
    }
    return all;
  }

  [[nodiscard]] std::string judge(const std::string& word, Value rule, Value value, Value schema,
                                  const std::string& place) const {
    static const std::set<std::string> kSaysNothing = {"description", "additionalProperties"};
    if (kSaysNothing.contains(word)) return "";
    const std::string is = place + " is " + simdjson::minify(value).substr(0, 80);
    if (word == "type") return has_type(value, rule) ? "" : is + ", not of type " + simdjson::minify(rule);
    if (word == "enum") return contains(rule, value) ? "" : is + ", not one of " + simdjson::minify(rule);
    if (word == "minimum") return !value.is_number() || double(value) >= double(rule) ? "" : is + ", too small";
    if (word == "maxItems") {
      return !value.is_array() || simdjson::dom::array(value).size() <= std::uint64_t(rule) ? ""
                                                                                            : place + " is too long";
    }
    if (word == "pattern" || word == "format") return fits(word, rule, value) ? "" : is + ", not of the form";
    if (word == "required") return has_all(value, rule, place);
    if (word == "items") return items(value, rule, place);
    if (word == "properties") return properties(value, rule, schema, place);
    return "the schema of " + place + " has the word " + word + ", which this test does not know";
  }

  static bool is_of(Value value, std::string_view type) {
    if (type == "null") return value.is_null();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "number") return value.is_number();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "object") return value.is_object();
    return type == "array" && value.is_array();
  }
  static bool has_type(Value value, Value types) {
    if (types.is_string()) return is_of(value, std::string_view(types));
    for (const Value type : simdjson::dom::array(types)) {
      if (is_of(value, std::string_view(type))) return true;
    }
    return false;
  }
  static bool contains(Value list, Value value) {
    for (const Value each : simdjson::dom::array(list)) {
      if (simdjson::minify(each) == simdjson::minify(value)) return true;
    }
    return false;
  }
  static bool fits(const std::string& word, Value rule, Value value) {
    if (!value.is_string()) return true;
    static const std::string kTime = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)";
    const std::string form = word == "format" ? kTime : std::string(std::string_view(rule));
    return std::regex_search(std::string(std::string_view(value)), std::regex(form));
  }
  static std::string has_all(Value value, Value names, const std::string& place) {
    if (!value.is_object()) return "";
    for (const Value name : simdjson::dom::array(names)) {
      if (value[std::string_view(name)].error() != simdjson::SUCCESS) {
        return place + " has no " + std::string(std::string_view(name));
      }
    }
    return "";
  }
  [[nodiscard]] std::string items(Value value, Value schema, const std::string& place) const {
    if (!value.is_array()) return "";
    std::size_t i = 0;
    for (const Value each : simdjson::dom::array(value)) {
      const std::string complaint = mismatch(each, schema, place + "[" + std::to_string(i++) + "]");
      if (!complaint.empty()) return complaint;
    }
    return "";
  }
  [[nodiscard]] std::string properties(Value value, Value known, Value schema, const std::string& place) const {
    if (!value.is_object()) return "";
    Value more, rule;
    const bool open = schema["additionalProperties"].get(more) == simdjson::SUCCESS;
    for (const auto& [name, member] : simdjson::dom::object(value)) {
      const std::string where = place + "." + std::string(name);
      const bool named = known[name].get(rule) == simdjson::SUCCESS;
      if (!named && !open) return where + " is not in the document";
      const std::string complaint = named ? mismatch(member, rule, where) : "";
      if (!complaint.empty()) return complaint;
    }
    return "";
  }

  Value document_;
};

}  // namespace walrelay::support
