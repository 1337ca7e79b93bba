#include "sidecar/admin.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>

#include "config/json_text.h"
#include "config/load.h"
#include "sidecar/admin_request.h"
#include "sidecar/http_access.h"
#include "sidecar/log.h"
#include "sidecar/wall_clock.h"

namespace walrelay::sidecar {

using config::Json;
using replication::Lsn;

namespace {

constexpr event::milliseconds kLook{5};
constexpr std::int64_t kWaitMs = 5000;
constexpr std::size_t kMostWaiting = 40;          // of the connections that HttpLimits allows
constexpr std::int64_t kPartitionWaitMs = 30000;  // a request for a part is answered when that is done
const std::string kIndex = "/api/v1/admin/index/";
const std::string kStatus = "/api/v1/status", kConfig = "/api/v1/config", kWait = "/api/v1/wait",
                  kReload = "/api/v1/admin/reload", kReplay = "/api/v1/admin/dlq/replay",
                  kLogLevel = "/api/v1/admin/log-level";
const std::string kJson = "application/json";

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

HttpAnswer json_answer(unsigned status, std::string body) { return {status, kJson, std::move(body)}; }

HttpAnswer mistake(unsigned status, const std::string& sentence) {
  return json_answer(status, Json::object().with("error", Json::text(sentence)).print() + "\n");
}

HttpAnswer not_allowed(const std::string& allow) {
  HttpAnswer answer = mistake(405, "this route takes " + allow);
  answer.allow = allow;
  return answer;
}

unsigned status_of(const Job& job) {
  if (job.running()) return 202;
  return job.status == JobStatus::completed ? 200 : job.bad_request ? 400 : 500;
}

}  // namespace

Admin::Admin(event::Loop& loop, Supervisor& supervisor, Reloader& reloader, Recorder& recorder)
    : supervisor_(supervisor), reloader_(reloader), recorder_(recorder), timer_(loop, [this] { look(); }) {}

Admin::~Admin() = default;

struct Admin::Ending {
  const char* text;
  JobKind kind;
  Route::Part part;
};

const std::vector<Admin::Ending>& Admin::endings() {
  static const std::vector<Ending> all = {{"/reindex", JobKind::rebuild, Route::Part::all},
                                          {"/reindex/partition", JobKind::rebuild, Route::Part::partition},
                                          {"/reindex/status", JobKind::rebuild, Route::Part::status},
                                          {"/verify", JobKind::verify, Route::Part::all},
                                          {"/verify/status", JobKind::verify, Route::Part::status}};
  return all;
}

std::optional<Admin::Route> Admin::route_of(const std::string& path) {
  if (!path.starts_with(kIndex)) return std::nullopt;
  const std::string rest = path.substr(kIndex.size());
  for (const Ending& ending : endings()) {
    const std::string_view text = ending.text;
    if (rest.size() > text.size() && rest.ends_with(text)) {
      return Route{rest.substr(0, rest.size() - text.size()), ending.kind, ending.part};
    }
  }
  return std::nullopt;
}

std::vector<ServedRoute> Admin::routes() {
  std::vector<ServedRoute> all = {{kStatus, "GET"},  {kConfig, "GET"},  {kWait, "GET"},
                                  {kReload, "POST"}, {kReplay, "POST"}, {kLogLevel, "GET, POST, PUT"}};
  for (const Ending& ending : endings()) {
    all.push_back({kIndex + "{mapping}" + ending.text, ending.part == Route::Part::status ? "GET" : "POST, DELETE"});
  }
  return all;
}

void Admin::handle(const HttpRequest& request, HttpReply reply) {
  HttpAnswer answer;
  bool later = false;
  try {
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (request.path == kWait || request.path == kStatus || request.path == kConfig) {
      if (!reads) return reply.send(not_allowed("GET, HEAD"));
      if (request.path == kWait) return wait(request, reply);
      return reply.send(request.path == kConfig ? config() : status());
    }
    if (request.path == kReload) return reply.send(reload(request));
    if (request.path == kReplay) return replay(request, std::move(reply));
    if (request.path == kLogLevel) return reply.send(log_level(request));
    const auto route = route_of(request.path);
    if (!route) return reply.send(mistake(404, "there is no such route"));
    answer = act(*route, request, reply, later);
  } catch (const std::invalid_argument& error) {
    answer = mistake(400, error.what());
  }
  if (!later) reply.send(std::move(answer));
}

std::optional<HttpAnswer> Admin::refusal(const HttpRequest& request) const {
  const auto& token = supervisor_.latest().config.http.token;
  const Access access = may_act(request, token.given() ? token.read().reveal() : "");
  if (access == Access::unauthorized) return mistake(401, "this needs the bearer token of http.token");
  if (access == Access::forbidden) {
    return mistake(403, "from another machine this needs a token: set http.token or http.token_file");
  }
  return std::nullopt;
}

HttpAnswer Admin::reload(const HttpRequest& request) {
  if (request.method != "POST") return not_allowed("POST");
  if (auto refused = refusal(request)) return *refused;
  try {
    return json_answer(200, to_json(reloader_.reload()));
  } catch (const ReloadRefused& error) {
    return mistake(400, error.what());
  }
}

void Admin::replay(const HttpRequest& request, HttpReply reply) {
  if (request.method != "POST") return reply.send(not_allowed("POST"));
  if (auto refused = refusal(request)) return reply.send(std::move(*refused));
  const std::string id = parameter(request, "id");
  if (!is_letter_id(id))
    return reply.send(mistake(400, "parameter id must be a dead letter's, such as 1700000000000-0"));
  const auto answer = std::make_shared<HttpReply>(std::move(reply));
  supervisor_.replay(id, [answer](const ReplayResult& result) {
    using What = ReplayResult::What;
    if (result.what != What::replayed) {
      return answer->send(mistake(result.what == What::unknown ? 404 : 503, result.sentence));
    }
    answer->send(json_answer(200, Json::object().with("replayed", Json::raw("true")).print() + "\n"));
  });
}

HttpAnswer Admin::log_level(const HttpRequest& request) {
  if (request.method == "PUT" || request.method == "POST") {
    if (auto refused = refusal(request)) return *refused;
    if (!log::change_level(parameter(request, "level")))
      return mistake(400, "parameter level must be one of trace, debug, info, warn, error, off");
  } else if (request.method != "GET" && request.method != "HEAD") {
    return not_allowed("GET, HEAD, POST, PUT");
  }
  return json_answer(200, Json::object().with("level", Json::text(std::string(log::level()))).print() + "\n");
}

HttpAnswer Admin::act(const Route& route, const HttpRequest& request, HttpReply& reply, bool& later) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool known = request.method == "POST" || request.method == "DELETE";
  if (route.part == Route::Part::status ? !reads : !known) {
    return not_allowed(route.part == Route::Part::status ? "GET, HEAD" : "POST, DELETE");
  }
  if (!reads) {
    if (auto refused = refusal(request)) return *refused;
  }
  const auto names = supervisor_.mapping_names();
  if (!names) return mistake(503, "the tables are not known yet: PostgreSQL has not been reached");
  if (std::find(names->begin(), names->end(), route.mapping) == names->end()) {
    return mistake(404, "there is no mapping \"" + route.mapping + "\"");
  }
  if (reads) return report(route, request);
  return request.method == "POST" ? begin(route, request, reply, later) : cancel(route, request);
}

HttpAnswer Admin::begin(const Route& route, const HttpRequest& request, HttpReply& reply, bool& later) {
  Job job = job_of(route, request);
  const std::int64_t patience =
      duration_ms(request, "wait", route.part == Route::Part::partition ? kPartitionWaitMs : 0);
  const std::string slice = job.slice();
  JobBoard& board = supervisor_.jobs();
  if (const Job* other = board.request(std::move(job), wall_clock_us()))
    return json_answer(409, to_json(*other, wall_clock_us()));
  supervisor_.wake_jobs();
  later = true;
  const bool begun = patience == 0;  // then 202 as soon as a crash cannot lose the job any more
  keep({std::move(reply), steady_ms() + (begun ? kWaitMs : patience), slice, begun, std::nullopt});
  return {};
}

HttpAnswer Admin::report(const Route& route, const HttpRequest& request) {
  JobBoard& board = supervisor_.jobs();
  const Job asked = job_of({route.mapping, route.kind, Route::Part::all}, request);
  const bool particular = !asked.table.empty() || !asked.where.empty();
  const Job* job = particular ? board.find(asked.slice()) : board.latest(route.kind, route.mapping);
  return json_answer(200, to_json(job != nullptr ? *job : asked, wall_clock_us()));
}

HttpAnswer Admin::cancel(const Route& route, const HttpRequest& request) {
  JobBoard& board = supervisor_.jobs();
  const std::string slice = job_of(route, request).slice();
  if (!board.cancel(slice, wall_clock_us())) return mistake(404, "no such job is running");
  supervisor_.wake_jobs();
  return json_answer(200, to_json(*board.find(slice), wall_clock_us()));
}

HttpAnswer Admin::config() {
  return {200, "application/yaml; charset=utf-8", config::show(supervisor_.latest().config, true)};
}

HttpAnswer Admin::status() { return json_answer(200, status_json(recorder_.overview())); }

void Admin::wait(const HttpRequest& request, HttpReply& reply) {
  const std::string text = parameter(request, "lsn");
  const bool caught_up = request.query.count("caught_up") != 0 && flag(request, "caught_up");
  std::optional<Lsn> position;
  if (!caught_up || !text.empty()) {
    position = replication::parse_lsn(text);
    if (!position) throw std::invalid_argument("parameter lsn must be a WAL position such as 16/B374D848");
  }
  const std::int64_t deadline = steady_ms() + duration_ms(request, "timeout", kWaitMs);
  keep({std::move(reply), deadline, "", false, position});
}

bool Admin::is_reached(Waiter& waiter) {
  if (!waiter.slice.empty()) {
    const Job* job = supervisor_.jobs().find(waiter.slice);
    return job == nullptr || !job->running() || (waiter.begun && job->recorded);
  }
  return waiter.position ? supervisor_.holds(*waiter.position) : supervisor_.holds(waiter.everything);
}

void Admin::answer(Waiter& waiter, bool in_time) {
  if (!waiter.slice.empty()) {
    const Job* job = supervisor_.jobs().find(waiter.slice);
    if (job != nullptr)
      waiter.reply.send(json_answer(waiter.begun ? 202 : status_of(*job), to_json(*job, wall_clock_us())));
    return;
  }
  const Status& status = supervisor_.status();
  Json json = Json::object().with("reached", Json::raw(in_time ? "true" : "false"));
  json.add("applied", Json::text(replication::to_string(status.applied)));
  json.add("lagBytes", Json::raw(std::to_string(status.lag_bytes)));
  const auto& awaited = waiter.position ? waiter.position : waiter.everything.position;
  json.add("awaited", awaited ? Json::text(replication::to_string(*awaited)) : Json::raw("null"));
  waiter.reply.send(json_answer(in_time ? 200 : 504, json.print() + "\n"));
}

void Admin::keep(Waiter waiter) {
  if (is_reached(waiter)) return answer(waiter, true);
  if (waiters_.size() >= kMostWaiting) {
    HttpAnswer full = mistake(503, "too many requests wait here already; ask again in a moment");
    full.retry_after = 1;
    return waiter.reply.send(std::move(full));
  }
  waiters_.push_back(std::move(waiter));
  timer_.start(kLook, kLook);
}

void Admin::look() {
  const std::int64_t now = steady_ms();
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const bool reached = is_reached(*waiter);
    if (!reached && now < waiter->deadline_ms) {
      ++waiter;
      continue;
    }
    answer(*waiter, reached);
    waiter = waiters_.erase(waiter);
  }
  if (waiters_.empty()) timer_.stop();
}

}  // namespace walrelay::sidecar
