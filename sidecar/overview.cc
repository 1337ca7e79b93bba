#include "sidecar/overview.h"

#include <algorithm>
#include <array>
#include <map>

#include "sidecar/readable.h"

namespace walrelay::sidecar {

namespace {

constexpr double kLagWarning = 60, kLagCritical = 300;       // seconds; as the alerts have them
constexpr double kLossCritical = 4 * 3600, kLossNear = 600;  // seconds until the slot is lost
constexpr std::array<const char*, 4> kHealthNames = {"ok", "busy", "warning", "critical"};
constexpr std::array<const char*, 5> kRiskNames = {"unknown", "none", "growing", "high", "lost"};

std::uint64_t sum(const ChangeCounts& counts) {
  return counts.inserts + counts.updates + counts.deletes + counts.truncates;
}

std::string loading_sentence(const Status& status) {
  const LoadProgress& load = status.load;
  std::string text = "Reading existing rows: " + readable_count(load.rows) + " read";
  if (load.estimated_rows > 0) {
    const double part = static_cast<double>(load.rows) / static_cast<double>(load.estimated_rows);
    text = "Reading existing rows: " + readable_percent(std::min(part, 0.99)) + ", " + readable_count(load.rows) +
           " of about " + readable_count(std::max(load.rows, load.estimated_rows));
  }
  return text + ", " + std::to_string(load.tables_done) + " of " + std::to_string(load.tables) +
         (load.tables == 1 ? " table done" : " tables done");
}

std::string waiting_sentence(const Status& status) {
  return "Not streaming, trying again" + (status.last_error.empty() ? "" : ": " + status.last_error);
}

Health state_health(const Status& status) {
  switch (status.state) {
    case State::starting:
    case State::connecting:
      return status.last_error.empty() || status.sessions > 0 ? Health::busy : Health::critical;
    case State::standby:
    case State::loading:
    case State::stopping:
      return Health::busy;
    case State::waiting:
      return Health::critical;
    case State::streaming:
      return Health::ok;
  }
  return Health::critical;
}

}  // namespace

const char* name_of(Health health) { return kHealthNames[static_cast<std::size_t>(health)]; }
const char* name_of(SlotRisk risk) { return kRiskNames[static_cast<std::size_t>(risk)]; }

SlotRisk slot_risk_of(const Overview& overview) {
  const Status& status = overview.status;
  if (status.wal_status == "lost") return SlotRisk::lost;
  if (status.slot_seen_us == 0) return SlotRisk::unknown;
  if (status.wal_status == "unreserved") return SlotRisk::high;
  const auto left = overview.history.seconds_to_loss(status, overview.now_us);
  if (!left) return SlotRisk::none;
  return *left < kLossCritical ? SlotRisk::high : SlotRisk::growing;
}

Health health_of(const Overview& overview) {
  const Status& status = overview.status;
  Health health = state_health(status);
  const auto at_least = [&health](Health other) { health = std::max(health, other); };
  if (status.lag_seconds >= kLagWarning) at_least(Health::warning);
  if (status.lag_seconds >= kLagCritical) at_least(Health::critical);
  const SlotRisk risk = slot_risk_of(overview);
  if (risk == SlotRisk::lost) at_least(Health::critical);
  if (risk != SlotRisk::high) return health;
  const auto left = overview.history.seconds_to_loss(status, overview.now_us);
  at_least(status.wal_status == "unreserved" || (left && *left < kLossNear) ? Health::critical : Health::warning);
  return health;
}

std::string sentence_of(const Overview& overview) {
  const Status& status = overview.status;
  switch (status.state) {
    case State::starting:
      return "Starting";
    case State::connecting:
      return status.last_error.empty() ? "Connecting to PostgreSQL and Redis"
                                       : "Connecting again: " + status.last_error;
    case State::standby:
      return "Standing by: another walrelay has the slot";
    case State::loading:
      return loading_sentence(status);
    case State::streaming:
      if (status.lag_bytes == 0 && status.lag_seconds == 0) return "Live, in step";
      return "Live, " + readable_duration(status.lag_seconds) + " behind";
    case State::waiting:
      return waiting_sentence(status);
    case State::stopping:
      return "Stopping: what is committed is sent, then it ends";
  }
  return "";
}

std::vector<MappingReport> mapping_reports(const Overview& overview, std::size_t most) {
  std::map<std::string, MappingReport> by_name;
  if (overview.mappings) {
    for (const std::string& name : *overview.mappings) by_name[name].name = name;
  }
  for (const TableReport& table : overview.tables) {
    for (const std::string& name : table.mappings) {
      MappingReport& report = by_name[name];
      report.name = name;
      ++report.tables;
      report.loading += table.loading ? 1 : 0;
      report.changes.inserts += table.changes.inserts;
      report.changes.updates += table.changes.updates;
      report.changes.deletes += table.changes.deletes;
      report.changes.truncates += table.changes.truncates;
    }
  }
  for (const auto& [slice, job] : overview.jobs.all()) {
    const auto found = by_name.find(job.mapping);
    if (found == by_name.end()) continue;
    const Job*& latest = job.kind == JobKind::rebuild ? found->second.rebuild : found->second.verify;
    if (latest == nullptr || job.started_us > latest->started_us) latest = &job;
  }
  std::vector<MappingReport> reports;
  for (auto& [name, report] : by_name) reports.push_back(std::move(report));
  const auto before = [](const MappingReport& a, const MappingReport& b) { return sum(a.changes) > sum(b.changes); };
  if (reports.size() <= most) return reports;  // by name
  std::stable_sort(reports.begin(), reports.end(), before);
  reports.resize(most);
  return reports;
}

std::vector<TableReport> busiest(const std::vector<TableReport>& tables, std::size_t most) {
  std::vector<TableReport> out = tables;
  std::stable_sort(out.begin(), out.end(), [](const TableReport& a, const TableReport& b) {
    return a.loading != b.loading ? a.loading : sum(a.changes) > sum(b.changes);
  });
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace walrelay::sidecar
