// A job as the routes answer it and as Redis keeps it.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "config/json_text.h"
#include "sidecar/job.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

using config::Json;

namespace {

constexpr std::array<const char*, 5> kStatusNames = {"NOT_STARTED", "RUNNING", "COMPLETED", "FAILED", "CANCELLED"};
constexpr std::array<const char*, 2> kKindNames = {"rebuild", "verify"};
constexpr std::array<const char*, 4> kPhaseNames = {"waiting", "reading", "sweeping", "done"};
constexpr std::int64_t kSecond = 1000000;

Json time_or_null(std::int64_t us) { return us == 0 ? Json::raw("null") : Json::text(iso_time(us)); }
Json number(std::uint64_t value) { return Json::raw(std::to_string(value)); }
Json signed_number(std::int64_t value) { return Json::raw(std::to_string(value)); }

// A parameter as it was meant: partition 112 and not "112".
Json word(const std::string& value) {
  constexpr std::size_t kDigits = 15;  // exact in every JSON reader
  const bool digits = !value.empty() && value.size() <= kDigits && value.find_first_not_of("0123456789") == value.npos;
  return digits && (value == "0" || value.front() != '0') ? Json::raw(value) : Json::text(value);
}

Json words(const std::map<std::string, std::string>& map) {
  Json object = Json::object();
  for (const auto& [name, value] : map) object.add(name, Json::text(value));
  return object;
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<const char*, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - names.begin()));
}

std::map<std::string, std::string> words_of(simdjson::dom::element job, const char* name) {
  std::map<std::string, std::string> map;
  simdjson::dom::object object;
  if (job[name].get(object) != simdjson::SUCCESS) return map;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) map.emplace(key, text);
  }
  return map;
}

std::vector<std::string> texts_of(simdjson::dom::element job, const char* name) {
  std::vector<std::string> texts;
  simdjson::dom::array array;
  if (job[name].get(array) != simdjson::SUCCESS) return texts;
  for (const auto& value : array) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) texts.emplace_back(text);
  }
  return texts;
}

std::string text_of(simdjson::dom::element job, const char* name) {
  std::string_view text;
  return job[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

bool flag_of(simdjson::dom::element job, const char* name) {
  bool flag = false;
  return job[name].get(flag) == simdjson::SUCCESS && flag;
}

template <class Number>
Number number_of(simdjson::dom::element job, const char* name) {
  Number value = 0;
  return job[name].get(value) == simdjson::SUCCESS ? value : 0;
}

}  // namespace

const char* name_of(JobKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }
const char* name_of(JobStatus status) { return kStatusNames[static_cast<std::size_t>(status)]; }
const char* name_of(JobPhase phase) { return kPhaseNames[static_cast<std::size_t>(phase)]; }

namespace {

void add_findings(Json& json, const Job& job) {
  Json found = Json::object();
  for (const auto& [kind, count] : job.found) found.add(kind, number(count));
  Json differences = Json::array();
  for (const JobDifference& each : job.differences) {
    Json difference = Json::object().with("kind", Json::text(each.kind)).with("key", Json::text(each.key));
    if (!each.fields.empty()) difference.add("fields", Json::texts(each.fields));
    Json values = Json::array();
    for (const auto& value : each.values) {
      Json one = Json::object().with("field", Json::text(value.field));
      values.add(
          std::move(one.add("expected", Json::text(value.expected)).add("observed", Json::text(value.observed))));
    }
    if (!each.values.empty()) difference.add("values", std::move(values));
    differences.add(std::move(difference));
  }
  json.add("repair", Json::raw(job.repair ? "true" : "false"));
  if (job.show_values) json.add("showValues", Json::raw("true"));
  json.add("samplePercent", Json::raw(std::to_string(job.sample)));
  json.add("differing", number(job.differing()));
  json.add("found", std::move(found));
  json.add("differences", std::move(differences));
  json.add("repaired", number(job.repaired));
  json.add("changedMeanwhile", number(job.moving));
}

}  // namespace

std::string to_json(const Job& job, std::int64_t now_us) {
  Json json = Json::object();
  json.add("kind", Json::text(name_of(job.kind)));
  json.add("indexName", Json::text(job.mapping));
  if (!job.table.empty()) json.add("table", Json::text(job.table));
  json.add("status", Json::text(name_of(job.status)));
  json.add("phase", Json::text(name_of(job.phase)));
  for (const auto& [name, value] : job.asked) json.add(name, word(value));
  json.add("totalRecords", number(job.total));
  json.add("processedRecords", number(job.processed));
  json.add("removedKeys", number(job.removed));
  if (job.undecided > 0) json.add("undecidedKeys", number(job.undecided));
  if (job.dry_run) json.add("dryRun", Json::raw("true"));
  if (job.kind == JobKind::verify) add_findings(json, job);
  const std::int64_t until = job.completed_us != 0 ? job.completed_us : now_us;
  const double seconds = std::max(0.001, static_cast<double>(until - job.started_us) / kSecond);
  const double rate = job.started_us == 0 ? 0 : static_cast<double>(job.processed) / seconds;
  json.add("recordsPerSecond", signed_number(std::llround(rate)));
  if (job.running() && rate > 0 && job.total > job.processed) {
    json.add("etaSeconds", signed_number(std::llround(static_cast<double>(job.total - job.processed) / rate)));
  }
  json.add("startedAt", time_or_null(job.started_us));
  json.add("completedAt", time_or_null(job.completed_us));
  json.add("errorMessage", job.error.empty() ? Json::raw("null") : Json::text(job.error));
  if (!job.examples.empty()) json.add("examples", Json::texts(job.examples));
  json.add("tablesDone", Json::texts(job.tables_done));
  if (!job.reading.empty()) json.add("readingTable", Json::text(job.reading));
  if (job.joins_loads) json.add("joinsLoads", Json::raw("true"));
  if (job.bad_request) json.add("badRequest", Json::raw("true"));
  json.add("where", words(job.where));
  json.add("asked", words(job.asked));
  json.add("startedMicros", signed_number(job.started_us));
  json.add("completedMicros", signed_number(job.completed_us));
  return json.print() + "\n";
}

namespace {

void read_findings(simdjson::dom::element json, Job& job) {
  job.repair = flag_of(json, "repair");
  job.show_values = flag_of(json, "showValues");
  double sample = 100;
  if (json["samplePercent"].get(sample) == simdjson::SUCCESS) job.sample = sample;
  job.repaired = number_of<std::uint64_t>(json, "repaired");
  job.moving = number_of<std::uint64_t>(json, "changedMeanwhile");
  simdjson::dom::object found;
  if (json["found"].get(found) == simdjson::SUCCESS) {
    for (const auto& [kind, count] : found) {
      std::uint64_t value = 0;
      if (count.get(value) == simdjson::SUCCESS) job.found.emplace(kind, value);
    }
  }
  simdjson::dom::array differences;
  if (json["differences"].get(differences) != simdjson::SUCCESS) return;
  for (const auto& each : differences) {
    job.differences.push_back({text_of(each, "kind"), text_of(each, "key"), texts_of(each, "fields")});
    simdjson::dom::array values;
    if (each["values"].get(values) != simdjson::SUCCESS) continue;
    for (const auto& value : values) {
      job.differences.back().values.push_back(
          {text_of(value, "field"), text_of(value, "expected"), text_of(value, "observed")});
    }
  }
}

}  // namespace

std::optional<Job> job_from_json(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (parser.parse(text.data(), text.size()).get(json) != simdjson::SUCCESS || !json.is_object()) return std::nullopt;
  const auto status = index_of(kStatusNames, text_of(json, "status"));
  const auto phase = index_of(kPhaseNames, text_of(json, "phase"));
  if (!status || !phase) return std::nullopt;
  Job job;
  job.kind = text_of(json, "kind") == name_of(JobKind::verify) ? JobKind::verify : JobKind::rebuild;
  job.mapping = text_of(json, "indexName");
  job.table = text_of(json, "table");
  job.where = words_of(json, "where");
  job.asked = words_of(json, "asked");
  job.status = static_cast<JobStatus>(*status);
  job.phase = static_cast<JobPhase>(*phase);
  job.total = number_of<std::uint64_t>(json, "totalRecords");
  job.processed = number_of<std::uint64_t>(json, "processedRecords");
  job.removed = number_of<std::uint64_t>(json, "removedKeys");
  job.undecided = number_of<std::uint64_t>(json, "undecidedKeys");
  job.started_us = number_of<std::int64_t>(json, "startedMicros");
  job.completed_us = number_of<std::int64_t>(json, "completedMicros");
  job.error = text_of(json, "errorMessage");
  job.tables_done = texts_of(json, "tablesDone");
  job.reading = text_of(json, "readingTable");
  job.joins_loads = flag_of(json, "joinsLoads");
  job.examples = texts_of(json, "examples");
  job.dry_run = flag_of(json, "dryRun");
  job.bad_request = flag_of(json, "badRequest");
  read_findings(json, job);
  return job;
}

}  // namespace walrelay::sidecar
