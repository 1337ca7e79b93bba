#include "sinks/resp.h"

#include <algorithm>
#include <charconv>

namespace walrelay::sinks::resp {

char* put_large_number(char* to, std::uint64_t number) { return std::to_chars(to, to + 20, number).ptr; }

void append_header(std::string& out, std::size_t arguments) {
  char text[kHeaderRoom];
  out.append(text, put_header(text, '*', arguments));
}

void append_bulk(std::string& out, std::string_view bytes) {
  char text[kHeaderRoom];
  out.append(text, put_header(text, '$', bytes.size()));
  out.append(bytes);
  out.append("\r\n");
}

void append_bulk(std::string& out, std::uint64_t number) {
  char text[kHeaderRoom];
  append_bulk(out, std::string_view(text, static_cast<std::size_t>(put_number(text, number) - text)));
}

void append_command(std::string& out, std::initializer_list<std::string_view> arguments) {
  append_header(out, arguments.size());
  for (const std::string_view argument : arguments) append_bulk(out, argument);
}

std::string bulk(std::string_view bytes) {
  std::string out;
  append_bulk(out, bytes);
  return out;
}

std::size_t longest_argument(std::string_view commands) {
  std::size_t longest = 0;
  while (!commands.empty()) {
    const bool is_bulk = commands.front() == '$';
    const std::size_t end = commands.find("\r\n");
    std::size_t number = 0;
    std::from_chars(commands.data() + 1, commands.data() + end, number);
    commands.remove_prefix(end + 2 + (is_bulk ? number + 2 : 0));
    if (is_bulk) longest = std::max(longest, number);
  }
  return longest;
}

}  // namespace walrelay::sinks::resp
