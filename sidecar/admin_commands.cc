#include "sidecar/admin_commands.h"

#include <iostream>

#include "sidecar/json_look.h"
#include "sidecar/slot_owner.h"

namespace walrelay::sidecar {

namespace {

std::string names_in(JsonElement json, std::string_view member_name) {
  std::string text;
  for (const JsonElement each : elements_of(json, member_name)) {
    std::string_view name;
    if (each.get(name) == simdjson::SUCCESS) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

// Throws what is wrong with the configuration, or that it may not be read by whoever asks.
HttpResult reload(const Remote& remote) {
  HttpResult result = remote.ask("POST", "/api/v1/admin/reload");
  if (result.status == 200) return result;
  throw StopError(result.status == 400 ? ExitCode::configuration : ExitCode::failure,
                  "the walrelay at " + remote.url() + " keeps its configuration: " + error_in(result));
}

}  // namespace

ExitCode command_log_level(const Remote& remote, const std::string& level) {
  const std::string path = "/api/v1/admin/log-level";
  const HttpResult result =
      level.empty() ? remote.ask("GET", path) : remote.ask("PUT", path + "?level=" + percent_encoded(level));
  simdjson::dom::parser parser;
  JsonElement json;
  if (result.status != 200 || parser.parse(result.body).get(json) != simdjson::SUCCESS) {
    throw StopError(result.status == 400 ? ExitCode::usage : ExitCode::failure, error_in(result));
  }
  std::cout << text_of(json, "level") << " at " << remote.url() << '\n';
  return ExitCode::ok;
}

ExitCode command_reload(const Remote& remote, bool json) {
  const Remote owner = owner_for_orders(remote);
  for (const Remote& other : find_others(remote, owner)) (void)reload(other);
  const HttpResult result = reload(owner);
  simdjson::dom::parser parser;
  JsonElement answer;
  if (json || parser.parse(result.body).get(answer) != simdjson::SUCCESS) {
    std::cout << result.body;
    return ExitCode::ok;
  }
  const std::string changed = names_in(answer, "changed");
  std::cout << "changed: " << (changed.empty() ? "nothing" : changed) << '\n';
  const auto mappings = member(answer, "mappings");
  for (const char* what : {"added", "changed", "removed"}) {
    const std::string names = mappings ? names_in(*mappings, what) : "";
    if (!names.empty()) std::cout << "mappings " << what << ": " << names << '\n';
  }
  return ExitCode::ok;
}

}  // namespace walrelay::sidecar
