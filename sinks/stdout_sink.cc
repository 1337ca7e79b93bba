#include "sinks/stdout_sink.h"

#include <simdjson.h>

#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sinks/json_text.h"

namespace walrelay::sinks {
namespace {

std::size_t take_number(std::string_view& rest, char type) {
  std::size_t number = 0;
  const std::size_t end = rest.find("\r\n");
  if (end == std::string_view::npos || rest.front() != type) throw std::runtime_error("not a Redis command");
  const auto [stop, error] = std::from_chars(rest.data() + 1, rest.data() + end, number);
  if (error != std::errc() || stop != rest.data() + end) throw std::runtime_error("not a Redis command");
  rest.remove_prefix(end + 2);
  return number;
}

std::string_view take_bulk(std::string_view& rest) {
  const std::size_t size = take_number(rest, '$');
  if (rest.size() < 2 || rest.size() - 2 < size) throw std::runtime_error("not a Redis command");
  const std::string_view bulk = rest.substr(0, size);
  rest.remove_prefix(size + 2);
  return bulk;
}

// What a shell-like reader takes as one word without quotes.
bool is_plain(std::string_view word) {
  if (word.empty() || word.front() == '#') return false;
  for (const char c : word) {
    const bool plain = c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\';
    if (!plain) return false;
  }
  return true;
}

void append_quoted(std::string& out, std::string_view word) {
  out += '"';
  for (const char c : word) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte >= 0x80 || (byte >= ' ' && byte < 0x7f)) {
      out += c;  // UTF-8 is readable as it is
    } else {
      char text[8];
      std::snprintf(text, sizeof text, "\\x%02x", byte);
      out += text;
    }
  }
  out += '"';
}

std::vector<std::string_view> take_command(std::string_view& commands) {
  std::vector<std::string_view> words(take_number(commands, '*'));
  for (auto& word : words) word = take_bulk(commands);
  constexpr std::size_t kEnough = 8;  // of forty letters, to tell scripts apart
  if (words.size() > 1 && words[0] == "EVALSHA") words[1] = words[1].substr(0, kEnough);
  return words;
}

std::string readable(std::string_view word) {
  if (is_plain(word)) return std::string(word);
  std::string out;
  append_quoted(out, word);
  return out;
}

}  // namespace

std::string to_readable(std::string_view commands) {
  std::string out;
  while (!commands.empty()) {
    const auto words = take_command(commands);
    for (std::size_t i = 0; i < words.size(); ++i) out += (i > 0 ? " " : "") + readable(words[i]);
    out += '\n';
  }
  return out;
}

std::string to_json_lines(std::string_view commands) {
  std::string out;
  while (!commands.empty()) {
    const auto words = take_command(commands);
    for (std::size_t i = 0; i < words.size(); ++i) {
      out += i > 0 ? ", " : "[";
      append_json_string(out, simdjson::validate_utf8(words[i]) ? std::string(words[i]) : readable(words[i]));
    }
    out += "]\n";
  }
  return out;
}

StdoutSink::StdoutSink(event::Loop& loop, Writer writer, SinkEvents& events, Form form)
    : writer_(std::move(writer)), events_(events), form_(form), report_(loop, [this] { report(); }) {}

void StdoutSink::print() {
  if (batch_.empty()) return;
  const std::string_view commands = batch_.take();
  const std::string lines = form_ == Form::json ? to_json_lines(commands) : to_readable(commands);
  batch_.clear();
  writer_(lines);
}

void StdoutSink::remark(const std::string& text) {
  if (form_ == Form::text) writer_("# " + text + "\n");
}

void StdoutSink::row(const replication::Position&) { print(); }

void StdoutSink::loaded(std::size_t) { print(); }

void StdoutSink::commit(replication::Lsn end, std::int64_t commit_time_us) {
  print();
  remark("commit " + to_string(end));
  printed_ = {end, replication::Lsn::invalid, 0};
  commit_time_us_ = commit_time_us;
  committed_ = true;
  report_.schedule();
}

void StdoutSink::advance(replication::Lsn position) {
  printed_ = {position, replication::Lsn::invalid, 0};
  report_.schedule();
}

void StdoutSink::remove_owned(std::vector<OwnedKeys> owned, std::vector<std::uint32_t>) {
  print();
  for (const OwnedKeys& keys : owned) remark("remove every key like " + keys.glob);
}

void StdoutSink::dead_letter(DeadLetter letter) {
  remark("cannot write a row of " + letter.image.table + ": " + letter.error);
}

// Nothing is recorded anywhere, so on_recorded is never said: a dry run must not move a slot.
void StdoutSink::report() {
  const replication::Position position = printed_;
  if (position <= reported_) return;
  reported_ = position;
  if (std::exchange(committed_, false)) events_.on_applied(position, commit_time_us_);
}

}  // namespace walrelay::sinks
