// What an expression's text says before SQLite sees it: that it is one expression and nothing more, and the names in
// it.
//
//   config->>'retention.policy' = lower(policy)
//   name  operator  string  operator  name ( name )
//
// A JSON label behind -> or ->> is a key as in PostgreSQL, whatever stands in it: SQLite's releases differ in what a
// dot or a digit means there, so the label becomes a quoted path, '$."retention.policy"'. Paths ('$.a.b') stay.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace walrelay::sinks {

struct ExpressionText {
  std::string sql;  // what SQLite gets
  std::map<std::string, std::size_t>
      names;         // every name in it, folded, keywords and functions too; how often it stands
  std::string bare;  // the name, as written, when the text is nothing but a name
};

// Throws std::invalid_argument with a clause that says what is wrong where.
ExpressionText parse_expression(std::string_view text);

// SQLite does not tell A from a in names (of ASCII).
std::string folded(std::string_view name);
std::string quoted_name(std::string_view name);  // "na""me"

}  // namespace walrelay::sinks
