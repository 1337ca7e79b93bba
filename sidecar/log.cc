#include "sidecar/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace walrelay::sidecar::log {

namespace {

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

void write(spdlog::level::level_enum level, std::string_view name, std::string_view message,
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
  colours = !json && on_terminal() && std::getenv("NO_COLOR") == nullptr;
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
  auto logger = std::make_shared<spdlog::logger>("walrelay", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::from_str(std::string(level)));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void debug(std::string_view message, std::initializer_list<Field> fields) {
  write(spdlog::level::debug, "debug", message, fields);
}
void info(std::string_view message, std::initializer_list<Field> fields) {
  write(spdlog::level::info, "info", message, fields);
}
void warn(std::string_view message, std::initializer_list<Field> fields) {
  write(spdlog::level::warn, "warn", message, fields);
}
void error(std::string_view message, std::initializer_list<Field> fields) {
  write(spdlog::level::err, "error", message, fields);
}

void progress(std::string_view line) {
  if (json || !on_terminal()) return;
  std::fprintf(stderr, "\r\033[K%.*s", static_cast<int>(line.size()), line.data());
  std::fflush(stderr);
  progress_shown = true;
}

}  // namespace walrelay::sidecar::log
