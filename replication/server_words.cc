#include "replication/server_words.h"

#include <algorithm>

namespace walrelay::replication {

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

void append_sentence(std::string& text, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!text.empty()) text += text.back() == '.' ? " " : ". ";
  text += sentence;
}

// "FATAL:  28P01: words" -> the position after "FATAL:  ", or npos. The severity may be in any language.
std::size_t find_sqlstate(std::string_view line) {
  const std::size_t colon = line.find(":  ");
  if (colon == std::string_view::npos || line.size() < colon + 10 || line[colon + 8] != ':')
    return std::string_view::npos;
  const std::string_view code = line.substr(colon + 3, 5);
  const bool good =
      std::all_of(code.begin(), code.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  return good ? colon + 3 : std::string_view::npos;
}

std::string_view without_peer(std::string_view line) {
  constexpr std::string_view kFailed = " failed: ";
  if (!line.starts_with("connection to server ")) return line;
  const std::size_t failed = line.find(kFailed);
  return failed == std::string_view::npos ? line : line.substr(failed + kFailed.size());
}

std::string_view without_label(std::string_view line) {
  for (const std::string_view label : {"DETAIL:  ", "HINT:  "}) {
    if (line.starts_with(label)) return line.substr(label.size());
  }
  return line;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string joined;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    if (!line.empty()) {
      if (!joined.empty()) joined += ' ';
      joined += line;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return joined;
}

ServerWords server_words(std::string_view sqlstate, std::string_view primary, std::string_view detail,
                         std::string_view hint, bool fatal) {
  ServerWords words{.sqlstate = std::string(sqlstate), .text = one_line(primary), .fatal = fatal};
  if (!sqlstate.empty()) words.text += " (" + words.sqlstate + ")";
  append_sentence(words.text, one_line(detail));
  append_sentence(words.text, one_line(hint));
  return words;
}

ServerWords words_of_connect_failure(std::string_view verbose) {
  ServerWords words{.sqlstate = {}, .text = {}, .fatal = true};
  while (!verbose.empty()) {
    const std::size_t end = std::min(verbose.find('\n'), verbose.size());
    const std::string_view line = trim(without_peer(trim(verbose.substr(0, end))));
    verbose.remove_prefix(std::min(end + 1, verbose.size()));
    if (line.starts_with("LOCATION:  ")) continue;
    if (line.starts_with("This probably means") || line.starts_with("before or while")) continue;  // libpq's guess
    if (const std::size_t at = find_sqlstate(line); at != std::string_view::npos) {
      words.sqlstate = line.substr(at, 5);
      append_sentence(words.text, std::string(trim(line.substr(at + 6))) + " (" + words.sqlstate + ")");
    } else {
      append_sentence(words.text, without_label(line));
    }
  }
  return words;
}

}  // namespace walrelay::replication
