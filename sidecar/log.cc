#include "sidecar/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <optional>

#include "sidecar/terminal.h"

namespace walrelay::sidecar::log {

namespace {

constexpr std::array<std::string_view, 6> kLevels = {"trace", "debug", "info", "warn", "error", "off"};

std::size_t level_index = 2;
bool json = false;
bool colours = false;
bool progress_shown = false;

std::string now() {
  const auto time = std::chrono::system_clock::now();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%03dZ", static_cast<int>(ms));
  return text;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string as_json(std::string_view level, std::string_view message, std::initializer_list<Field> fields) {
  std::string line = "{\"ts\":\"" + now() + "\",\"level\":\"" + std::string(level) + "\",\"msg\":";
  append_json_string(line, message);
  for (const auto& field : fields) {
    line += ',';
    append_json_string(line, field.key);
    line += ':';
    if (field.bare) {
      line += field.value;
    } else {
      append_json_string(line, field.value);
    }
  }
  return line + '}';
}

std::string as_text(std::string_view level, std::string_view message, std::initializer_list<Field> fields) {
  const char* colour = level == "error" ? "\033[31m" : level == "warn" ? "\033[33m" : "";
  std::string line = now() + ' ';
  if (colours) line += colour;
  line += level;
  if (colours && *colour != '\0') line += "\033[0m";
  line.append(level.size() < 5 ? 6 - level.size() : 1, ' ');
  line += message;
  for (const auto& field : fields) {
    line += "  ";
    line += field.key;
    line += '=';
    const bool plain = field.value.find_first_of(" \t\n\"") == std::string::npos && !field.value.empty();
    if (plain) {
      line += field.value;
    } else {
      append_json_string(line, field.value);
    }
  }
  return line;
}

std::optional<std::size_t> index_of(std::string_view level) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), level);
  return found == kLevels.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - kLevels.begin()));
}

void set_level(std::size_t index) {
  level_index = index;
  spdlog::default_logger_raw()->set_level(spdlog::level::from_str(std::string(kLevels[index])));
}

void say(spdlog::level::level_enum level, std::string_view name, std::string_view message,
         std::initializer_list<Field> fields) {
  auto* logger = spdlog::default_logger_raw();
  if (!logger->should_log(level)) return;
  if (progress_shown) {
    std::fputs("\r\033[K", stderr);
    progress_shown = false;
  }
  const std::string line = json ? as_json(name, message, fields) : as_text(name, message, fields);
  logger->log(level, "{}", line);
}

}  // namespace

bool on_terminal() { return isatty(STDERR_FILENO) != 0; }

void configure(std::string_view level, Format format) {
  json = format == Format::json || (format == Format::automatic && !on_terminal());
  colours = !json && takes_colours(STDERR_FILENO);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  auto logger = std::make_shared<spdlog::logger>("walrelay", std::move(sink));
  logger->set_pattern("%v");
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  set_level(index_of(level).value_or(level_index));
}

bool change_level(std::string_view level) {
  const auto index = index_of(level);
  if (!index) return false;
  if (*index == level_index) return true;
  set_level(std::min(*index, level_index));  // the louder of both says it
  say(spdlog::level::critical, "info", "the log level changes", {{"level", level}});
  set_level(*index);
  return true;
}

std::string_view level() { return kLevels[level_index]; }

void louder() {
  if (level_index > 0) change_level(kLevels[level_index - 1]);
}

void quieter() {
  constexpr std::size_t kError = 4;
  if (level_index < kError) change_level(kLevels[level_index + 1]);
}

void debug(std::string_view message, std::initializer_list<Field> fields) {
  say(spdlog::level::debug, "debug", message, fields);
}
void info(std::string_view message, std::initializer_list<Field> fields) {
  say(spdlog::level::info, "info", message, fields);
}
void warn(std::string_view message, std::initializer_list<Field> fields) {
  say(spdlog::level::warn, "warn", message, fields);
}
void error(std::string_view message, std::initializer_list<Field> fields) {
  say(spdlog::level::err, "error", message, fields);
}

void progress(std::string_view line) {
  if (!shows_progress()) return;
  if (line.empty() && !progress_shown) return;
  std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(line.size()), line.data());
  std::fflush(stderr);
  progress_shown = !line.empty();
}

bool shows_progress() { return !json && is_capable_terminal(STDERR_FILENO); }

}  // namespace walrelay::sidecar::log
