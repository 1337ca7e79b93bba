// What `walrelay check` prints.
#include <cmath>

#include "config/json_text.h"
#include "sidecar/check.h"

namespace walrelay::sidecar {
namespace {

using Kind = Finding::Kind;

std::string json_string(const std::string& text) { return config::Json::text(text).print(); }

}  // namespace

std::string to_text(const CheckReport& report, bool colours) {
  std::string text;
  for (const auto& finding : report.findings) {
    const char* word = finding.kind == Kind::good ? "ok     " : finding.kind == Kind::warning ? "warning" : "fault  ";
    const char* colour = finding.kind == Kind::good      ? "\033[32m"
                         : finding.kind == Kind::warning ? "\033[33m"
                                                         : "\033[31m";
    text += (colours ? colour : "") + std::string(word) + (colours ? "\033[0m" : "") + "  " + finding.subject + ": " +
            finding.sentence + "\n";
    if (!finding.sql.empty()) text += "           " + finding.sql + ";\n";
  }
  return text;
}

std::string to_json(const CheckReport& report) {
  std::string text = "{\"exit_code\":" + std::to_string(static_cast<int>(report.code)) + ",\"findings\":[";
  bool first = true;
  for (const auto& finding : report.findings) {
    const char* word = finding.kind == Kind::good ? "ok" : finding.kind == Kind::warning ? "warning" : "fault";
    text += std::string(first ? "" : ",") + "{\"kind\":\"" + word + "\",\"subject\":" + json_string(finding.subject) +
            ",\"sentence\":" + json_string(finding.sentence) + ",\"sql\":" + json_string(finding.sql) + "}";
    first = false;
  }
  text += "],\"memory\":[";
  first = true;
  for (const auto& memory : report.memory) {
    const auto whole = [](double number) { return std::to_string(std::llround(number)); };
    const bool known = memory.known();
    text += std::string(first ? "" : ",") + "{\"mapping\":" + json_string(memory.mapping) +
            ",\"rows\":" + (known ? whole(memory.rows) : "null") +
            ",\"bytes\":" + (known ? whole(memory.bytes) : "null") + "}";
    first = false;
  }
  return text + "]}\n";
}

}  // namespace walrelay::sidecar
