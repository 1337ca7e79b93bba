#include "sinks/expression_text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <vector>

#include "sinks/expression_tokens.h"

namespace walrelay::sinks {
namespace {

constexpr std::array<std::string_view, 7> kDateFunctions{"date",     "time",     "datetime", "julianday",
                                                         "strftime", "timediff", "unixepoch"};

[[noreturn]] void wrong(const std::string& clause) { throw std::invalid_argument(clause); }

// Reads the tokens once. Every parenthesis that is open has its frame.
class Reading {
 public:
  explicit Reading(std::string_view text) : text_(text) {
    if (const auto zero = text.find('\0'); zero != std::string_view::npos) wrong("there is a zero byte" + at(zero));
    for (const Token& token : tokens_of(text)) take(token);
    if (!frames_.empty()) wrong("the parenthesis is never closed" + at(frames_.back().begin));
    if (count_ == 0) wrong("the expression is empty");
    if (count_ == 1 && before_name_) result_.bare = *before_name_;
  }
  ExpressionText take_result() { return std::move(result_); }

 private:
  struct Frame {
    std::size_t begin = 0;
    std::string function;  // folded; empty: a parenthesis of another kind
    std::size_t tokens = 0, commas = 0;
  };

  void take(const Token& token) {
    if (token.kind == TokenKind::space) {
      result_.sql += token.text;
      return;
    }
    refuse(token);
    std::optional<std::string> name;
    if (token.kind == TokenKind::word) name = std::string(token.text);
    if (token.kind == TokenKind::quoted_name) name = without_quotes(token);
    if (name) ++result_.names[folded(*name)];
    if (token.kind == TokenKind::string) {
      take_string(token);
    } else {
      result_.sql += token.text;
    }
    if (!frames_.empty()) ++frames_.back().tokens;
    if (token.text == "(") frames_.push_back({offset(token), before_name_ ? folded(*before_name_) : "", 0, 0});
    if (token.text == ")") close(token);
    before_name_ = std::move(name);
    behind_arrow_ = token.text == "->" || token.text == "->>";
    ++count_;
  }

  // What would end this expression, begin another one, or ask for a value that nobody gives.
  void refuse(const Token& token) {
    if (token.kind == TokenKind::parameter) {
      wrong("\"" + std::string(token.text) + "\" begins a parameter; an expression names columns" + at(offset(token)));
    }
    if (token.text == ";") wrong("an expression is one, without ';'" + at(offset(token)));
    if (token.text == ",") {
      if (frames_.empty()) wrong("an expression is one value; ',' begins another" + at(offset(token)));
      ++frames_.back().commas;
    }
    if (count_ > 0 || token.kind != TokenKind::word) return;
    const std::string word = folded(token.text);
    if (word == "select" || word == "values" || word == "with") wrong("a query needs parentheses around it");
  }

  void take_string(const Token& token) {
    const std::string text = without_quotes(token);
    const std::string word = folded(text);
    if (!frames_.empty() && is_date_function(frames_.back().function)) {
      if (word == "now") refuse_clock(frames_.back().function + "() of 'now'");
      if (word == "localtime" || word == "utc") {
        wrong("'" + text + "' depends on the machine's time zone" + at(offset(token)));
      }
    }
    const bool is_path = text.starts_with('$') || text.starts_with('[');
    if (behind_arrow_ && !is_path && text.find_first_of("\"\\") == std::string::npos) {
      result_.sql += "'$.\"";
      result_.sql += token.text.substr(1, token.text.size() - 2);
      result_.sql += "\"'";
    } else {
      result_.sql += token.text;
    }
  }

  void close(const Token& token) {
    if (frames_.empty()) wrong("')' closes nothing" + at(offset(token)));
    const Frame& frame = frames_.back();
    const bool no_time = frame.tokens == 1 || (frame.function == "strftime" && frame.commas == 0);
    if (is_date_function(frame.function) && no_time) refuse_clock(frame.function + "() without a time");
    frames_.pop_back();
  }

  static bool is_date_function(const std::string& name) {
    return std::find(kDateFunctions.begin(), kDateFunctions.end(), name) != kDateFunctions.end();
  }
  [[noreturn]] static void refuse_clock(const std::string& what) {
    wrong(what + " reads the clock; the same row must give the same value for ever");
  }

  [[nodiscard]] std::size_t offset(const Token& token) const {
    return static_cast<std::size_t>(token.text.data() - text_.data());
  }
  static std::string at(std::size_t offset) { return " (character " + std::to_string(offset + 1) + ")"; }

  std::string_view text_;
  ExpressionText result_;
  std::vector<Frame> frames_;
  std::optional<std::string> before_name_;  // the token before, when it is a name
  bool behind_arrow_ = false;
  std::size_t count_ = 0;  // of tokens that are no space
};

}  // namespace

ExpressionText parse_expression(std::string_view text) { return Reading(text).take_result(); }

std::string folded(std::string_view name) {
  std::string result(name);
  for (char& byte : result) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return result;
}

std::string quoted_name(std::string_view name) {
  std::string result = "\"";
  for (const char byte : name) result.append(byte == '"' ? 2 : 1, byte);
  return result + "\"";
}

}  // namespace walrelay::sinks
