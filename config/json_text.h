// JSON as a value that prints itself, its members in the order they were added: what the schema needs, no more.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace walrelay::config {

class Json {
 public:
  static Json raw(std::string text) { return Json(std::move(text)); }  // a number, true, or finished JSON
  static Json text(const std::string& value);
  static Json texts(const std::vector<std::string>& values);
  static Json object() { return Json(Kind::object); }
  static Json array() { return Json(Kind::array); }

  Json& add(const std::string& name, Json value) &;  // to an object
  Json& add(Json value) &;                           // to an array
  Json&& with(const std::string& name, Json value) &&;
  Json&& with(Json value) &&;

  [[nodiscard]] std::string print(int depth = 0) const;  // without a line end behind it

 private:
  enum class Kind { raw, object, array };
  explicit Json(Kind kind) : kind_(kind) {}
  explicit Json(std::string raw) : kind_(Kind::raw), raw_(std::move(raw)) {}

  Kind kind_;
  std::string raw_;
  std::vector<std::pair<std::string, Json>> members_;  // of an array: without names
};

}  // namespace walrelay::config
