#include "sidecar/status_view.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sidecar/readable.h"
#include "sidecar/text_table.h"

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kErrorsShown = 5, kSparks = 60;

// What came over the network must not steer the terminal.
std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  return text;
}

std::string word(JsonElement json, std::string_view name, std::string_view otherwise = "") {
  return printable(text_of(json, name, otherwise));
}

std::string sentence_of(JsonElement status) { return word(status, "sentence", text_of(status, "state", "unknown")); }

std::string coloured(const std::string& text, const char* colour, ViewChoices choices) {
  return choices.colours ? colour + text + "\033[0m" : text;
}

const char* colour_of(JsonElement status) {
  const std::string health = text_of(status, "health", text_of(status, "state") == "streaming" ? "ok" : "warning");
  return health == "ok"         ? "\033[1;32m"
         : health == "busy"     ? "\033[1;36m"
         : health == "critical" ? "\033[1;31m"
                                : "\033[1;33m";
}

// Those that are known, with something between them.
std::string list(const std::vector<std::string>& parts, const char* between = ", ") {
  std::string text;
  for (const std::string& part : parts) {
    if (!part.empty()) text += (text.empty() ? "" : between) + part;
  }
  return text;
}

std::string with_unit(const std::optional<std::int64_t>& bytes, const std::string& meaning) {
  return bytes ? readable_bytes(*bytes) + " " + meaning : "";
}

std::string head(JsonElement status, ViewChoices choices) {
  const auto uptime = value_of<double>(status, "uptimeSeconds");
  const std::string version = word(status, "version");
  const std::string about =
      list({version.empty() ? "" : "walrelay " + version, uptime ? "up " + readable_duration(*uptime) : ""});
  const std::string sentence = coloured(sentence_of(status), colour_of(status), choices);
  return sentence + (about.empty() ? "" : "    " + about) + "\n";
}

std::string connection(JsonElement status, const char* side) {
  const auto connections = member(status, "connections");
  const auto found = connections ? member(*connections, side) : std::nullopt;
  const std::string state = is_true(status, side) ? "connected" : "not connected";
  return found ? list({state, word(*found, "address"), word(*found, "version")}) : state;
}

std::string slot(JsonElement status) {
  std::vector<std::string> parts = {word(status, "slot")};
  const auto state = member(status, "slotState");
  if (!state)
    return list(
        {word(status, "slot"), with_unit(value_of<std::int64_t>(status, "retainedWalBytes"), "of WAL retained")});
  if (!member(*state, "seenAt")) return parts.front();
  parts.push_back(is_true(*state, "active") ? "active" : "not active");
  const std::string wal = word(*state, "walStatus");
  if (!wal.empty()) parts.push_back("WAL " + wal);
  parts.push_back(with_unit(value_of<std::int64_t>(*state, "retainedWalBytes"), "retained"));
  parts.push_back(with_unit(value_of<std::int64_t>(*state, "safeWalBytes"), "until it is lost"));
  if (const auto left = value_of<double>(*state, "secondsToLoss")) {
    parts.push_back("lost in " + readable_duration(*left) + " at this pace");
  }
  return list(parts);
}

std::string position(JsonElement status) {
  const std::string applied = word(status, "applied"), end = word(status, "serverEnd");
  const auto lag = value_of<double>(status, "lagSeconds");
  const auto bytes = value_of<std::int64_t>(status, "lagBytes");
  const bool in_step = lag.value_or(1) <= 0 && bytes.value_or(1) <= 0;
  return list({applied.empty() ? "" : applied + " in Redis", end.empty() ? "" : "server at " + end,
               in_step ? "in step" : "", lag && !in_step ? readable_duration(*lag) + " behind" : "",
               bytes && !in_step ? readable_bytes(*bytes) : ""});
}

std::string throughput(JsonElement status) {
  const auto rows = value_of<double>(status, "rowsPerSecond"), wal = value_of<double>(status, "walBytesPerSecond");
  return list({rows ? readable_rate(*rows) + " rows/s written" : "",
               wal ? readable_bytes(std::llround(*wal)) + "/s of WAL" : ""});
}

std::string counters(JsonElement status) {
  const auto counters = member(status, "counters");
  if (!counters) return "";
  const auto count = [&](const char* name, const char* meaning, bool zero_too) {
    const auto value = value_of<std::uint64_t>(*counters, name);
    return value && (zero_too || *value > 0) ? readable_count(*value) + " " + meaning : "";
  };
  return list({count("transactions", "transactions", true), count("changes", "changes", true),
               count("rowsWritten", "rows written", true), count("deadLetters", "dead letters", false),
               count("pendingRereads", "rows to be read again", false)});
}

// The largest of each group, so that a peak stays in sight.
std::string sparks(const std::vector<double>& values) {
  static constexpr std::array<const char*, 8> kLevels = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const double top = *std::max_element(values.begin(), values.end());
  const std::size_t group = (values.size() + kSparks - 1) / kSparks;
  std::string text;
  for (std::size_t from = 0; from < values.size(); from += group) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last = values.begin() + static_cast<std::ptrdiff_t>(std::min(from + group, values.size()));
    const double part = top <= 0 ? 0 : *std::max_element(first, last) / top;
    text += kLevels[static_cast<std::size_t>(std::lround(part * (kLevels.size() - 1)))];
  }
  return text;
}

void add_history(TextTable& table, JsonElement status, const char* name, const char* title,
                 std::string (*readable)(double)) {
  const auto history = member(status, "history");
  if (!history) return;
  std::vector<double> values;
  for (const JsonElement each : elements_of(*history, name)) {
    double value = 0;
    if (each.get(value) == simdjson::SUCCESS) values.push_back(value);
  }
  if (values.empty()) return;
  const double step = value_of<double>(*history, "stepSeconds").value_or(0);
  table.add({title, sparks(values) + "  at most " + readable(*std::max_element(values.begin(), values.end())) + " in " +
                        readable_duration(step * static_cast<double>(values.size()))});
}

std::string facts(JsonElement status, ViewChoices choices) {
  TextTable table;
  const auto add = [&table](const char* name, const std::string& value) {
    if (!value.empty()) table.add({name, value});
  };
  add("PostgreSQL", connection(status, "postgres"));
  add("Redis", connection(status, "redis"));
  add("Slot", slot(status));
  add("Position", position(status));
  add("Throughput", throughput(status));
  add("Counted", counters(status));
  if (choices.unicode) {
    add_history(table, status, "lagSeconds", "Lag", readable_duration);
    add_history(table, status, "rowsPerSecond", "Rows/s", readable_rate);
  }
  return table.print("  ");
}

std::string rest_of(JsonElement job, const char* done_name, const char* total_name) {
  const auto done = value_of<double>(job, done_name), total = value_of<double>(job, total_name);
  const auto left = value_of<double>(job, "etaSeconds"), rate = value_of<double>(job, "recordsPerSecond");
  const bool part_known = done && total && *total > 0 && *done <= *total;
  return list({part_known ? readable_percent(*done / *total) : "",
               done ? readable_count(static_cast<std::uint64_t>(*done)) + " rows" : "",
               rate ? readable_rate(*rate) + " rows/s" : "", left ? readable_duration(*left) + " left" : ""});
}

std::string loading(JsonElement status) {
  const auto load = member(status, "load");
  if (!load) return "";
  const auto tables = value_of<std::uint64_t>(*load, "tables"), done = value_of<std::uint64_t>(*load, "tablesDone");
  const auto rate = value_of<double>(*load, "rowsPerSecond");
  return "\n  Reading existing rows: " +
         list({tables && done ? std::to_string(*done) + " of " + std::to_string(*tables) + " tables" : "",
               rest_of(*load, "rows", "estimatedRows"), rate ? readable_rate(*rate) + " rows/s" : "",
               word(*load, "currentTable")}) +
         "\n";
}

std::string job_of(JsonElement job) {
  const std::string state = word(job, "status");
  const std::string kind = word(job, "kind");
  if (state == "RUNNING")
    return kind + " " + list({word(job, "phase"), rest_of(job, "processedRecords", "totalRecords")});
  std::string lower = state;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto differing = value_of<std::uint64_t>(job, "differing");
  return kind + " " +
         list({lower, differing ? readable_count(*differing) + " differences" : "", word(job, "completedAt")});
}

std::string job_of_mapping(JsonElement mapping) {
  std::vector<std::string> jobs;
  for (const char* kind : {"rebuild", "verify"}) {
    if (const auto job = member(mapping, kind)) jobs.push_back(job_of(*job));
  }
  return list(jobs, "; ");
}

std::string mappings(JsonElement status, ViewChoices choices) {
  TextTable table({1, 2, 3, 4});
  table.add({"MAPPING", "TABLES", "INSERTS", "UPDATES", "DELETES", "JOB"});
  const auto details = elements_of(status, "mappingDetails");
  const auto count = [](JsonElement of, const char* name) {
    const auto value = value_of<std::uint64_t>(of, name);
    return value ? readable_count(*value) : "";
  };
  for (const JsonElement each : details) {
    const auto reading = value_of<std::uint64_t>(each, "tablesLoading").value_or(0);
    table.add({word(each, "name"), count(each, "tables"), count(each, "inserts"), count(each, "updates"),
               count(each, "deletes"),
               list({reading > 0 ? std::to_string(reading) + " being read" : "", job_of_mapping(each)}, "; ")});
  }
  const auto names = elements_of(status, "mappings");
  if (details.empty()) {  // an older one
    for (const JsonElement each : names) {
      std::string_view name;
      if (each.get(name) == simdjson::SUCCESS) table.add({printable(std::string(name))});
    }
  }
  if (details.empty() && names.empty()) return "";
  std::string text = table.print("  ");
  const std::size_t end = text.find('\n');
  text = "\n" + coloured(text.substr(0, end), "\033[1m", choices) + text.substr(end);
  if (!details.empty() && names.size() > details.size()) {
    text += "  and " + std::to_string(names.size() - details.size()) + " more\n";
  }
  return text;
}

std::string errors(JsonElement status, ViewChoices choices) {
  const auto all = elements_of(status, "errors");
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), kErrorsShown); ++i) {
    const auto count = value_of<std::uint64_t>(all[i], "count").value_or(1);
    const std::string runbook = word(all[i], "runbook");
    text += "  " + word(all[i], "at") + "  " + word(all[i], "message") +
            (count > 1 ? "  (" + readable_count(count) + " times)" : "") +
            (runbook.empty() ? "" : "\n      see docs/runbooks/" + runbook + ".md") + "\n";
  }
  const std::string last = word(status, "lastError");
  if (all.empty() && !last.empty()) text = "  " + last + "\n";
  return text.empty() ? "" : "\n" + coloured("  LAST ERRORS", "\033[1m", choices) + "\n" + text;
}

}  // namespace

std::string status_view(JsonElement status, ViewChoices choices) {
  return head(status, choices) + "\n" + facts(status, choices) + loading(status) + mappings(status, choices) +
         errors(status, choices);
}

std::string status_line(JsonElement status) {
  const auto state = member(status, "slotState");
  const auto retained = value_of<std::int64_t>(state.value_or(status), "retainedWalBytes");
  return list({word(status, "time"), sentence_of(status), throughput(status), with_unit(retained, "of WAL retained")},
              "  ");
}

}  // namespace walrelay::sidecar
