// What the commands and their options are, for completion and manual.
#include "sidecar/option_tree_state.h"

namespace walrelay::sidecar {

OptionHelp OptionTree::State::describe(const CLI::Option& option) const {
  OptionHelp help;
  for (const auto& name : option.get_snames()) help.names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) help.names.push_back("--" + name);
  help.help = option.get_description();
  help.fallback = option.get_default_str();
  if (option.get_items_expected_max() == 0) return help;
  help.kind = ValueKind::text;
  help.value = option.get_type_name().substr(0, option.get_type_name().find(':'));  // without what is checked
  help.repeatable = option.get_items_expected_max() > 1;
  const auto hint = hints.find(&option);
  if (hint == hints.end()) return help;
  help.kind = hint->second.kind;
  help.words = hint->second.words;
  return help;
}

CommandHelp OptionTree::State::describe(const CLI::App& command) const {
  CommandHelp help{command.get_name(), command.get_description(), {}, {}};
  for (const CLI::Option* option : command.get_options()) help.options.push_back(describe(*option));
  for (const CLI::App* each : command.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    help.commands.push_back(describe(*each));
  return help;
}

CommandHelp OptionTree::describe() const { return state_->describe(state_->app); }

}  // namespace walrelay::sidecar
