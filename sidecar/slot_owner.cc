#include "sidecar/slot_owner.h"

#include <simdjson.h>

#include <chrono>
#include <sstream>
#include <vector>

#include "sidecar/http_client.h"

namespace walrelay::sidecar {

namespace {

constexpr std::chrono::milliseconds kPatience{2000};  // a Pod that went may swallow what is sent to it

Role role_of(const std::string& url) {
  try {
    const HttpResult result = http_request("GET", url, "/api/v1/status", "", kPatience);
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    if (parser.parse(result.body).get(json) != simdjson::SUCCESS) return Role::starting;
    bool owner = false;
    if (json["owner"].get(owner) == simdjson::SUCCESS && owner) return Role::owner;
    std::string_view state;
    return json["state"].get(state) == simdjson::SUCCESS && state == "standby" ? Role::standby : Role::starting;
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

Respondent find_respondent(const std::string& urls) {
  const std::vector<std::string> given = words(urls);
  Respondent best{given.empty() ? urls : given.front()};
  for (const std::string& name : given) {
    for (const std::string& url : urls_behind(name)) {
      const Role role = role_of(url);
      if (role > best.role) best = {url, role};
      if (role == Role::owner) return best;
    }
  }
  return best;
}

}  // namespace walrelay::sidecar
