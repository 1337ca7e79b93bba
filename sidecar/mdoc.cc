#include "sidecar/mdoc.h"

namespace walrelay::sidecar::mdoc {

namespace {

std::string escaped(char c) {
  return c == '\\' ? std::string("\\e") : c == '-' ? std::string("\\-") : std::string(1, c);
}

bool ends_sentence(const std::string& text, std::size_t end) {
  return end > 1 && text[end - 1] == '.' && text[end - 2] != '.';
}

// The language wants a line for each sentence, and what begins with a dot or a quote would be a request.
std::string in_lines(const std::string& text, bool markdown) {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = out.empty() || out.back() == '\n';
    if (begins && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (markdown && text[i] == '`') {
      inside = !inside;
      out += inside ? "\\(oq" : "\\(cq";
    } else if (text[i] == ' ' && !inside && ends_sentence(text, i)) {
      out += '\n';
    } else {
      out += escaped(text[i]);
    }
  }
  return out + "\n";
}

}  // namespace

std::string text_line(const std::string& text) { return in_lines(text, false); }

std::string markdown_line(const std::string& text) { return in_lines(text, true); }

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\\(dq") : escaped(c);
  return out + "\"";
}

}  // namespace walrelay::sidecar::mdoc
