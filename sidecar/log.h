// One line for each event of the program's life, on stderr: text on a terminal, JSON lines otherwise.
// No row values and no secrets ever go in here.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace walrelay::sidecar::log {

enum class Format { automatic, text, json };
// `level`: trace, debug, info, warn, error, off.
void configure(std::string_view level, Format format);
[[nodiscard]] bool on_terminal();

struct Field {
  Field(std::string_view name, std::string_view text) : key(name), value(text) {}
  Field(std::string_view name, const std::string& text) : key(name), value(text) {}
  Field(std::string_view name, const char* text) : key(name), value(text) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  Field(std::string_view name, T number) : key(name), value(std::to_string(number)), bare(true) {}
  std::string_view key;
  std::string value;
  bool bare = false;  // a number: no quotes in JSON
};

void debug(std::string_view message, std::initializer_list<Field> fields = {});
void info(std::string_view message, std::initializer_list<Field> fields = {});
void warn(std::string_view message, std::initializer_list<Field> fields = {});
void error(std::string_view message, std::initializer_list<Field> fields = {});

// A line that replaces itself on a terminal (progress), until the next event or line; nothing elsewhere.
void progress(std::string_view line);
[[nodiscard]] bool shows_progress();  // there is such a terminal, and JSON was not asked for

// The level changes while the program runs, and the log says so; false: there is no such level. louder() and quieter()
// go one step, between trace and error.
bool change_level(std::string_view level);
[[nodiscard]] std::string_view level();
void louder();
void quieter();

}  // namespace walrelay::sidecar::log
