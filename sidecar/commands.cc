#include "sidecar/commands.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "config/load.h"
#include "config/schema.h"
#include "config/values.h"
#include "sidecar/admin_commands.h"
#include "sidecar/dead_letter_commands.h"
#include "sidecar/dead_letters.h"
#include "sidecar/explain.h"
#include "sidecar/healthcheck.h"
#include "sidecar/http_address.h"
#include "sidecar/job_commands.h"
#include "sidecar/policy.h"
#include "sidecar/programs.h"
#include "sidecar/reload.h"
#include "sidecar/slot_owner.h"
#include "sidecar/status_command.h"
#include "sidecar/terminal.h"
#include "sidecar/version.h"
#include "sidecar/wiring.h"

namespace walrelay::sidecar {

namespace {

constexpr std::chrono::milliseconds kFastest{100};  // of --watch

std::string config_path(const Arguments& arguments) {
  const char* from_environment = std::getenv("WALRELAY_CONFIG");
  return arguments.config.empty() && from_environment != nullptr ? from_environment : arguments.config;
}

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
  return config::load_file(config_path(arguments), config::process_environment(), kind_rules(), overrides);
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

std::string qualified(const std::string& table) {
  return table.empty() || table.find('.') != std::string::npos ? table : "public." + table;
}

std::chrono::milliseconds duration_of(const std::string& option, const std::string& text) {
  const auto duration = config::parse_duration(text);
  if (!duration) throw StopError(ExitCode::usage, option + " " + text + ": give it as a duration, such as 5s");
  return *duration;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

ChosenLetters chosen_letters(const Arguments& arguments) {
  if (arguments.letters.empty() == !arguments.all) {
    throw StopError(ExitCode::usage, "name letters by their ids (walrelay dlq list has them), or say --all");
  }
  for (const std::string& id : arguments.letters) {
    if (!is_letter_id(id)) throw StopError(ExitCode::usage, id + ": a dead letter's id looks like 1700000000000-0");
  }
  return {arguments.letters, arguments.all, qualified(arguments.table)};
}

// The walrelay of a configuration that cannot be read here: by what was said, by the environment, by default.
Remote remote_without_configuration(const Arguments& arguments) {
  const std::string listen = variable("WALRELAY_HTTP_LISTEN");
  const std::string url =
      !arguments.url.empty() ? arguments.url : base_url(listen.empty() ? config::Http().listen : listen);
  return {url, variable("WALRELAY_HTTP_TOKEN")};
}

Remote remote_of(const Arguments& arguments, const config::Config& config) {
  const config::SecretSource& token = config.http.token;
  return {arguments.url.empty() ? base_url(config.http.listen) : arguments.url,
          token.given() ? token.read().reveal() : ""};
}

// Whoever only asks needs no configuration; one that was named and has mistakes is said to have them, unless an address
// was named as well.
Remote remote_to_ask(const Arguments& arguments) {
  try {
    const config::Config config = read(arguments);
    configure_log(config.log);
    return remote_of(arguments, config);
  } catch (const config::ConfigError&) {
    if (arguments.url.empty() && !config_path(arguments).empty()) throw;
    return remote_without_configuration(arguments);
  }
}

// The one that runs here is healthy or not, whether its configuration can be read or not.
std::string health_address(const Arguments& arguments) {
  if (!arguments.url.empty()) return arguments.url;
  try {
    return base_url(read(arguments).http.listen);
  } catch (const config::ConfigError&) {
    return remote_without_configuration(arguments).url();
  }
}

}  // namespace

int command_run(const Arguments& arguments) {
  auto in_force = std::make_unique<InForce>(load(arguments));
  if (arguments.dry_run) return static_cast<int>(dry_run(in_force->config, in_force->mappings));
  return static_cast<int>(serve(std::move(in_force), [&arguments] { return read(arguments); }));
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
    std::cout << (arguments.output == "json" ? to_json(report) : to_text(report, takes_colours(STDOUT_FILENO)));
  }
  return static_cast<int>(report.code);
}

int command_job(const Arguments& arguments, JobKind kind) {
  const config::Config config = load(arguments);
  const sinks::MappingSet mappings(mapping_specs(config));  // finds what is wrong in templates and patterns
  Job job;
  job.kind = kind;
  job.mapping = arguments.mapping;
  job.table = qualified(arguments.table);
  job.dry_run = arguments.dry_run;
  job.repair = arguments.repair;
  job.show_values = arguments.show_values;
  job.sample = arguments.sample;
  for (const auto& pair : arguments.where) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw StopError(ExitCode::usage, "--where " + pair + ": give it as column=value");
    }
    job.where[pair.substr(0, equals)] = job.asked[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  JobChoices choices{std::nullopt, !arguments.url.empty() && !arguments.alone, arguments.output == "json"};
  const bool somebody = !arguments.url.empty() || !config.http.listen.empty();
  if (somebody && !arguments.alone) choices.remote.emplace(owner_for_orders(remote_of(arguments, config)));
  return static_cast<int>(command_job(config, job, choices));
}

int command_list_letters(const Arguments& arguments) {
  const ChosenLetters all{{}, true, qualified(arguments.table)};
  return static_cast<int>(
      list_letters(load(arguments), all, arguments.count, arguments.rows, arguments.output == "json"));
}

int command_replay_letters(const Arguments& arguments) {
  const ChosenLetters chosen = chosen_letters(arguments);
  const config::Config config = load(arguments);
  std::optional<Remote> remote;
  if (!arguments.url.empty() || !config.http.listen.empty())
    remote.emplace(owner_for_orders(remote_of(arguments, config)));
  return static_cast<int>(replay_letters(config, chosen, remote, !arguments.url.empty()));
}

int command_drop_letters(const Arguments& arguments) {
  return static_cast<int>(drop_letters(load(arguments), chosen_letters(arguments)));
}

int command_status(const Arguments& arguments) {
  StatusChoices choices{arguments.output, std::nullopt};
  if (arguments.watch) choices.watch = std::max(duration_of("--interval", arguments.interval), kFastest);
  return static_cast<int>(command_status(find_respondent(remote_to_ask(arguments)).remote, choices));
}

int command_wait(const Arguments& arguments) {
  if (arguments.lsn.empty() == !arguments.caught_up) {
    throw StopError(ExitCode::usage, "give either --lsn or --caught-up");
  }
  const auto timeout = duration_of("--timeout", arguments.timeout);
  return static_cast<int>(command_wait(remote_to_ask(arguments), arguments.lsn, timeout));
}

int command_healthcheck(const Arguments& arguments) {
  const auto timeout = duration_of("--timeout", arguments.timeout);
  return static_cast<int>(healthcheck({health_address(arguments), arguments.ready, timeout}));
}

int command_log_level(const Arguments& arguments) {
  return static_cast<int>(command_log_level(find_respondent(remote_to_ask(arguments)).remote, arguments.level));
}

int command_reload(const Arguments& arguments) {
  return static_cast<int>(command_reload(remote_to_ask(arguments), arguments.output == "json"));
}

int command_config_schema() {
  std::cout << config::json_schema(kind_rules());
  return 0;
}

int command_config_example() {
  std::cout << config::example();
  return 0;
}

int command_config_show(const Arguments& arguments) {
  const config::Config loaded = load(arguments);
  const sinks::MappingSet mappings(mapping_specs(loaded));  // finds what is wrong in templates and patterns
  std::cout << config::show(loaded, arguments.origin);
  return 0;
}

int command_mapping_names(const Arguments& arguments) {
  for (const auto& mapping : read(arguments).mappings) std::cout << mapping.name << '\n';
  return 0;
}

int command_version() {
  std::cout << version_report();
  return 0;
}

}  // namespace walrelay::sidecar
