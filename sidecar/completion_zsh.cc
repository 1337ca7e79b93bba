// Completion for zsh: a function for each command, by the shell's own _arguments.
#include "sidecar/completion.h"

namespace walrelay::sidecar {

namespace {

std::string function_of(const CommandPath& path) {
  std::vector<std::string> words = path.words;
  words.insert(words.begin(), "_walrelay");
  return joined(words, "_");
}

std::string escaped(const std::string& text, const std::string& special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string value_of(const OptionHelp& option) {
  const std::string name = ":" + escaped(option.value, ":\\") + ":";
  switch (option.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::file:
      return name + "_files";
    case ValueKind::mapping:
      return name + "_walrelay_mappings";
    case ValueKind::words:
      return name + "(" + joined(option.words, " ") + ")";
    case ValueKind::text:
      return name + " ";
  }
  return "";
}

// '(-c --config)-c[...]:FILE:_files'; one line for each name
std::string specifications(const OptionHelp& option) {
  if (option.names.empty()) return " \\\n    " + single_quoted("1" + value_of(option));
  std::string text;
  for (const std::string& name : option.names) {
    const std::string others = option.repeatable ? "*" : "(" + joined(option.names, " ") + ")";
    const bool is_long = name.starts_with("--") && option.kind != ValueKind::none;
    text += " \\\n    " + single_quoted(others + name + (is_long ? "=" : "") + "[" + escaped(option.help, "[]:\\") +
                                        "]" + value_of(option));
  }
  return text;
}

std::string function_with_commands(const CommandPath& path) {
  std::string text = "  local curcontext=$curcontext state line ret=1\n  local -a commands\n  typeset -A opt_args\n";
  text += "  commands=(\n";
  for (const CommandHelp& each : path.command->commands) {
    text += "    " + single_quoted(escaped(each.name, ":\\") + ":" + each.help) + "\n";
  }
  text += "  )\n  _arguments -C";
  for (const OptionHelp& option : path.command->options) text += specifications(option);
  text += " \\\n    '1: :->command' \\\n    '*:: :->rest' && ret=0\n  case $state in\n";
  text += "    command) _describe -t commands command commands && ret=0 ;;\n    rest)\n      case $words[1] in\n";
  for (const CommandHelp& each : path.command->commands) {
    text += "        " + each.name + ") " + function_of(path) + "_" + each.name + " && ret=0 ;;\n";
  }
  return text + "      esac\n      ;;\n  esac\n  return ret\n";
}

constexpr const char* kHead = R"zsh(#compdef walrelay
# zsh completion for walrelay: in a folder of $fpath as _walrelay, or source <(walrelay completion zsh)
_walrelay_mappings() {
  local -a names
  local config=${opt_args[-c]:-${opt_args[--config]}}
  names=(${(f)"$($_walrelay_program completion mappings ${config:+-c} ${config:+${(Q)config}} 2>/dev/null)"})
  compadd -a names
}

)zsh";

constexpr const char* kFoot = R"(
if [[ $funcstack[1] == _walrelay ]]; then
  _walrelay "$@"
else
  compdef _walrelay walrelay
fi
)";

}  // namespace

std::string zsh_completion(const CommandHelp& program) {
  std::string script = kHead;
  for (const CommandPath& path : all_commands(program)) {
    script += function_of(path) + "() {\n";
    if (path.words.empty()) script += "  local _walrelay_program=${(Q)words[1]}\n";
    if (!path.command->commands.empty()) {
      script += function_with_commands(path);
    } else {
      script += "  typeset -A opt_args\n  _arguments";
      for (const OptionHelp& option : path.command->options) script += specifications(option);
      script += "\n";
    }
    script += "}\n\n";
  }
  return script + (kFoot + 1);
}

}  // namespace walrelay::sidecar
