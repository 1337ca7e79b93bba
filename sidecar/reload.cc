#include "sidecar/reload.h"

#include <algorithm>

#include "config/json_text.h"
#include "config/key_values.h"
#include "config/keys.h"
#include "config/load.h"
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sinks/fingerprint.h"

namespace walrelay::sidecar {

using config::Config;
using config::Json;

namespace {

// Lines move when others are added; that changes no mapping.
std::vector<config::Mapping> without_places(std::vector<config::Mapping> mappings) {
  for (auto& mapping : mappings) {
    mapping.where.clear();
    for (auto& write : mapping.writes) write.where.clear();
  }
  return mappings;
}

struct Section {
  const char* name;
  bool (*same)(const Config& a, const Config& b);
};

const Section kSections[] = {
    {"flush", [](const Config& a, const Config& b) { return a.flush == b.flush; }},
    {"ack", [](const Config& a, const Config& b) { return a.ack == b.ack; }},
    {"load", [](const Config& a, const Config& b) { return a.load == b.load; }},
    {"verify", [](const Config& a, const Config& b) { return a.verify == b.verify; }},
    {"log", [](const Config& a, const Config& b) { return a.log == b.log; }},
    {"http.token", [](const Config& a, const Config& b) { return a.http.token == b.http.token; }},
    {"http.hosts", [](const Config& a, const Config& b) { return a.http.hosts == b.http.hosts; }},
    {"health", [](const Config& a, const Config& b) { return a.health == b.health; }},
    {"metrics", [](const Config& a, const Config& b) { return a.metrics == b.metrics; }},
    {"on_gap", [](const Config& a, const Config& b) { return a.on_gap == b.on_gap; }},
    {"on_row_error", [](const Config& a, const Config& b) { return a.on_row_error == b.on_row_error; }},
    {"on_removed", [](const Config& a, const Config& b) { return a.on_removed == b.on_removed; }},
    {"mappings",
     [](const Config& a, const Config& b) { return without_places(a.mappings) == without_places(b.mappings); }},
};

// The keys of a section that are not what they were; the section itself where no key shows it (a password).
void add_fixed(const std::string& section, Config before, Config now, std::vector<std::string>& fixed) {
  const std::size_t known = fixed.size();
  for (const config::Key& key : config::keys()) {
    if (!key.name.starts_with(section + ".") || !key.stands_for.empty()) continue;
    if (key.type == config::Type::url || key.type == config::Type::url_file) continue;
    if (effective(key, before) != effective(key, now)) fixed.push_back(key.name);
  }
  if (fixed.size() == known) fixed.push_back(section + ".url");
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

bool ConfigChanges::only_log_and_token() const {
  return std::all_of(sections.begin(), sections.end(), [](const std::string& section) {
    return section == "log" || section == "http.token" || section == "http.hosts" || section == "health" ||
           section == "metrics";
  });
}

ConfigChanges changes_between(const InForce& before, const InForce& now) {
  ConfigChanges changes;
  if (before.config.source != now.config.source) {
    add_fixed("source", before.config, now.config, changes.fixed);
  }
  if (before.config.target != now.config.target) {
    add_fixed("target", before.config, now.config, changes.fixed);
  }
  if (before.config.http.listen != now.config.http.listen) changes.fixed.emplace_back("http.listen");
  for (const Section& section : kSections) {
    if (!section.same(before.config, now.config)) changes.sections.emplace_back(section.name);
  }
  const auto old = sinks::fingerprints(before.mappings), present = sinks::fingerprints(now.mappings);
  for (const auto& [name, print] : present) {
    const auto known = old.find(name);
    if (known == old.end()) {
      changes.added.push_back(name);
    } else if (known->second != print) {
      changes.changed.push_back(name);
    }
  }
  for (const auto& [name, print] : old) {
    if (present.count(name) == 0) changes.removed.push_back(name);
  }
  return changes;
}

std::string to_json(const ConfigChanges& changes) {
  Json mappings = Json::object();
  mappings.add("added", Json::texts(changes.added)).add("changed", Json::texts(changes.changed));
  mappings.add("removed", Json::texts(changes.removed));
  Json json = Json::object();
  json.add("changed", Json::texts(changes.sections)).add("mappings", std::move(mappings));
  return json.print() + "\n";
}

void configure_log(const config::Log& log) {
  const auto format = log.format == "json"   ? log::Format::json
                      : log.format == "text" ? log::Format::text
                                             : log::Format::automatic;
  log::configure(log.level, format);
}

Reloader::Reloader(Supervisor& supervisor, std::function<config::Config()> read)
    : supervisor_(supervisor), read_(std::move(read)) {}

std::unique_ptr<InForce> Reloader::next() {
  auto next = std::make_unique<InForce>(read_());
  if (next->config.disabled) {
    throw ReloadRefused("every mapping is switched off (enabled: false): stop walrelay if nothing is to be done");
  }
  const ConfigChanges changes = changes_between(supervisor_.latest(), *next);
  std::string mistakes;
  if (!changes.fixed.empty()) {
    mistakes = joined(changes.fixed) + ": cannot change while walrelay runs; restart it";
  }
  const std::string of_tables = supervisor_.mistakes_of(*next);
  if (!of_tables.empty()) mistakes += (mistakes.empty() ? "" : "\n") + of_tables;
  if (!mistakes.empty()) throw ReloadRefused(mistakes);
  return next;
}

ConfigChanges Reloader::take_up(std::unique_ptr<InForce> next) {
  const ConfigChanges changes = changes_between(supervisor_.latest(), *next);
  supervisor_.count_reload(true);
  configure_log(next->config.log);
  for (const auto& warning : next->config.warnings) log::warn(warning);
  log::info("the configuration was read again", {{"changed", joined(changes.sections)},
                                                 {"new_mappings", joined(changes.added)},
                                                 {"changed_mappings", joined(changes.changed)},
                                                 {"removed_mappings", joined(changes.removed)}});
  if (changes.only_log_and_token()) {
    supervisor_.replace_log_and_token(next->config);
  } else {
    supervisor_.replace(std::move(next));
  }
  return changes;
}

ConfigChanges Reloader::reload() {
  std::string mistakes;
  if (on_begin) on_begin();
  try {
    ConfigChanges changes = take_up(next());
    if (on_end) on_end();
    return changes;
  } catch (const std::exception& error) {  // of the file, the templates, the tables
    mistakes = error.what();
  }
  if (on_end) on_end();
  supervisor_.count_reload(false);
  supervisor_.note_failure("reload", mistakes);
  log::error("the configuration is not taken up, the old one stays in force:\n" + mistakes);
  throw ReloadRefused(mistakes);
}

}  // namespace walrelay::sidecar
