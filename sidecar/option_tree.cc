#include "sidecar/option_tree.h"

#include <iostream>

#include "sidecar/commands.h"
#include "sidecar/completion.h"
#include "sidecar/manual.h"
#include "sidecar/option_tree_state.h"
#include "sidecar/policy.h"
#include "sidecar/version.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {

namespace {

const std::vector<std::string> kTextOrJson = {"text", "json"};
const std::vector<std::string> kLevels = {"trace", "debug", "info", "warn", "error", "off"};

}  // namespace

OptionTree::State::State() {
  app.require_subcommand(1);
  app.set_version_flag("--version", version_report(), "Print the version and those of the libraries");
  add_run();
  add_explain();
  add_check();
  add_config();
  add_jobs();
  add_letters();
  add_questions();
  add_orders();
  add_scripts();
  add(app, "version", "Print the version and those of the libraries", command_version);
}

void OptionTree::State::add_config_options(CLI::App& command) {
  auto* file = command.add_option("-c,--config", arguments.config, "Configuration file (YAML); also WALRELAY_CONFIG");
  file->type_name("FILE");
  hints[file] = {ValueKind::file, {}, true};
  auto* set = command.add_option("--set", arguments.set,
                                 "Override one key, for example --set source.slot=cache; may be repeated");
  set->type_name("KEY=VALUE");
  hints[set] = {ValueKind::text, {}, true};
  auto* level = command.add_option("--log-level", arguments.log_level, "trace, debug, info, warn, error or off");
  level->type_name("LEVEL");
  hints[level] = {ValueKind::words, kLevels, true};
  auto* format = command.add_option("--log-format", arguments.log_format, "auto, text or json");
  format->type_name("FORMAT");
  hints[format] = {ValueKind::words, {"auto", "text", "json"}, true};
}

void OptionTree::State::add_asking_options(CLI::App& command) {
  add_config_options(command);
  auto* url =
      command.add_option("--url", arguments.url,
                         "Where the walrelay that runs answers; of several, behind one name or with commas, the "
                         "owner of the slot; from http.listen by default");
  url->type_name("URL");
  hints[url] = {ValueKind::text, {}, true};
}

void OptionTree::State::add_output(CLI::App& command, const std::vector<std::string>& words, const std::string& help) {
  is_one_of(command.add_option("-o,--output", arguments.output, help), words);
}

// Each command has its own; what is given wins over it, and so over that of a command that is not called.
void OptionTree::State::add_timeout(CLI::App& command, const std::string& fallback) {
  command.add_option("--timeout", arguments.timeout, "How long at most, such as 5s")
      ->type_name("DURATION")
      ->default_str(fallback);
  command.preparse_callback([this, fallback](std::size_t) { arguments.timeout = fallback; });
}

void OptionTree::State::add_run() {
  auto* run = add(app, "run", "Load what exists, then stream every change", [this] { return command_run(arguments); });
  add_config_options(*run);
  run->add_flag("--dry-run", arguments.dry_run,
                "Print the Redis commands instead of sending them; touches neither slot nor Redis");
}

void OptionTree::State::add_explain() {
  auto* explain = add(app, "explain", "Print the Redis commands that a row, or the next changes, would cause",
                      [this] { return command_explain(arguments); });
  add_config_options(*explain);
  explain->add_option("--table", arguments.table, "The row's table")->type_name("TABLE");
  explain->add_option("--row", arguments.row, "The row, as a JSON object; a column that is left out is NULL")
      ->type_name("JSON");
  explain
      ->add_option("--before", arguments.before, "It is updated, and was this before: the columns that differ will do")
      ->type_name("JSON");
  explain->add_flag("--delete", arguments.gone, "It is deleted");
  explain->add_option("--changes", arguments.changes, "Instead of a row: so many changes, as they come")
      ->type_name("COUNT");
  add_output(*explain, kTextOrJson, "text, or json: a line for each command, an array of its words");
}

void OptionTree::State::add_check() {
  auto* check = add(app, "check", "Connect to both sides and say what is missing, with the SQL that mends it",
                    [this] { return command_check(arguments); });
  add_config_options(*check);
  add_output(*check, kTextOrJson, "text or json");
  check->add_flag("--emit-sql", arguments.emit_sql, "Print only the SQL");
}

void OptionTree::State::add_job_options(CLI::App& command) {
  add_asking_options(command);
  auto* mapping = command.add_option("--mapping", arguments.mapping, "Only this mapping; every one by default");
  mapping->type_name("MAPPING");
  hints[mapping].kind = ValueKind::mapping;
  command.add_option("--table", arguments.table, "Only this table of it")->type_name("TABLE");
  command.add_option("--where", arguments.where, "Only rows that have this value; may be repeated")
      ->type_name("COLUMN=VALUE");
  add_output(command, kTextOrJson, "text or json");
  command.add_flag("--alone", arguments.alone, "Do it here, and ask no other walrelay");
}

void OptionTree::State::add_jobs() {
  auto* rebuild = add(app, "rebuild", "Read rows again in place, and remove keys whose rows are gone",
                      [this] { return command_job(arguments, JobKind::rebuild); });
  add_job_options(*rebuild);
  rebuild->add_flag("--dry-run", arguments.dry_run, "Only count the keys that would be removed, and name the first");

  auto* verify = add(app, "verify", "Compare every row with Redis; exit code 3: differences were found",
                     [this] { return command_job(arguments, JobKind::verify); });
  add_job_options(*verify);
  verify->add_option("--sample", arguments.sample, "Only so many percent of the rows")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0));
  verify->add_flag("--repair", arguments.repair, "Mend what was found");
  verify->add_flag("--show-values", arguments.show_values, "Print the values that differ, too, which may be secret");
}

void OptionTree::State::add_letters() {
  auto* dlq = app.add_subcommand("dlq", "Rows that could not be written: list them, try them again, drop them");
  dlq->require_subcommand(1);
  const auto add_choice = [this](CLI::App& command) {
    command.add_option("id", arguments.letters, "Letters, by their ids");
    command.add_flag("--all", arguments.all, "All of them, or of --table");
  };
  auto* list = add(*dlq, "list", "Print the oldest, and how many more there are",
                   [this] { return command_list_letters(arguments); });
  add_config_options(*list);
  list->add_option("--count", arguments.count, "How many are printed")->type_name("COUNT")->capture_default_str();
  list->add_flag("--rows", arguments.rows, "With the values of the rows");
  add_output(*list, kTextOrJson, "text or json");
  auto* replay = add(*dlq, "replay", "Read the rows again and write them as they are now; the letters go",
                     [this] { return command_replay_letters(arguments); });
  add_asking_options(*replay);
  add_choice(*replay);
  auto* drop = add(*dlq, "drop", "Forget letters", [this] { return command_drop_letters(arguments); });
  add_config_options(*drop);
  add_choice(*drop);
  for (CLI::App* command : {list, replay, drop})
    command->add_option("--table", arguments.table, "Only those of this table")->type_name("TABLE");
}

void OptionTree::State::add_questions() {
  auto* status =
      add(app, "status", "What the walrelay that runs is doing", [this] { return command_status(arguments); });
  add_asking_options(*status);
  add_output(*status, {"text", "json", "yaml"}, "text, json or yaml");
  status->add_flag("-w,--watch", arguments.watch,
                   "Again and again, until q or Ctrl-C; lines where there is no terminal");
  status->add_option("--interval", arguments.interval, "With --watch: how often")
      ->type_name("DURATION")
      ->capture_default_str();

  auto* wait = add(app, "wait", "Wait until Redis holds a position of PostgreSQL's log; exit code 75: not yet",
                   [this] { return command_wait(arguments); });
  add_asking_options(*wait);
  wait->add_option("--lsn", arguments.lsn, "The position, from SELECT pg_current_wal_insert_lsn()")->type_name("LSN");
  wait->add_flag("--caught-up", arguments.caught_up, "Everything that the server has, and every table is read");
  add_timeout(*wait, "5s");

  auto* health = add(app, "healthcheck", "Ask the walrelay that runs whether it is alive; exit code 1: it is not",
                     [this] { return command_healthcheck(arguments); });
  add_asking_options(*health);
  health->add_flag("--ready", arguments.ready, "Ask whether every table is read and the stream runs");
  add_timeout(*health, "3s");
}

void OptionTree::State::add_orders() {
  auto* reload = add(app, "reload", "Make the walrelay that owns the slot read its configuration again",
                     [this] { return command_reload(arguments); });
  add_asking_options(*reload);
  add_output(*reload, kTextOrJson, "text or json");
  auto* level = add(app, "log-level",
                    "Print how much the walrelay that runs logs, or change it until its configuration is read again",
                    [this] { return command_log_level(arguments); });
  add_asking_options(*level);
  is_one_of(level->add_option("level", arguments.level, "From now on"), kLevels, "LEVEL");
}

void OptionTree::State::add_config() {
  auto* config = app.add_subcommand("config", "About the configuration");
  config->require_subcommand(1);
  add(*config, "schema", "Print its JSON Schema", command_config_schema);
  add(*config, "example", "Print a commented example", command_config_example);
  auto* show = add(*config, "show", "Print what is in effect, secrets hidden",
                   [this] { return command_config_show(arguments); });
  add_config_options(*show);
  show->add_flag("--origin", arguments.origin, "Say where each value comes from");
}

// What is hidden is for the scripts themselves and for those who build packages.
void OptionTree::State::add_scripts() {
  const auto print = [this](std::string (*make)(const CommandHelp&)) {
    return [this, make] {
      std::cout << make(describe(app));
      return 0;
    };
  };
  auto* completion = app.add_subcommand("completion", "Print a script that makes a shell complete all this");
  completion->require_subcommand(1);
  add(*completion, "bash", "For bash: source <(walrelay completion bash)", print(bash_completion));
  add(*completion, "zsh", "For zsh: source <(walrelay completion zsh)", print(zsh_completion));
  add(*completion, "fish", "For fish: walrelay completion fish | source", print(fish_completion));
  auto* mappings = add(*completion, "mappings", "Print the names of the configuration's mappings",
                       [this] { return command_mapping_names(arguments); });
  add_config_options(*mappings);
  mappings->group("");
  auto* manual = app.add_subcommand("manual", "Print the reference of all this");
  manual->require_subcommand(1);
  manual->group("");
  add(*manual, "page", "As a manual page", print(manual_page));
  add(*manual, "config", "That of the configuration, as a manual page", [] {
    std::cout << configuration_page(kind_rules());
    return 0;
  });
  add(*manual, "markdown", "As the tables of docs/cli.md", print(markdown_reference));
}

OptionTree::OptionTree() : state_(std::make_unique<State>()) {}
OptionTree::~OptionTree() = default;

std::optional<int> OptionTree::parse(int argc, char** argv) {
  try {
    state_->app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return state_->app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
}

int OptionTree::run() const { return state_->chosen(); }

}  // namespace walrelay::sidecar
