// Environment variables in the text of one scalar.
//
//   ${NAME}            its value; a mistake when it is not set
//   ${NAME:-text}      text when it is not set or empty        ${NAME-text}      only when it is not set
//   ${NAME:?message}   a mistake with that message             ${NAME?message}   only when it is not set
//   $$                 a dollar sign
//
// The text after :- is expanded in its turn; the value of a variable never is, so no value can inject anything.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace walrelay::config {

using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct Expanded {
  std::string text;
  std::vector<std::string> variables;   // whose values stand in the text: it may hold a secret
  std::vector<std::string> complaints;  // without any value
};
Expanded expand(const std::string& text, const Environment& environment);

}  // namespace walrelay::config
