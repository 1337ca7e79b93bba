#include "config/load.h"

#include <cstdlib>
#include <stdexcept>

#include "config/addresses.h"
#include "config/document.h"
#include "config/file_text.h"
#include "config/key_values.h"
#include "config/mappings.h"
#include "config/settings.h"
#include "config/ttl_classes.h"

namespace walrelay::config {

namespace {

void assign_given(const std::string& name, const Given& given, Config& config) {
  assign(*find_key(name), given.text, "", config);
  config.origins[name] = given.origin;
}

// What no address holds goes from the settings straight into its field. A secret and its file share one: see below.
void assign_fields(const Settings& settings, Config& config) {
  for (const Key& key : keys()) {
    if (key.address || key.type == Type::secret || key.type == Type::secret_file) continue;
    if (const Given* given = settings.find(key.name)) assign_given(key.name, *given, config);
  }
}

// PostgreSQL takes no dashes and no dots there; a Pod's name, which names a slot of its own for each Pod, has them.
void settle_slot(Config& config) {
  for (char& c : config.source.slot) {
    if (c == '-' || c == '.') c = '_';
  }
}

void settle_token(const Settings& settings, Config& config, Mistakes& mistakes) {
  const SecretGiven token = secret_given(settings, "http.token", mistakes);
  if (token.given != nullptr) assign_given(token.from_file ? "http.token_file" : "http.token", *token.given, config);
}

std::string read_text(const std::string& path) {
  try {
    return read_file_text(path);
  } catch (const std::runtime_error& e) {
    throw ConfigError({{path, 0, 0, std::string("the configuration cannot be read: ") + e.what()}});
  }
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string(value);
  };
}

Config load_text(const std::string& text, const std::string& file_name, const Environment& environment,
                 const std::vector<KindRule>& kinds, const Overrides& overrides) {
  Mistakes mistakes;
  Settings settings(mistakes);
  Config config;
  config.file = file_name;
  const Document document(text, file_name, mistakes);
  const Node* root = document.root();
  bool unreadable = root == nullptr && !mistakes.empty();
  Place source_place = file_name.empty() ? Place{"configuration", 0, 0} : Place{file_name, 1, 1};
  if (root != nullptr && root->kind == Node::Kind::map) {
    read_file(*root, environment, settings, mistakes);
    TtlClasses classes;
    if (const Node* node = root->find("ttl_classes"))
      classes = read_ttl_classes(*node, environment, mistakes, config.warnings);
    if (const Node* mappings = root->find("mappings")) {
      config.mappings = read_mappings(*mappings, environment, kinds, classes, mistakes);
      config.disabled = config.mappings.empty() && !mappings->items.empty();
    }
    if (const Node* source = root->find("source")) source_place = source->place;
  } else if (root != nullptr && root->kind != Node::Kind::null) {
    mistakes.add(root->place,
                 std::string("the configuration must be a map of keys, as in \"source:\", not ") + root->what());
    unreadable = true;
  }
  // Without the file everything would seem to be missing.
  if (unreadable) mistakes.throw_if_any();
  read_environment(environment, settings);
  read_overrides(overrides, settings, mistakes);
  settle_source(settings, environment, source_place, config, mistakes);
  settle_target(settings, environment, config, mistakes);
  settle_token(settings, config, mistakes);
  assign_fields(settings, config);
  settle_slot(config);
  mistakes.throw_if_any();
  return config;
}

Config load_file(const std::string& path, const Environment& environment, const std::vector<KindRule>& kinds,
                 const Overrides& overrides) {
  return load_text(path.empty() ? "" : read_text(path), path, environment, kinds, overrides);
}

}  // namespace walrelay::config
