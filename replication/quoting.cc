// Names and texts as PostgreSQL's SQL grammar wants them.
#include "replication/connection.h"

namespace walrelay::replication {

namespace {

std::string enclose(std::string_view text, char quote, bool double_backslash) {
  std::string quoted(1, quote);
  for (const char c : text) {
    if (c == quote || (double_backslash && c == '\\')) quoted += c;
    quoted += c;
  }
  quoted += quote;
  return quoted;
}

}  // namespace

std::string quote_identifier(std::string_view name) { return enclose(name, '"', false); }

std::string quote_literal(std::string_view text) {
  // The E stands behind a space: it must not become a part of the word before it.
  const bool backslash = text.find('\\') != std::string_view::npos;
  return (backslash ? " E" : "") + enclose(text, '\'', backslash);
}

}  // namespace walrelay::replication
