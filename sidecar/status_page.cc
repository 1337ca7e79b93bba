#include "sidecar/status_page.h"

#include <array>
#include <cmath>

#include "sidecar/failures.h"
#include "sidecar/html.h"
#include "sidecar/page/embedded.h"
#include "sidecar/readable.h"
#include "sidecar/status_page_parts.h"
#include "sidecar/version.h"
#include "sinks/digest.h"

namespace walrelay::sidecar {

namespace {

// A word and a form beside the colour: who cannot tell the colours apart reads as much.
struct Badge {
  const char* word;
  const char* path;
};
constexpr std::array<Badge, 4> kBadges = {{{"All is well", "M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1z"},
                                           {"At work", "M6 1a5 5 0 1 0 0 10V1z"},
                                           {"Have a look", "M6 1 11.5 11H.5z"},
                                           {"Needs you", "M1.5 1.5h9v9h-9z"}}};

constexpr std::size_t kLongSentence = 60;

std::string about(const Overview& overview) {
  const double up = static_cast<double>(overview.now_us - overview.started_us) / 1e6;
  // Whole minutes: a second hand here would only distract.
  const std::string since = up < 60 ? "just started" : "up " + readable_duration(std::floor(up / 60) * 60);
  return "slot " + escaped(overview.status.slot) + " &middot; version " + escaped(version()) + " &middot; " + since;
}

std::string hero(const Overview& overview) {
  const Health health = health_of(overview);
  const Badge& badge = kBadges[static_cast<std::size_t>(health)];
  const std::string sentence = sentence_of(overview);
  const bool is_long = sentence.size() > kLongSentence;
  std::string out = "<p class=\"state\"><span class=\"badge " + std::string(name_of(health)) +
                    "\" aria-live=\"polite\"><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><path d=\"" + badge.path +
                    "\"/></svg>" + badge.word + "</span></p>";
  out += std::string("<h1") + (is_long ? " class=\"long\"" : "") + ">" + escaped(sentence) + "</h1>";
  const double commit = overview.status.last_applied_commit_seconds;
  if (commit <= 0) return out + "<p>No change has come through the stream yet.</p>";
  const double ago = static_cast<double>(overview.now_us) / 1e6 - commit;
  return out + "<p>The newest transaction in Redis was committed " + readable_duration(std::max(0.0, std::floor(ago))) +
         " ago.</p>";
}

std::string charts(const Overview& overview) {
  Chart lag{"Lag", "lag", 1, [](double seconds) { return readable_duration(seconds); }, {}};
  Chart rows{"Rows written to Redis", "rows", 10, [](double rate) { return readable_rate(rate) + " a second"; }, {}};
  for (const History::Point& point : overview.history.points()) {
    lag.values.push_back(point.lag_seconds);
    rows.values.push_back(point.rows_per_second);
  }
  return chart_html(lag) + chart_html(rows);
}

std::string policy() {
  static const std::string text =
      "default-src 'none'; style-src 'sha256-" + sinks::sha256_base64(embedded::status_css()) +
      "'; script-src 'sha256-" + sinks::sha256_base64(embedded::status_js()) +
      "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return text;
}

}  // namespace

HttpAnswer status_page(const Overview& overview, const std::string& configuration,
                       bool (*has_runbook)(std::string_view name)) {
  const std::string title = escaped(sentence_of(overview) + " \xC2\xB7 " + overview.status.slot + " \xC2\xB7 walrelay");
  std::string body = filled(embedded::status_html(), {{"title", title},
                                                      {"style", std::string(embedded::status_css())},
                                                      {"script", std::string(embedded::status_js())},
                                                      {"about", about(overview)},
                                                      {"hero", hero(overview)},
                                                      {"figures", figures_html(overview)},
                                                      {"charts", charts(overview)},
                                                      {"load", load_html(overview)},
                                                      {"errors", errors_html(overview, has_runbook)},
                                                      {"mappings", mappings_html(overview)},
                                                      {"slot", slot_html(overview)},
                                                      {"positions", positions_html(overview)},
                                                      {"configuration", escaped(configuration)}});
  return {.status = 200, .type = "text/html; charset=utf-8", .body = std::move(body), .policy = policy()};
}

}  // namespace walrelay::sidecar
