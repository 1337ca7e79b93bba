// The tables of docs/cli.md.
#include "sidecar/completion.h"
#include "sidecar/manual.h"
#include "sidecar/manual_text.h"

namespace walrelay::sidecar {

namespace {

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string row_of(const OptionHelp& option) {
  std::string row = "| ";
  if (option.names.empty()) row += "`" + option.value + "`";
  for (std::size_t i = 0; i < option.names.size(); ++i) {
    const bool last = i + 1 == option.names.size();
    const bool valued = last && option.kind != ValueKind::none;
    row += (i == 0 ? "`" : ", `") + option.names[i] + (valued ? " " + option.value : "") + "`";
  }
  row += " | " + cell(option.help);
  if (!option.fallback.empty() && option.kind != ValueKind::none) row += "; `" + option.fallback + "` by default";
  return row + " |\n";
}

}  // namespace

std::string markdown_reference(const CommandHelp& program) {
  std::string text;
  for (const CommandPath& path : all_commands(program)) {
    if (!path.command->commands.empty()) continue;
    text += "### walrelay " + joined(path.words, " ") + "\n\n" + path.command->help + ".\n\n";
    std::string rows;
    for (const OptionHelp& option : path.command->options) {
      if (option.names != std::vector<std::string>{"-h", "--help"}) rows += row_of(option);
    }
    if (!rows.empty()) text += "| Option | |\n|---|---|\n" + rows + "\n";
  }
  text += "### Exit codes\n\n| Code | Meaning |\n|---:|---|\n";
  for (const Explained& each : kExitCodes) text += std::string("| ") + each.what + " | " + cell(each.meaning) + " |\n";
  text += "\n### Signals that `walrelay run` takes\n\n| Signal | |\n|---|---|\n";
  for (const Explained& each : kSignals) text += std::string("| ") + each.what + " | " + cell(each.meaning) + " |\n";
  return text;
}

}  // namespace walrelay::sidecar
