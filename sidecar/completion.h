// Scripts that make a shell complete our command line, made from the option tree, so that they never say anything else.
//
//   source <(walrelay completion bash)
//
// The names of mappings are asked of the program at that moment: `walrelay completion mappings`.
#pragma once

#include <string>
#include <vector>

#include "sidecar/option_tree.h"

namespace walrelay::sidecar {

std::string bash_completion(const CommandHelp& program);
std::string zsh_completion(const CommandHelp& program);
std::string fish_completion(const CommandHelp& program);

// A command with the words that lead to it: {"config", "show"}; the program itself has none. What every form of
// reference walks.
struct CommandPath {
  std::vector<std::string> words;
  const CommandHelp* command;
};
std::vector<CommandPath> all_commands(const CommandHelp& program);
std::string joined(const std::vector<std::string>& words, const std::string& between);
std::string single_quoted(const std::string& text);  // for every sh

}  // namespace walrelay::sidecar
