#include "sinks/expression_tokens.h"

#include <algorithm>
#include <stdexcept>

namespace walrelay::sinks {
namespace {

bool is_space(char byte) { return std::string_view(" \t\n\f\r").find(byte) != std::string_view::npos; }
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool begins_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' || (byte & 0x80) != 0;
}
bool continues_name(char byte) { return begins_name(byte) || is_digit(byte) || byte == '$'; }

class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  Token next() {
    const std::size_t begin = at_;
    const TokenKind kind = skip();
    return {kind, text_.substr(begin, at_ - begin)};
  }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }

 private:
  TokenKind skip() {
    const char byte = text_[at_];
    if (is_space(byte)) return skip_while(is_space, TokenKind::space);
    if (begins_name(byte)) return skip_while(continues_name, TokenKind::word);
    if (is_digit(byte)) return skip_while([](char c) { return continues_name(c) || c == '.'; }, TokenKind::other);
    if (byte == '\'') return skip_quoted('\'', TokenKind::string);
    if (byte == '"' || byte == '`') return skip_quoted(byte, TokenKind::quoted_name);
    if (byte == '[') return skip_until("]", "'['", TokenKind::quoted_name);
    if (text_.substr(at_).starts_with("--")) return skip_line();
    if (text_.substr(at_).starts_with("/*")) return skip_until("*/", "comment", TokenKind::space);
    for (const std::string_view arrow : {"->>", "->"}) {
      if (!text_.substr(at_).starts_with(arrow)) continue;
      at_ += arrow.size();
      return TokenKind::other;
    }
    ++at_;
    return std::string_view("?:@$#").find(byte) != std::string_view::npos ? TokenKind::parameter : TokenKind::other;
  }

  template <typename Belongs>
  TokenKind skip_while(Belongs belongs, TokenKind kind) {
    while (!at_end() && belongs(text_[at_])) ++at_;
    return kind;
  }

  // A quote that stands twice is one of the text.
  TokenKind skip_quoted(char quote, TokenKind kind) {
    const std::size_t begin = at_++;
    for (; !at_end(); ++at_) {
      if (text_[at_] != quote) continue;
      if (at_ + 1 == text_.size() || text_[at_ + 1] != quote) {
        ++at_;
        return kind;
      }
      ++at_;
    }
    never_ends("quote", begin);
  }

  TokenKind skip_until(std::string_view end, const std::string& what, TokenKind kind) {
    const std::size_t begin = at_, found = text_.find(end, begin + (end.size() == 2 ? 2 : 1));
    if (found == std::string_view::npos) never_ends(what, begin);
    at_ = found + end.size();
    return kind;
  }

  TokenKind skip_line() {
    at_ = std::min(text_.find('\n', at_), text_.size());
    return TokenKind::space;
  }

  [[noreturn]] static void never_ends(const std::string& what, std::size_t begin) {
    throw std::invalid_argument("the " + what + " is never closed (character " + std::to_string(begin + 1) + ")");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (Tokenizer tokenizer(text); !tokenizer.at_end();) tokens.push_back(tokenizer.next());
  return tokens;
}

std::string without_quotes(const Token& token) {
  const char quote = token.text.front();
  const std::string_view inside = token.text.substr(1, token.text.size() - 2);
  if (quote == '[') return std::string(inside);
  std::string text;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    text.push_back(inside[i]);
    if (inside[i] == quote) ++i;
  }
  return text;
}

}  // namespace walrelay::sinks
