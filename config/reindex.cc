#include "config/reindex.h"

#include <algorithm>
#include <array>

#include "config/nearest.h"
#include "config/settings.h"

namespace walrelay::config {

namespace {

constexpr const char* kStatusTable = "status_table";

// Words that a request, or the answer about a job, has for itself.
constexpr std::array<std::string_view, 34> kTaken = {"table",
                                                     "dry_run",
                                                     "repair",
                                                     "sample",
                                                     "wait",
                                                     "kind",
                                                     "indexName",
                                                     "status",
                                                     "phase",
                                                     "totalRecords",
                                                     "processedRecords",
                                                     "removedKeys",
                                                     "undecidedKeys",
                                                     "dryRun",
                                                     "samplePercent",
                                                     "differing",
                                                     "found",
                                                     "differences",
                                                     "repaired",
                                                     "changedMeanwhile",
                                                     "recordsPerSecond",
                                                     "etaSeconds",
                                                     "startedAt",
                                                     "completedAt",
                                                     "errorMessage",
                                                     "examples",
                                                     "tablesDone",
                                                     "readingTable",
                                                     "joinsLoads",
                                                     "badRequest",
                                                     "where",
                                                     "asked",
                                                     "startedMicros",
                                                     "completedMicros"};

bool taken(std::string_view name) {
  return name.starts_with("where.") || std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end();
}

std::string scalar(const Node& node, const std::string& name, const Environment& environment, Mistakes& mistakes) {
  const auto given = read_scalar(node, name, environment, mistakes);
  if (given && given->text.empty()) mistakes.add(node.place, "\"" + name + "\" must not be empty");
  return given ? given->text : "";
}

ReindexParameter parameter(const Node& key, const Node& node, const Environment& environment, Mistakes& mistakes) {
  ReindexParameter out;
  out.name = key.text;
  const std::string name = "reindex." + key.text;
  if (node.kind != Node::Kind::map) {
    out.column = scalar(node, name, environment, mistakes);
    return out;
  }
  for (const auto& [word, value] : node.entries) {
    if (word->text == "column") {
      out.column = scalar(*value, name + ".column", environment, mistakes);
    } else if (word->text == "default") {
      out.default_value = scalar(*value, name + ".default", environment, mistakes);
    } else {
      mistakes.add(word->place, "unknown key in \"" + name + "\"" + did_you_mean(word->text, {"column", "default"}));
    }
  }
  if (node.find("column") == nullptr) {
    mistakes.add(node.place, "\"" + name + "\" names no column; write " + key.text + ": {column: ...}");
  }
  return out;
}

}  // namespace

void read_reindex(const Node& node, const Environment& environment, Mistakes& mistakes, Mapping& out) {
  if (node.kind != Node::Kind::map) {
    return mistakes.add(node.place,
                        std::string("\"reindex\" must be a map of parameters and their columns, not ") + node.what());
  }
  for (const auto& [key, value] : node.entries) {
    if (key->text == kStatusTable) {
      out.reindex_status_table = scalar(*value, "reindex.status_table", environment, mistakes);
      continue;
    }
    ReindexParameter given = parameter(*key, *value, environment, mistakes);
    const auto same = std::find_if(out.reindex.begin(), out.reindex.end(),
                                   [&](const auto& other) { return other.column == given.column; });
    if (taken(key->text)) {
      mistakes.add(key->place,
                   "\"" + key->text + "\" has a meaning of its own in requests; name the parameter otherwise");
    } else if (same != out.reindex.end() && !given.column.empty()) {
      mistakes.add(key->place, "\"" + same->name + "\" and \"" + given.name + "\" are both for column \"" +
                                   given.column + "\"; keep one of them");
    }
    out.reindex.push_back(std::move(given));
  }
}

}  // namespace walrelay::config
