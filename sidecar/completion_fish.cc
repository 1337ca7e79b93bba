// Completion for fish: a line for each word that may be said, on condition of the command that it belongs to.
#include "sidecar/completion.h"

namespace walrelay::sidecar {

namespace {

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string value_of(const OptionHelp& option) {
  switch (option.kind) {
    case ValueKind::none:
      return "";
    case ValueKind::file:
      return " -r -F";
    case ValueKind::mapping:
      return " -x -a '(__walrelay_mappings)'";
    case ValueKind::words:
      return " -x -a " + quoted(joined(option.words, " "));
    case ValueKind::text:
      return " -x";
  }
  return "";
}

std::string line_of(const std::string& condition, const OptionHelp& option) {
  if (option.names.empty()) return condition + " -a " + quoted(joined(option.words, " ")) + "\n";
  std::string line = condition;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  return line + value_of(option) + " -d " + quoted(option.help) + "\n";
}

constexpr const char* kHead = R"(# fish completion for walrelay: walrelay completion fish | source
function __walrelay_at
    set -l path
    for word in (commandline -opc)[2..]
        switch "$path/$word"
)";

constexpr const char* kMiddle = R"(        end
    end
    test "$path" = "$argv[1]"
end

function __walrelay_mappings
    set -l words (commandline -opc)
    set -l config
    for i in (seq (count $words))
        switch $words[$i]
            case -c --config
                set config -c $words[(math $i + 1)]
            case '--config=*'
                set config -c (string replace -- --config= '' $words[$i])
        end
    end
    $words[1] completion mappings $config 2>/dev/null
end

complete -c walrelay -f
)";

}  // namespace

std::string fish_completion(const CommandHelp& program) {
  std::string script = kHead, lines;
  for (const CommandPath& path : all_commands(program)) {
    const std::string at = joined(path.words, " ");
    if (!path.words.empty()) {
      const std::vector<std::string> before(path.words.begin(), path.words.end() - 1);
      script += "            case " + quoted(joined(before, " ") + "/" + path.words.back()) + "\n";
      script += "                set path " + quoted(at) + "\n";
    }
    const std::string condition = "complete -c walrelay -n " + quoted("__walrelay_at " + quoted(at));
    for (const CommandHelp& each : path.command->commands) {
      lines += condition + " -a " + each.name + " -d " + quoted(each.help) + "\n";
    }
    for (const OptionHelp& option : path.command->options) lines += line_of(condition, option);
  }
  return script + kMiddle + lines;
}

}  // namespace walrelay::sidecar
