// The commands and their options: what may be said, by which help, completion and manual are made, too.
//
//   argv ─> parse() ─> Arguments ─> chosen command (commands.h)
//   describe() ─> CommandHelp ─> completion.h, manual.h
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace walrelay::sidecar {

// What stands behind an option, as far as a shell can help with it.
enum class ValueKind { none, text, words, file, mapping };

struct OptionHelp {
  std::vector<std::string> names;  // "-c", "--config"; none: it is known by its place
  ValueKind kind = ValueKind::none;
  std::vector<std::string> words;  // ValueKind::words
  std::string value;               // what the value is called, "FILE"
  std::string help, fallback;      // `fallback`: what holds when nothing is said
  bool repeatable = false;
};

struct CommandHelp {
  std::string name, help;
  std::vector<OptionHelp> options;
  std::vector<CommandHelp> commands;
};

class OptionTree {
 public:
  OptionTree();
  ~OptionTree();
  OptionTree(const OptionTree&) = delete;
  OptionTree& operator=(const OptionTree&) = delete;

  // The exit code when nothing is left to do: help was printed, or what is wrong. Else run() does what was asked.
  std::optional<int> parse(int argc, char** argv);
  int run() const;

  [[nodiscard]] CommandHelp describe() const;  // without what is hidden

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace walrelay::sidecar
