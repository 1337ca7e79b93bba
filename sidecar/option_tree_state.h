// What an OptionTree is made of. Private to its files:
//
//   option_tree.cc        the commands and their options
//   option_tree_help.cc   what they are, for completion and manual
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sidecar/arguments.h"
#include "sidecar/option_tree.h"

namespace walrelay::sidecar {

// CLI11 knows how options are read; what their values are to a shell is kept beside it.
struct OptionTree::State {
  State();

  struct Hint {
    ValueKind kind = ValueKind::text;
    std::vector<std::string> words = {};
  };

  CLI::App* add(CLI::App& to, const std::string& name, const std::string& help, std::function<int()> command) {
    CLI::App* command_app = to.add_subcommand(name, help);
    command_app->callback([this, command = std::move(command)] { chosen = command; });
    return command_app;
  }
  void is_one_of(CLI::Option* option, const std::vector<std::string>& words, const std::string& name = "FORMAT") {
    option->type_name(name)->check(CLI::IsMember(words));
    suggest(option, words);
  }
  // What else is said here is for the command to judge.
  void suggest(CLI::Option* option, const std::vector<std::string>& words) {
    hints[option] = {ValueKind::words, words};
  }

  void add_config_options(CLI::App& command);
  void add_asking_options(CLI::App& command);
  void add_output(CLI::App& command, const std::vector<std::string>& words, const std::string& help);
  void add_timeout(CLI::App& command, const std::string& fallback);
  void add_run();
  void add_explain();
  void add_check();
  void add_job_options(CLI::App& command);
  void add_jobs();
  void add_letters();
  void add_questions();
  void add_orders();
  void add_config();
  void add_scripts();

  [[nodiscard]] OptionHelp describe(const CLI::Option& option) const;
  [[nodiscard]] CommandHelp describe(const CLI::App& command) const;

  CLI::App app{"Keeps Redis in step with PostgreSQL, by logical replication, exactly once.", "walrelay"};
  Arguments arguments;
  std::map<const CLI::Option*, Hint> hints;
  std::function<int()> chosen;
};

}  // namespace walrelay::sidecar
