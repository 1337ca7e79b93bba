#include "sidecar/site.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "config/json_text.h"
#include "config/load.h"
#include "sidecar/admin_request.h"
#include "sidecar/health.h"
#include "sidecar/http_access.h"
#include "sidecar/metrics.h"
#include "sidecar/page/embedded.h"
#include "sidecar/status_page.h"

namespace walrelay::sidecar {

struct Site::Page {
  const char* path;
  void (Site::*show)(const HttpRequest& request, HttpReply& reply);
};

namespace {

bool verbose(const HttpRequest& request) { return request.query.count("verbose") != 0 && flag(request, "verbose"); }

// In the form of the route: what lies under /api speaks JSON.
HttpAnswer complaint(const HttpRequest& request, unsigned status, const std::string& sentence) {
  if (!Admin::is_route(request.path)) return {.status = status, .body = sentence + "\n"};
  return {.status = status,
          .type = "application/json",
          .body = config::Json::object().with("error", config::Json::text(sentence)).print() + "\n"};
}

constexpr unsigned kMisdirected = 421;

}  // namespace

Site::Site(event::Loop& loop, Supervisor& supervisor, Reloader& reloader, Recorder& recorder)
    : supervisor_(supervisor),
      recorder_(recorder),
      probe_(loop, supervisor),
      admin_(loop, supervisor, reloader, recorder_) {}

const std::vector<Site::Page>& Site::pages() {
  static const std::vector<Page> all = {
      {"/", &Site::status},
      {"/runbooks/{name}", &Site::runbook},
      {"/livez", &Site::livez},
      {"/healthz", &Site::livez},
      {"/startupz", &Site::startupz},
      {"/readyz", &Site::readyz},
      {"/health", &Site::health},
      {"/health/db", &Site::health},
      {"/health/redis", &Site::health},
      {"/metrics", &Site::metrics},
      {"/api/v1/openapi.json", &Site::openapi},
  };
  return all;
}

std::vector<ServedRoute> Site::routes() {
  std::vector<ServedRoute> all = Admin::routes();
  for (const Page& page : pages()) all.push_back({page.path, "GET"});
  return all;
}

void Site::handle(const HttpRequest& request, HttpReply reply) {
  if (!is_expected_host(request, supervisor_.latest().config.http.hosts)) {
    return reply.send(complaint(request, kMisdirected,
                                "this machine is not known by the name in the Host header: ask by localhost or a "
                                "numeric address, or list the name in http.hosts"));
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (!reads && !is_same_origin(request)) {
    return reply.send(complaint(request, 403, "a web page from elsewhere may not give orders (Origin)"));
  }
  const Page* page = page_of(request.path);
  try {
    if (page != nullptr && reads) return (this->*page->show)(request, reply);
    if (page == nullptr && Admin::is_route(request.path)) return admin_.handle(request, std::move(reply));
  } catch (const std::invalid_argument& error) {
    return reply.send(complaint(request, 400, error.what()));
  }
  if (page == nullptr) return reply.send(complaint(request, 404, "there is no such page"));
  HttpAnswer answer = complaint(request, 405, "this page takes GET and HEAD");
  answer.allow = "GET, HEAD";
  reply.send(std::move(answer));
}

// What stands in braces is any name.
const Site::Page* Site::page_of(const std::string& path) {
  const auto fits = [&path](const Page& page) {
    const std::string_view pattern = page.path;
    const std::size_t brace = pattern.find('{');
    if (brace == std::string_view::npos) return path == pattern;
    return path.size() > brace && path.starts_with(pattern.substr(0, brace));
  };
  const auto found = std::find_if(pages().begin(), pages().end(), fits);
  return found == pages().end() ? nullptr : &*found;
}

void Site::livez(const HttpRequest& request, HttpReply& reply) {
  reply.send(sidecar::livez(recorder_.overview(), recorder_.longest_delay_ms(), verbose(request)));
}

void Site::startupz(const HttpRequest& request, HttpReply& reply) {
  reply.send(sidecar::startupz(recorder_.overview(), verbose(request)));
}

void Site::readyz(const HttpRequest& request, HttpReply& reply) {
  reply.send(sidecar::readyz(recorder_.overview(), verbose(request)));
}

void Site::health(const HttpRequest& request, HttpReply& reply) {
  const bool more = verbose(request);
  // A std::function is copied, a reply is not: it waits beside.
  const auto ticket = waiting_.insert(waiting_.end(), std::move(reply));
  probe_.ask([this, path = request.path, more, ticket](const Peers& peers) {
    const Overview overview = recorder_.overview();
    const config::Health& thresholds = supervisor_.latest().config.health;
    HttpReply mine = std::move(*ticket);
    waiting_.erase(ticket);
    if (path == "/health/db") return mine.send(health_of_database(overview, peers, thresholds));
    if (path == "/health/redis") return mine.send(health_of_redis(overview, peers, thresholds));
    mine.send(sidecar::health(overview, peers, thresholds, more));
  });
}

void Site::metrics(const HttpRequest&, HttpReply& reply) {
  reply.send({200, "text/plain; version=0.0.4; charset=utf-8",
              render_metrics(supervisor_.status(), supervisor_.in_force().config.metrics.tables)});
}

void Site::openapi(const HttpRequest&, HttpReply& reply) {
  reply.send({200, "application/json", std::string(embedded::openapi())});
}

void Site::status(const HttpRequest&, HttpReply& reply) {
  reply.send(status_page(recorder_.overview(), config::show(supervisor_.latest().config, false),
                         [](std::string_view name) { return !embedded::runbook(name).empty(); }));
}

void Site::runbook(const HttpRequest& request, HttpReply& reply) {
  const std::string_view text = embedded::runbook(request.path.substr(request.path.rfind('/') + 1));
  if (text.empty()) return reply.send({.status = 404, .body = "there is no such runbook\n"});
  reply.send({.body = std::string(text)});
}

}  // namespace walrelay::sidecar
