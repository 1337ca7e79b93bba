#include "sidecar/manual.h"

#include "sidecar/completion.h"
#include "sidecar/manual_text.h"
#include "sidecar/mdoc.h"

namespace walrelay::sidecar {

using mdoc::quoted;
using mdoc::text_line;

namespace {

std::string item_of(const OptionHelp& option) {
  std::string item = ".It";
  if (option.names.empty()) return item + " Ar " + option.value + "\n";
  for (std::size_t i = 0; i < option.names.size(); ++i) {
    std::string name = option.names[i].substr(1);
    if (name.starts_with('-')) name = "\\" + name;
    item += (i == 0 ? " Fl " : " , Fl ") + name;
  }
  if (option.kind != ValueKind::none) item += " Ar " + option.value;
  return item + "\n";
}

std::string sentence_of(const OptionHelp& option) {
  std::string text = option.help;
  const bool said = text.find(option.words.empty() ? "" : option.words.front()) != std::string::npos;
  if (!said) text += ": " + joined(option.words, ", ");
  if (!option.fallback.empty() && option.kind != ValueKind::none) text += "; " + option.fallback + " by default";
  return text + ".";
}

std::string items_of(const std::vector<OptionHelp>& options) {
  std::string items;
  for (const OptionHelp& option : options) items += item_of(option) + text_line(sentence_of(option));
  return items.empty() ? "" : ".Bl -tag -width Ds\n" + items + ".El\n";
}

template <class List>
std::string list_of(const List& list) {
  std::string text = ".Bl -tag -width Ds\n";
  for (const Explained& each : list) text += ".It " + quoted(each.what) + "\n" + text_line(each.meaning);
  return text + ".El\n";
}

constexpr const char* kHead = R"(.\" Made by "walrelay manual page": do not edit.
.Dd November 28, 2026
.Dt WALRELAY 1
.Os
.Sh NAME
.Nm walrelay
.Nd keep Redis in step with PostgreSQL, by logical replication
.Sh SYNOPSIS
.Nm
.Ar command
.Op Ar options
.Sh DESCRIPTION
.Nm
reads a logical replication slot of PostgreSQL and applies every insert, update, delete and truncate to Redis, exactly
once.
It fills Redis with the rows that exist, streams what changes, and can compare, mend and rebuild the whole while it
streams.
What goes where is said by a configuration file;
.Nm Cm config example
prints one.
.Pp
Results are written to standard output, everything else to standard error: as text on a terminal, as JSON lines
elsewhere.
.Sh COMMANDS
)";

}  // namespace

std::string manual_page(const CommandHelp& program) {
  std::string page = kHead;
  for (const CommandPath& path : all_commands(program)) {
    if (!path.command->commands.empty()) continue;  // its own commands say all
    page += ".Ss " + joined(path.words, " ") + "\n" + text_line(path.command->help + ".") +
            items_of(own_options(*path.command));
  }
  page += ".Ss Options of several commands\nThose that read the configuration, or ask the one that runs, take these:\n";
  page += items_of(common_options(program));
  page += "Every one takes\n.Fl h\nand\n.Fl \\-help ,\nand\n.Nm Fl \\-version\nis\n.Nm Cm version .\n";
  page += ".Sh ENVIRONMENT\n" + list_of(kVariables);
  page +=
      ".Sh FILES\n.Bl -tag -width Ds\n.It Pa /etc/walrelay/walrelay.yaml\nThe configuration of the service;\n.Xr "
      "walrelay.yaml 5\nsays what may stand in it.\n.El\n";
  page += ".Sh EXIT STATUS\n" + list_of(kExitCodes);
  page += ".Sh SIGNALS\n.Nm Cm run\ntakes these:\n" + list_of(kSignals);
  page += ".Sh EXAMPLES\n";
  for (const Explained& each : kExamples) {
    page += text_line(each.meaning) + ".Dl " + quoted(each.what) + "\n.Pp\n";
  }
  page.resize(page.size() - std::string(".Pp\n").size());
  return page + ".Sh SEE ALSO\n.Xr psql 1 ,\n.Xr redis-cli 1 ,\n.Xr systemctl 1 ,\n.Xr walrelay.yaml 5\n";
}

}  // namespace walrelay::sidecar
