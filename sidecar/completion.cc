#include "sidecar/completion.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace walrelay::sidecar {

namespace {

void collect(const CommandHelp& command, const std::vector<std::string>& words, std::vector<CommandPath>& paths) {
  paths.push_back({words, &command});
  for (const CommandHelp& each : command.commands) {
    std::vector<std::string> deeper = words;
    deeper.push_back(each.name);
    collect(each, deeper, paths);
  }
}

std::vector<std::string> option_names(const CommandHelp& command) {
  std::vector<std::string> names;
  for (const OptionHelp& option : command.options) names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

// Commands, and words that are known by their place.
std::vector<std::string> next_words(const CommandHelp& command) {
  std::vector<std::string> words;
  for (const CommandHelp& each : command.commands) words.push_back(each.name);
  for (const OptionHelp& option : command.options) {
    if (option.names.empty()) words.insert(words.end(), option.words.begin(), option.words.end());
  }
  return words;
}

std::string bash_from(const std::vector<std::string>& words) {
  return "_walrelay_from " + single_quoted(joined(words, "\n"));
}

// Options are offered where nothing else may stand, or where one was begun.
std::string bash_offer(const CommandHelp& command) {
  const auto words = next_words(command);
  const std::string options = bash_from(option_names(command));
  if (words.empty()) return options;
  return "if [[ $cur == -* ]]; then " + options + "; else " + bash_from(words) + "; fi";
}

// "run -c"|"run --config"
std::string bash_pattern(const std::string& path, const OptionHelp& option) {
  std::vector<std::string> patterns;
  for (const std::string& name : option.names) patterns.push_back("\"" + path + " " + name + "\"");
  return joined(patterns, "|");
}

std::string bash_value(const OptionHelp& option) {
  switch (option.kind) {
    case ValueKind::file:
      return "compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
    case ValueKind::mapping:
      return "_walrelay_from \"$(\"$1\" completion mappings ${config:+-c \"$config\"} 2>/dev/null)\"";
    case ValueKind::words:
      return bash_from(option.words);
    default:
      return ":";
  }
}

constexpr const char* kBashHead = R"(# bash completion for walrelay: source <(walrelay completion bash)
_walrelay_from() { mapfile -t COMPREPLY < <(IFS=$'\n' && compgen -W "$1" -- "$cur"); }

_walrelay() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' config='' word i
  COMPREPLY=()
  # bash takes --output=json apart into three words
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = && $COMP_CWORD -ge 2 ]]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$command/$word" in
)";

constexpr const char* kBashConfig = R"(      */-c | */--config)
        config=${COMP_WORDS[i + 1]}
        if [[ $config == = ]]; then config=${COMP_WORDS[i + 2]}; fi
        ;;
    esac
  done
)";

}  // namespace

std::vector<CommandPath> all_commands(const CommandHelp& program) {
  std::vector<CommandPath> paths;
  collect(program, {}, paths);
  return paths;
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_completion(const CommandHelp& program) {
  std::string script = kBashHead;
  const auto paths = all_commands(program);
  for (const CommandPath& path : paths) {
    if (path.words.empty()) continue;
    const std::vector<std::string> before(path.words.begin(), path.words.end() - 1);
    script += "      \"" + joined(before, " ") + "/" + path.words.back() + "\") command=\"" + joined(path.words, " ") +
              "\" ;;\n";
  }
  script += kBashConfig;
  script += "  case \"$command $prev\" in\n";
  std::map<std::string, std::vector<std::string>> values;  // what is said of a value, and of which
  for (const CommandPath& path : paths) {
    for (const OptionHelp& option : path.command->options) {
      if (option.kind != ValueKind::none && !option.names.empty()) {
        values[bash_value(option)].push_back(bash_pattern(joined(path.words, " "), option));
      }
    }
  }
  for (const auto& [value, patterns] : values) {
    script += "    " + joined(patterns, "|") + ")\n      " + value + "\n      return\n      ;;\n";
  }
  script += "  esac\n  case $command in\n";
  for (const CommandPath& path : paths) {
    script += "    \"" + joined(path.words, " ") + "\") " + bash_offer(*path.command) + " ;;\n";
  }
  return script + "  esac\n}\n\ncomplete -F _walrelay walrelay\n";
}

}  // namespace walrelay::sidecar
