#include "config/expand.h"

#include <string_view>

namespace walrelay::config {

namespace {

constexpr int kDeepest = 16;

bool is_name_char(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

// The position of the brace that closes the "${" in front of `start`, or npos.
std::size_t closing_brace(std::string_view text, std::size_t start) {
  std::size_t open = 1;
  for (std::size_t i = start; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') {
      ++i;
    } else if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      ++open;
      ++i;
    } else if (text[i] == '}' && --open == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

class Expander {
 public:
  Expander(const Environment& environment, Expanded& result) : environment_(environment), result_(result) {}

  std::string run(std::string_view text, int depth) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool more = text[i] == '$' && i + 1 < text.size();
      if (more && text[i + 1] == '$') {
        out += text[i++];
      } else if (more && text[i + 1] == '{') {
        const std::size_t end = closing_brace(text, i + 2);
        if (end == std::string_view::npos) {
          complain("a \"${\" is not closed by \"}\"; write \"$${\" for the characters themselves");
          return out;
        }
        out += variable(text.substr(i + 2, end - i - 2), depth);
        i = end;
      } else {
        out += text[i];
      }
    }
    return out;
  }

 private:
  std::string variable(std::string_view inside, int depth) {
    std::size_t length = 0;
    while (length < inside.size() && is_name_char(inside[length], length == 0)) ++length;
    const std::string name(inside.substr(0, length));
    std::string_view rest = inside.substr(length);
    const bool empty_counts_as_unset = rest.starts_with(':');
    if (empty_counts_as_unset) rest.remove_prefix(1);
    const bool has_operator = !rest.empty() && (rest[0] == '-' || rest[0] == '?');
    if (name.empty() || (!has_operator && inside.size() != length) || depth >= kDeepest) {
      complain(
          "\"${...}\" must be ${NAME}, ${NAME:-default} or ${NAME:?message}; write \"$${\" for the characters "
          "themselves");
      return "";
    }
    const auto value = environment_(name);
    if (value && !(empty_counts_as_unset && value->empty())) {
      result_.variables.push_back(name);
      return *value;
    }
    if (has_operator && rest[0] == '-') return run(rest.substr(1), depth + 1);
    unset(name, has_operator ? rest.substr(1) : std::string_view());
    return "";
  }

  void unset(const std::string& name, std::string_view message) {
    if (!message.empty()) return complain("the environment variable " + name + ": " + std::string(message));
    complain("the environment variable " + name + " is not set; set it, or write ${" + name + ":-default}");
  }

  void complain(std::string message) { result_.complaints.push_back(std::move(message)); }

  const Environment& environment_;
  Expanded& result_;
};

}  // namespace

Expanded expand(const std::string& text, const Environment& environment) {
  Expanded result;
  result.text = Expander(environment, result).run(text, 0);
  return result;
}

}  // namespace walrelay::config
