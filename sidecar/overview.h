// What is said of the process at one moment, and in whose order: the one contract behind GET /api/v1/status, the status
// page and `walrelay status`. docs/http.md has every member.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "sidecar/history.h"
#include "sidecar/job.h"
#include "sidecar/status.h"

namespace walrelay::sidecar {

// All are references to what outlives it.
struct Overview {
  const Status& status;
  const History& history;
  const JobBoard& jobs;
  const config::Config& config;
  std::optional<std::vector<std::string>> mappings;  // every name; nothing: not known yet
  std::vector<TableReport> tables;                   // that a mapping wants; may be long
  std::int64_t now_us = 0, started_us = 0;
};

// How it is, in a word for colours: all is well; something is under way; look at it; act.
enum class Health : std::uint8_t { ok, busy, warning, critical };
const char* name_of(Health health);
Health health_of(const Overview& overview);

// One sentence: "Live, 0.4 s behind".
std::string sentence_of(const Overview& overview);

// How near the slot is to being lost.
enum class SlotRisk : std::uint8_t { unknown, none, growing, high, lost };
const char* name_of(SlotRisk risk);
SlotRisk slot_risk_of(const Overview& overview);

// What is counted of a mapping: its tables together.
struct MappingReport {
  std::string name;
  std::size_t tables = 0, loading = 0;
  ChangeCounts changes;
  const Job* rebuild = nullptr;  // the latest; null: none
  const Job* verify = nullptr;
};
std::vector<MappingReport> mapping_reports(const Overview& overview, std::size_t most);

// The tables with the most changes, and all that are being read.
std::vector<TableReport> busiest(const std::vector<TableReport>& tables, std::size_t most);

std::string status_json(const Overview& overview);

}  // namespace walrelay::sidecar
