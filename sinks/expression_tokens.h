// The words of an SQL expression, cut as SQLite cuts them as far as quotes, comments and names go.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace walrelay::sinks {

enum class TokenKind : std::uint8_t {
  space,        // white space and comments
  word,         // a bare name or a keyword
  quoted_name,  // "name" `name` [name]
  string,       // 'text'
  parameter,    // ? : @ $ # in front of whatever
  other,        // numbers and operators; -> and ->> are one token each
};

struct Token {
  TokenKind kind = TokenKind::other;
  std::string_view text;  // in the expression, quotes included
};

// Together the tokens are the whole text. Throws std::invalid_argument with a clause when a quote or a comment does not
// end.
std::vector<Token> tokens_of(std::string_view text);

std::string without_quotes(const Token& token);  // what a quoted name or a string stands for

}  // namespace walrelay::sinks
