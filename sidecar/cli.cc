#include "sidecar/cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "config/load.h"
#include "config/schema.h"
#include "config/values.h"
#include "sidecar/dead_letter_commands.h"
#include "sidecar/dead_letters.h"
#include "sidecar/explain.h"
#include "sidecar/job_commands.h"
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sidecar/programs.h"
#include "sidecar/reload.h"
#include "sidecar/version.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {

namespace {

struct Arguments {
  std::string mapping, table, url, lsn, timeout = "5s";
  std::vector<std::string> where;
  double sample = 100;
  bool repair = false, alone = false, caught_up = false;
  std::string config;
  std::vector<std::string> set;
  std::string log_level, log_format, output = "text";
  bool dry_run = false, origin = false, emit_sql = false;
  std::string row, before;  // JSON
  bool gone = false;        // the row is deleted
  std::vector<std::string> letters;
  bool all = false, rows = false;
  std::uint64_t changes = 0;
};

// As the file, the environment and the flags say now.
config::Config read(const Arguments& arguments) {
  config::Overrides overrides;
  for (const auto& pair : arguments.set) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos) {
      throw StopError(ExitCode::usage, "--set " + pair + ": give it as key=value, for example source.slot=cache");
    }
    overrides.values.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
  if (!arguments.log_level.empty()) overrides.values.emplace_back("log.level", arguments.log_level);
  if (!arguments.log_format.empty()) overrides.values.emplace_back("log.format", arguments.log_format);
  std::string path = arguments.config;
  const char* from_environment = std::getenv("WALRELAY_CONFIG");
  if (path.empty() && from_environment != nullptr) path = from_environment;
  return config::load_file(path, config::process_environment(), kind_rules(), overrides);
}

config::Config load(const Arguments& arguments) {
  config::Config config = read(arguments);
  configure_log(config.log);
  if (config.disabled) {
    throw StopError(ExitCode::ok,
                    config.file + ": every mapping is switched off (enabled: false), so nothing is to be done");
  }
  return config;
}

bool colours() { return isatty(STDOUT_FILENO) != 0 && std::getenv("NO_COLOR") == nullptr; }

int command_run(const Arguments& arguments) {
  auto in_force = std::make_unique<InForce>(load(arguments));
  if (arguments.dry_run) return static_cast<int>(dry_run(in_force->config, in_force->mappings));
  return static_cast<int>(serve(std::move(in_force), [&arguments] { return read(arguments); }));
}

std::string qualified(const std::string& table) {
  return table.empty() || table.find('.') != std::string::npos ? table : "public." + table;
}

int command_explain(const Arguments& arguments) {
  const bool json = arguments.output == "json";
  const bool of_row = !arguments.table.empty() && !arguments.row.empty();
  if (of_row == (arguments.changes > 0))
    throw StopError(ExitCode::usage, "give either --table and --row, or --changes");
  if (arguments.gone && !arguments.before.empty()) {
    throw StopError(ExitCode::usage, "--before is for a row that is updated, --delete for one that goes");
  }
  InForce in_force(load(arguments));
  if (!of_row) return static_cast<int>(dry_run(in_force.config, in_force.mappings, {arguments.changes, json}));
  const ExplainedRow row{qualified(arguments.table), arguments.row, arguments.before, arguments.gone};
  return static_cast<int>(explain(in_force.config, in_force.mappings, row, json));
}

int command_check(const Arguments& arguments) {
  const config::Config config = load(arguments);
  sinks::MappingSet mappings(mapping_specs(config), sinks::state_prefix(config.source.slot));
  const CheckReport report = check_now(config, mappings);
  if (arguments.emit_sql) {
    for (const auto& finding : report.findings) {
      if (!finding.sql.empty()) std::cout << finding.sql << ";\n";
    }
  } else {
    std::cout << (arguments.output == "json" ? to_json(report) : to_text(report, colours()));
  }
  return static_cast<int>(report.code);
}

Asking asking(const Arguments& arguments) { return {arguments.url, arguments.output == "json", arguments.alone}; }

int command_job(const Arguments& arguments, JobKind kind) {
  const config::Config config = load(arguments);
  const sinks::MappingSet mappings(mapping_specs(config));  // finds what is wrong in templates and patterns
  Job job;
  job.kind = kind;
  job.mapping = arguments.mapping;
  job.table = qualified(arguments.table);
  job.dry_run = arguments.dry_run;
  job.repair = arguments.repair;
  job.sample = arguments.sample;
  for (const auto& pair : arguments.where) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw StopError(ExitCode::usage, "--where " + pair + ": give it as column=value");
    }
    job.where[pair.substr(0, equals)] = job.asked[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return static_cast<int>(command_job(config, job, asking(arguments)));
}

int command_wait(const Arguments& arguments) {
  if (arguments.lsn.empty() == !arguments.caught_up) {
    throw StopError(ExitCode::usage, "give either --lsn or --caught-up");
  }
  const auto timeout = config::parse_duration(arguments.timeout);
  if (!timeout)
    throw StopError(ExitCode::usage, "--timeout " + arguments.timeout + ": give it as a duration, such as 5s");
  return static_cast<int>(command_wait(load(arguments), arguments.lsn, *timeout, asking(arguments)));
}

int guarded(const std::function<int()>& command) {
  try {
    return command();
  } catch (const config::ConfigError& error) {
    std::cerr << error.what() << '\n';
    return static_cast<int>(ExitCode::configuration);
  } catch (const std::exception& error) {
    std::cerr << "walrelay: " << error.what() << '\n';
    return static_cast<int>(judge(error).code);
  }
}

void add_config_options(CLI::App& command, Arguments& arguments) {
  command.add_option("-c,--config", arguments.config, "Configuration file (YAML); also WALRELAY_CONFIG");
  command.add_option("--set", arguments.set, "Override one key, for example --set source.slot=cache; may be repeated")
      ->type_name("KEY=VALUE");
  command.add_option("--log-level", arguments.log_level, "trace, debug, info, warn, error or off");
  command.add_option("--log-format", arguments.log_format, "auto, text or json");
}

void add_explain(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
  auto* explain =
      app.add_subcommand("explain", "Print the Redis commands that a row, or the next changes, would cause");
  add_config_options(*explain, arguments);
  explain->add_option("--table", arguments.table, "The row's table");
  explain->add_option("--row", arguments.row, "The row, as a JSON object; a column that is left out is NULL");
  explain->add_option("--before", arguments.before,
                      "It is updated, and was this before: the columns that differ will do");
  explain->add_flag("--delete", arguments.gone, "It is deleted");
  explain->add_option("--changes", arguments.changes, "Instead of a row: so many changes, as they come");
  explain->add_option("-o,--output", arguments.output, "text, or json: a line for each command, an array of its words")
      ->check(CLI::IsMember({"text", "json"}));
  explain->callback([&] { chosen = [&] { return command_explain(arguments); }; });
}

ChosenLetters chosen_letters(const Arguments& arguments) {
  if (arguments.letters.empty() == !arguments.all) {
    throw StopError(ExitCode::usage, "name letters by their ids (walrelay dlq list has them), or say --all");
  }
  for (const std::string& id : arguments.letters) {
    if (!is_letter_id(id)) throw StopError(ExitCode::usage, id + ": a dead letter's id looks like 1700000000000-0");
  }
  return {arguments.letters, arguments.all, arguments.table.empty() ? "" : qualified(arguments.table)};
}

void add_dead_letters(CLI::App& app, Arguments& arguments, std::function<int()>& chosen) {
  auto* dlq = app.add_subcommand("dlq", "Rows that could not be written: list them, try them again, drop them");
  dlq->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    auto* command = dlq->add_subcommand(name, what);
    add_config_options(*command, arguments);
    command->add_option("--table", arguments.table, "Only those of this table");
    return command;
  };
  auto* list = add("list", "Print the oldest, and how many there are; exit code 0 also when there are none");
  list->add_option("--count", arguments.changes, "How many are printed; 20 by default");
  list->add_flag("--rows", arguments.rows, "With the values of the rows");
  list->add_option("-o,--output", arguments.output, "text or json")->check(CLI::IsMember({"text", "json"}));
  list->callback([&] {
    chosen = [&] {
      constexpr std::size_t kShown = 20;
      const ChosenLetters all{{}, true, arguments.table.empty() ? "" : qualified(arguments.table)};
      const std::size_t most = arguments.changes == 0 ? kShown : arguments.changes;
      return static_cast<int>(list_letters(load(arguments), all, most, arguments.rows, arguments.output == "json"));
    };
  });
  const auto add_choice = [&](CLI::App* command) {
    command->add_option("ID", arguments.letters, "Letters, by their ids");
    command->add_flag("--all", arguments.all, "All of them, or of --table");
  };
  auto* replay = add("replay", "Read the rows again and write them as they are now; the letters go");
  replay->add_option("--url", arguments.url, "Where the walrelay that runs answers; from http.listen by default");
  add_choice(replay);
  replay->callback([&] {
    chosen = [&] {
      return static_cast<int>(replay_letters(load(arguments), chosen_letters(arguments), asking(arguments)));
    };
  });
  auto* drop = add("drop", "Forget letters");
  add_choice(drop);
  drop->callback(
      [&] { chosen = [&] { return static_cast<int>(drop_letters(load(arguments), chosen_letters(arguments))); }; });
}

}  // namespace

int run_command_line(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app("Keeps Redis in step with PostgreSQL, by logical replication, exactly once.", "walrelay");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_report());
  Arguments arguments;
  std::function<int()> chosen;

  auto* run = app.add_subcommand("run", "Load what exists, then stream every change");
  add_config_options(*run, arguments);
  run->add_flag("--dry-run", arguments.dry_run,
                "Print the Redis commands instead of sending them; touches neither slot nor Redis");
  run->callback([&] { chosen = [&] { return command_run(arguments); }; });

  add_explain(app, arguments, chosen);
  add_dead_letters(app, arguments, chosen);
  auto* check =
      app.add_subcommand("check", "Connect to both sides and say what is missing, with the SQL that mends it");
  add_config_options(*check, arguments);
  check->add_option("-o,--output", arguments.output, "text or json")->check(CLI::IsMember({"text", "json"}));
  check->add_flag("--emit-sql", arguments.emit_sql, "Print only the SQL");
  check->callback([&] { chosen = [&] { return command_check(arguments); }; });

  auto* config = app.add_subcommand("config", "About the configuration");
  config->require_subcommand(1);
  auto* schema = config->add_subcommand("schema", "Print its JSON Schema");
  schema->callback([&] {
    chosen = [] {
      std::cout << config::json_schema(kind_rules());
      return 0;
    };
  });
  auto* example = config->add_subcommand("example", "Print a commented example");
  example->callback([&] {
    chosen = [] {
      std::cout << config::example();
      return 0;
    };
  });
  auto* show = config->add_subcommand("show", "Print what is in effect, secrets hidden");
  add_config_options(*show, arguments);
  show->add_flag("--origin", arguments.origin, "Say where each value comes from");
  show->callback([&] {
    chosen = [&] {
      const config::Config loaded = load(arguments);
      const sinks::MappingSet mappings(mapping_specs(loaded));  // finds what is wrong in templates and patterns
      std::cout << config::show(loaded, arguments.origin);
      return 0;
    };
  });

  const auto add_asking = [&](CLI::App& command) {
    add_config_options(command, arguments);
    command.add_option("--url", arguments.url, "Where the walrelay that runs answers; from http.listen by default");
  };
  const auto add_job = [&](CLI::App& command) {
    add_asking(command);
    command.add_option("--mapping", arguments.mapping, "Only this mapping; every one by default");
    command.add_option("--table", arguments.table, "Only this table of it");
    command.add_option("--where", arguments.where, "Only rows that have this value; may be repeated")
        ->type_name("COLUMN=VALUE");
    command.add_option("-o,--output", arguments.output, "text or json")->check(CLI::IsMember({"text", "json"}));
    command.add_flag("--alone", arguments.alone, "Do it here, and ask no other walrelay");
  };
  auto* rebuild = app.add_subcommand("rebuild", "Read rows again in place, and remove keys whose rows are gone");
  add_job(*rebuild);
  rebuild->add_flag("--dry-run", arguments.dry_run, "Only count the keys that would be removed, and name the first");
  rebuild->callback([&] { chosen = [&] { return command_job(arguments, JobKind::rebuild); }; });

  auto* verify = app.add_subcommand("verify", "Compare every row with Redis; exit code 3: differences were found");
  add_job(*verify);
  verify->add_option("--sample", arguments.sample, "Only so many percent of the rows")->check(CLI::Range(0.0, 100.0));
  verify->add_flag("--repair", arguments.repair, "Mend what was found");
  verify->callback([&] { chosen = [&] { return command_job(arguments, JobKind::verify); }; });

  auto* status = app.add_subcommand("status", "What the walrelay that runs is doing");
  add_asking(*status);
  status->add_option("-o,--output", arguments.output, "json")->check(CLI::IsMember({"text", "json"}));
  status->callback(
      [&] { chosen = [&] { return static_cast<int>(command_status(load(arguments), asking(arguments))); }; });

  auto* wait =
      app.add_subcommand("wait", "Wait until Redis holds a position of PostgreSQL's log; exit code 75: not yet");
  add_asking(*wait);
  wait->add_option("--lsn", arguments.lsn, "The position, from SELECT pg_current_wal_insert_lsn()");
  wait->add_flag("--caught-up", arguments.caught_up, "Everything that the server has, and every table is read");
  wait->add_option("--timeout", arguments.timeout, "How long at most, such as 5s")->capture_default_str();
  wait->callback([&] { chosen = [&] { return command_wait(arguments); }; });

  auto* version = app.add_subcommand("version", "Print the version and those of the libraries");
  version->callback([&] {
    chosen = [] {
      std::cout << version_report();
      return 0;
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  return guarded(chosen);
}

}  // namespace walrelay::sidecar
