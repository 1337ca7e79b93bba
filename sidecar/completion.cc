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

// What may stand next: commands, options, words that are known by their place.
std::vector<std::string> candidates(const CommandHelp& command) {
  std::vector<std::string> words;
  for (const CommandHelp& each : command.commands) words.push_back(each.name);
  for (const OptionHelp& option : command.options) {
    const auto& more = option.names.empty() ? option.words : option.names;
    words.insert(words.end(), more.begin(), more.end());
  }
  return words;
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
      return "_walrelay_from " + single_quoted(joined(option.words, "\n"));
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
    script += "    \"" + joined(path.words, " ") + "\") _walrelay_from " +
              single_quoted(joined(candidates(*path.command), "\n")) + " ;;\n";
  }
  return script + "  esac\n}\n\ncomplete -F _walrelay walrelay\n";
}

}  // namespace walrelay::sidecar
