// From what the user wrote to a Config: flags > environment (WALRELAY_*) > file > defaults, every mistake in one go.
//
//   text ──> Document ──read_file──┐
//   WALRELAY_* ──read_environment──┼──> Settings ──> fields, addresses ──> Config
//   --set key=value ──read_overrides┘       mappings ──────────────────────┘
//
// The keys are those of keys.h; the kinds of write come from the program.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/expand.h"
#include "config/mistake.h"

namespace walrelay::config {

// What a kind of write accepts. Given by the program, so that this folder knows no kind itself.
struct ParameterRule {
  using Shape = config::Shape;
  std::string name;
  Shape shape = Shape::template_;
  bool required = false;
  std::vector<std::string> choices = {};  // choice, choices
  std::string help = {};                  // one sentence
};
struct KindRule {
  std::string name;
  std::string help;
  std::vector<ParameterRule> parameters;
};

// The process's own variables.
Environment process_environment();

// Dotted key and text, from flags: {"source.slot", "x"}.
struct Overrides {
  std::vector<std::pair<std::string, std::string>> values;
};

// `file_name` is for messages only. Throws ConfigError with every mistake.
Config load_text(const std::string& text, const std::string& file_name, const Environment& environment,
                 const std::vector<KindRule>& kinds, const Overrides& overrides);

// With an empty path there is no file: environment, flags and the no-mappings default. Throws ConfigError.
Config load_file(const std::string& path, const Environment& environment, const std::vector<KindRule>& kinds,
                 const Overrides& overrides);

// The effective configuration as YAML that loads again, secrets as "***"; with the origin of each value as a comment.
std::string show(const Config& config, bool with_origin);

}  // namespace walrelay::config
