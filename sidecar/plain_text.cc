#include "sidecar/plain_text.h"

#include <cstdlib>
#include <sstream>

namespace walrelay::sidecar {
namespace {

// The last one counts, as libpq has it.
std::string parameter(const config::Source& source, const std::string& keyword, const char* variable) {
  std::string value;
  for (const auto& [name, text] : source.parameters) {
    if (name == keyword) value = text;
  }
  if (!value.empty()) return value;
  const char* given = std::getenv(variable);
  return given == nullptr ? "" : given;
}

// A unix socket, or an address of the loopback interface.
bool stays_here(const std::string& host) {
  return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" || host == "::1" ||
         host.starts_with("127.");
}

}  // namespace

std::string plain_text_warning(const config::Source& source) {
  const std::string given = parameter(source, "sslmode", "PGSSLMODE");
  const std::string mode = given.empty() ? "prefer" : given;
  if (mode != "disable" && mode != "allow" && mode != "prefer") return "";
  const std::string addresses = parameter(source, "hostaddr", "PGHOSTADDR");
  std::istringstream hosts(addresses.empty() ? parameter(source, "host", "PGHOST") : addresses);
  for (std::string host; std::getline(hosts, host, ',');) {
    if (stays_here(host)) continue;
    return "sslmode is " + mode + (given.empty() ? " (the default)" : "") + ", so the password and the rows " +
           (mode == "disable" ? "go" : "may go") + " to host \"" + host +
           "\" in plain text, and nobody checks who answers there; set source.sslmode to verify-full";
  }
  return "";
}

}  // namespace walrelay::sidecar
