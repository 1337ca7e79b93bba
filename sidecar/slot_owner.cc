#include "sidecar/slot_owner.h"

#include <set>
#include <sstream>
#include <thread>

#include "sidecar/json_look.h"
#include "sidecar/policy.h"

namespace walrelay::sidecar {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{2000};  // a Pod that went may swallow what is sent to it
constexpr milliseconds kTakeover{10000};
constexpr milliseconds kPoll{200};

Role role_of(const Remote& remote) {
  try {
    const HttpResult result = remote.ask("GET", "/api/v1/status", kPatience);
    simdjson::dom::parser parser;
    JsonElement json;
    if (parser.parse(result.body).get(json) != simdjson::SUCCESS) return Role::starting;
    if (value_of<bool>(json, "owner").value_or(false)) return Role::owner;
    return text_of(json, "state") == "standby" ? Role::standby : Role::starting;
  } catch (const HttpUnreachable&) {
    return Role::unreachable;
  }
}

std::vector<std::string> words(const std::string& urls) {
  std::vector<std::string> out;
  std::istringstream text(urls);
  for (std::string each; std::getline(text, each, ',');) out.push_back(each);
  return out;
}

}  // namespace

Respondent find_respondent(const Remote& remote) {
  const std::vector<std::string> given = words(remote.url());
  Respondent best{given.empty() ? remote : remote.at(given.front())};
  for (const std::string& name : given) {
    for (const std::string& url : urls_behind(name)) {
      const Remote one = remote.at(url);
      const Role role = role_of(one);
      if (role > best.role) best = {one, role};
      if (role == Role::owner) return best;
    }
  }
  return best;
}

std::vector<Remote> find_others(const Remote& remote, const Remote& owner) {
  std::set<std::string> asked{owner.url()};
  std::vector<Remote> found;
  for (const std::string& name : words(remote.url())) {
    for (const std::string& url : urls_behind(name)) {
      if (!asked.insert(url).second) continue;
      const Role role = role_of(remote.at(url));
      if (role == Role::standby || role == Role::starting) found.push_back(remote.at(url));
    }
  }
  return found;
}

Remote owner_for_orders(const Remote& remote) {
  const auto deadline = std::chrono::steady_clock::now() + kTakeover;
  for (;;) {
    const Respondent found = find_respondent(remote);
    if (found.role != Role::standby) return found.remote;
    if (std::chrono::steady_clock::now() >= deadline) {
      throw StopError(ExitCode::failure,
                      "the walrelay at " + found.remote.url() +
                          " stands by: ask the one that owns the slot, with --url http://<its http.listen>");
    }
    std::this_thread::sleep_for(kPoll);  // a command has no loop, and nothing tells of a takeover
  }
}

}  // namespace walrelay::sidecar
