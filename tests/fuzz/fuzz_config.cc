// Any text as a configuration file: it loads, or ConfigError says why. What loads and is printed loads again, as the
// same configuration.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "config/load.h"

namespace {

using namespace walrelay::config;

const std::vector<KindRule>& kinds() {
  using enum Shape;
  static const std::vector<KindRule> table = {
      {"hash", "", {{"key", template_, true}, {"columns", columns}, {"ttl", duration}}},
      {"string",
       "",
       {{"key", template_, true}, {"value", column}, {"format", choice, false, {"raw", "json"}}, {"bare", flag}}},
      {"zset",
       "",
       {{"key", template_, true},
        {"score", expression},
        {"on", choices, false, {"all", "insert", "delete"}},
        {"maxlen", number},
        {"ttl", lifetime},
        {"explode", explode},
        {"tables", tables}}},
  };
  return table;
}

// No variable of the machine, so that a run can be repeated.
std::optional<std::string> variable(const std::string& name) {
  if (name == "A") return "a: [${B}] # \n";
  if (name == "EMPTY") return "";
  if (name == "TTLS") return R"({"assets": 5000, "policies": "5m", "bad": -1})";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::string shown;
  try {
    shown = show(load_text(text, "fuzz.yaml", variable, kinds(), {}), false);
  } catch (const ConfigError& error) {
    if (error.mistakes().empty()) std::abort();
    return 0;
  }
  if (show(load_text(shown, "shown.yaml", variable, kinds(), {}), false) != shown) std::abort();
  return 0;
}
