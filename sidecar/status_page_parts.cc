#include "sidecar/status_page_parts.h"

#include <algorithm>
#include <cmath>

#include "sidecar/failures.h"
#include "sidecar/html.h"
#include "sidecar/readable.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

namespace {

constexpr std::size_t kMostMappings = 50;
constexpr double kLossNear = 600;  // seconds

std::string figure(const std::string& name, const std::string& value, const std::string& more,
                   const std::string& look = "") {
  return "<div><dt>" + name + "</dt><dd" + (look.empty() ? "" : " class=\"" + look + "\"") + ">" + escaped(value) +
         "</dd><dd>" + escaped(more) + "</dd></div>";
}

std::string fact(const std::string& name, const std::string& html) {
  return "<dt>" + name + "</dt><dd>" + html + "</dd>";
}

std::string plural(std::uint64_t count, const std::string& one, const std::string& many) {
  return readable_count(count) + " " + (count == 1 ? one : many);
}

std::string time_html(std::int64_t us) {
  const std::string text = iso_time(us);  // 2026-02-05T10:00:00.500Z
  constexpr std::size_t kDate = 10, kClock = 8;
  return "<time datetime=\"" + text + "\">" + text.substr(0, kDate) + " " + text.substr(kDate + 1, kClock) +
         " UTC</time>";
}

std::string ago(const Overview& overview, std::int64_t us) {
  const double seconds = std::floor(static_cast<double>(overview.now_us - us) / 1e6);
  return seconds < 2 ? "now" : readable_duration(seconds) + " ago";
}

std::string progress_bar(std::uint64_t done, std::uint64_t all, const std::string& label) {
  if (all == 0) return "<progress aria-label=\"" + escaped(label) + "\"></progress>";
  return "<progress aria-label=\"" + escaped(label) + "\" max=\"" + std::to_string(all) + "\" value=\"" +
         std::to_string(std::min(done, all)) + "\"></progress>";
}

struct Loss {
  std::string value, more, look;
};

Loss loss_of(const Overview& overview) {
  const Status& status = overview.status;
  const auto left = overview.history.seconds_to_loss(status, overview.now_us);
  switch (slot_risk_of(overview)) {
    case SlotRisk::unknown:
      return {"unknown", "the slot has not been seen yet", ""};
    case SlotRisk::lost:
      return {"lost", "every table has to be read again", "alarm"};
    case SlotRisk::none:
      if (status.safe_wal_bytes < 0) return {"no limit", "max_slot_wal_keep_size is not set", ""};
      return {"not in sight", readable_bytes(status.safe_wal_bytes) + " may still be written", ""};
    case SlotRisk::growing:
      return {readable_duration(left.value_or(0)), "at the pace of the last minutes", ""};
    case SlotRisk::high:
      if (!left) return {"any moment", "the next checkpoint removes WAL that is needed", "alarm"};
      return {readable_duration(*left), "at the pace of the last minutes", *left < kLossNear ? "alarm" : "caution"};
  }
  return {};
}

}  // namespace

std::string figures_html(const Overview& overview) {
  const Status& status = overview.status;
  const Health health = health_of(overview);
  const bool late = status.lag_seconds >= 60;
  const std::string look = !late ? "" : health == Health::critical ? "alarm" : "caution";
  const Loss loss = loss_of(overview);
  std::string out = figure("Behind", readable_duration(status.lag_seconds),
                           readable_bytes(status.lag_bytes) + " of the server\xE2\x80\x99s log", look);
  out += figure("Written to Redis", readable_rate(overview.history.rows_per_second()) + " rows/s",
                plural(status.sink.rows, "row", "rows") + " since the start");
  out += figure("Kept for the slot", readable_bytes(status.retained_wal_bytes),
                status.wal_status.empty() ? "of the server\xE2\x80\x99s log" : "status " + status.wal_status);
  return out + figure("Until the slot is lost", loss.value, loss.more, loss.look);
}

std::string load_html(const Overview& overview) {
  const Status& status = overview.status;
  if (status.state != State::loading) return "";
  const LoadProgress& load = status.load;
  std::string words = plural(load.rows, "row", "rows") + " read";
  const double rate = overview.history.rows_per_second();
  if (rate > 0) words += ", " + readable_rate(rate) + " a second";
  if (rate > 0 && load.estimated_rows > load.rows) {
    words += ", about " + readable_duration(std::ceil(static_cast<double>(load.estimated_rows - load.rows) / rate)) +
             " left";
  }
  if (!status.loading_table.empty()) words += "; now " + status.loading_table;
  return "<section aria-labelledby=\"load-title\"><h2 id=\"load-title\">Reading existing rows</h2><div class=\"box "
         "loading\">" +
         progress_bar(load.rows, load.estimated_rows, "Existing rows read") + "<p>" + escaped(words) +
         "</p></div></section>";
}

std::string errors_html(const Overview& overview, bool (*has_runbook)(std::string_view name)) {
  const auto& latest = overview.status.failures.latest();
  std::string out = "<section aria-labelledby=\"errors-title\"><h2 id=\"errors-title\">Last errors</h2>";
  if (latest.empty()) return out + "<p class=\"box quiet\">None since it started.</p></section>";
  out += "<ul class=\"box errors\">";
  for (const Failure& failure : latest) {
    out += "<li><p class=\"when\">" + time_html(failure.last_us) + ", " + ago(overview, failure.last_us);
    if (failure.count > 1) {
      out += ", " + readable_count(failure.count) + " times since " + time_html(failure.first_us);
    }
    out += " &middot; <code>" + escaped(failure.reason) + "</code></p><p>" + escaped(failure.sentence);
    const std::string runbook = runbook_of(failure.reason);
    if (!runbook.empty() && has_runbook(runbook)) {
      out += " <a href=\"runbooks/" + escaped(runbook) + "\">What to do: " + escaped(runbook) + "</a>";
    }
    out += "</p></li>";
  }
  return out + "</ul></section>";
}

std::string slot_html(const Overview& overview) {
  const Status& status = overview.status;
  const Loss loss = loss_of(overview);
  const std::string look = loss.look.empty() ? "" : " class=\"" + loss.look + "\"";
  std::string out = fact("Name", "<code>" + escaped(status.slot) + "</code>");
  out += fact("Used by", status.owner ? "this process" : status.slot_active ? "another process" : "nobody");
  out += fact("WAL status", status.wal_status.empty() ? "unknown" : escaped(status.wal_status));
  out += fact("Kept for it", readable_bytes(status.retained_wal_bytes));
  out += fact("May still be written",
              status.safe_wal_bytes < 0 ? "no limit is set" : readable_bytes(status.safe_wal_bytes));
  out += fact("Until it is lost", "<span" + look + ">" + escaped(loss.value) + "</span>");
  return out + fact("Seen", status.slot_seen_us == 0 ? "not yet" : ago(overview, status.slot_seen_us));
}

std::string positions_html(const Overview& overview) {
  const Status& status = overview.status;
  const auto peer = [](bool connected, const std::string& address, const std::string& version) {
    const std::string words = address.empty() ? "" : " " + escaped(address) + ", version " + escaped(version);
    return (connected
                ? "connected to"
                : std::string("<span class=\"alarm\">not connected</span>") + (address.empty() ? "" : ", last to")) +
           words;
  };
  const auto lsn = [](replication::Lsn position) { return "<code>" + replication::to_string(position) + "</code>"; };
  std::string out = fact("PostgreSQL", peer(status.postgres_connected, status.postgres_peer, status.postgres_version));
  out += fact("Redis", peer(status.redis_connected, status.redis_peer, status.redis_version));
  out += fact("End of the server", lsn(status.server_end)) + fact("Received", lsn(status.received));
  out += fact("In Redis", lsn(status.applied)) + fact("Told to PostgreSQL", lsn(status.confirmed));
  return out + fact("Dead letters", readable_count(status.sink.refused_rows + status.sink.refused_notes));
}

namespace {

std::string job_html(const Overview& overview, const Job* job) {
  if (job == nullptr) return "";
  const std::string name = job->kind == JobKind::rebuild ? "Rebuild" : "Comparison";
  std::string words;
  if (job->running()) {
    const double seconds = std::max(0.001, static_cast<double>(overview.now_us - job->started_us) / 1e6);
    const double rate = static_cast<double>(job->processed) / seconds;
    words = ": " + std::string(name_of(job->phase)) + ", " + plural(job->processed, "row", "rows");
    if (job->total > 0) words += " of about " + readable_count(std::max(job->total, job->processed));
    if (rate > 0) words += ", " + readable_rate(rate) + " a second";
    if (rate > 0 && job->total > job->processed) {
      words +=
          ", about " + readable_duration(std::ceil(static_cast<double>(job->total - job->processed) / rate)) + " left";
    }
    return "<span class=\"job\">" + name + escaped(words) +
           progress_bar(job->processed, job->total, name + " of " + job->mapping) + "</span>";
  }
  if (job->status == JobStatus::completed) {
    words = " done " + ago(overview, job->completed_us) + ": " + plural(job->processed, "row", "rows");
    if (job->kind == JobKind::rebuild && job->removed > 0)
      words += ", " + plural(job->removed, "key", "keys") + " removed";
    if (job->kind == JobKind::verify) {
      words += job->differing() == 0 ? ", no difference" : ", " + plural(job->differing(), "difference", "differences");
      if (job->repaired > 0) words += ", " + readable_count(job->repaired) + " mended";
    }
  } else if (job->status == JobStatus::failed) {
    words = " failed " + ago(overview, job->completed_us) + ": " + job->error;
  } else {
    words = " cancelled " + ago(overview, job->completed_us);
  }
  return "<span class=\"job\">" + name + escaped(words) + "</span>";
}

std::string mapping_row(const Overview& overview, const MappingReport& report) {
  const auto cell = [](const char* label, std::uint64_t count) {
    return "<td data-label=\"" + std::string(label) + "\">" + readable_count(count) + "</td>";
  };
  const std::string state = kStateNames[static_cast<std::size_t>(overview.status.state)];
  std::string now = job_html(overview, report.rebuild) + job_html(overview, report.verify);
  if (report.loading > 0) {
    now = "<span class=\"job\">reading " + plural(report.loading, "table", "tables") + "</span>" + now;
  }
  return "<tr><th scope=\"row\">" + escaped(report.name) + "</th>" + cell("Tables", report.tables) +
         cell("Inserted", report.changes.inserts) + cell("Updated", report.changes.updates) +
         cell("Deleted", report.changes.deletes) + cell("Truncated", report.changes.truncates) + "<td>" +
         (now.empty() ? "<span class=\"job\">" + state + "</span>" : now) + "</td></tr>";
}

}  // namespace

std::string mappings_html(const Overview& overview) {
  if (!overview.mappings) {
    return "<p class=\"box quiet\">The tables are not known until PostgreSQL has been reached.</p>";
  }
  const auto reports = mapping_reports(overview, kMostMappings);
  if (reports.empty()) return "<p class=\"box quiet\">No table is published that could be written.</p>";
  std::string out =
      "<div class=\"box\"><table><caption>Changes received since the start, by mapping</caption><thead><tr><th "
      "scope=\"col\">Mapping</th><th scope=\"col\">Tables</th><th scope=\"col\">Inserted</th><th "
      "scope=\"col\">Updated</th><th scope=\"col\">Deleted</th><th scope=\"col\">Truncated</th><th "
      "scope=\"col\">Rebuild and comparison</th></tr></thead><tbody>";
  for (const MappingReport& report : reports) out += mapping_row(overview, report);
  out += "</tbody></table>";
  if (overview.mappings->size() > reports.size()) {
    out += "<p class=\"quiet\">The " + std::to_string(reports.size()) + " with the most changes, of " +
           readable_count(overview.mappings->size()) + ".</p>";
  }
  return out + "</div>";
}

}  // namespace walrelay::sidecar
