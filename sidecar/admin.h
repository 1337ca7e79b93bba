// What may be asked and ordered over HTTP under /api/v1, in the routes and words of the systems that walrelay serves.
//
//   POST   /api/v1/admin/index/{mapping}/reindex                 202 RUNNING; 409 with the job that runs already
//   POST   /api/v1/admin/index/{mapping}/reindex/partition?...   200 when done within `wait` (30 s), else 202
//   GET    /api/v1/admin/index/{mapping}/reindex/status          the latest job, or the one that the parameters name
//   DELETE /api/v1/admin/index/{mapping}/reindex                 cancels
//   the same under .../verify (POST ?sample=10&repair=true, GET .../verify/status, DELETE)
//   POST   /api/v1/admin/reload                                  reads the configuration again: 200 with what changed,
//                                                                400 with the mistakes, and all stays as it is
//   POST   /api/v1/admin/dlq/replay?id=1700000000000-0           200 when that dead letter's row is noted to be read
//                                                                again, and the letter is gone; 503 not now
//   PUT    /api/v1/admin/log-level?level=debug                   until the configuration is read again; GET says which
//   GET    /api/v1/status                                        what is going on
//   GET    /api/v1/config                                        the configuration in force as YAML, secrets hidden
//   GET    /api/v1/wait?lsn=0/1A2B3C4&timeout=5s                 200 as soon as Redis holds that; 504 when not in time
//   GET    /api/v1/wait?caught_up=true&timeout=5s
//
// Orders need a token or the loopback (http_access.h). An unknown mapping is 404, an unknown parameter 400.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "event/loop.h"
#include "sidecar/http.h"
#include "sidecar/job.h"
#include "sidecar/recorder.h"
#include "sidecar/reload.h"
#include "sidecar/supervisor.h"

namespace walrelay::sidecar {

// A path and the methods that it takes, "POST, DELETE".
struct ServedRoute {
  std::string path, methods;
};

class Admin {
 public:
  // All outlive this.
  Admin(event::Loop& loop, Supervisor& supervisor, Reloader& reloader, Recorder& recorder);
  ~Admin();
  Admin(const Admin&) = delete;
  Admin& operator=(const Admin&) = delete;

  static bool is_route(const std::string& path) { return path.starts_with("/api/v1/"); }
  void handle(const HttpRequest& request, HttpReply reply);
  static std::vector<ServedRoute> routes();

 private:
  struct Route;
  struct Ending;
  struct Waiter {
    HttpReply reply;
    std::int64_t deadline_ms;
    std::string slice;                         // a job's end, or
    bool begun = false;                        // that Redis has noted it, or
    std::optional<replication::Lsn> position;  // that Redis holds this; neither: it holds everything
    Supervisor::Everything everything = {};
  };

  static const std::vector<Ending>& endings();
  static std::optional<Route> route_of(const std::string& path);
  // Why who asks may not act; nothing: he may.
  [[nodiscard]] std::optional<HttpAnswer> refusal(const HttpRequest& request) const;
  HttpAnswer reload(const HttpRequest& request);
  void replay(const HttpRequest& request, HttpReply reply);
  HttpAnswer log_level(const HttpRequest& request);
  HttpAnswer act(const Route& route, const HttpRequest& request, HttpReply& reply, bool& later);
  HttpAnswer begin(const Route& route, const HttpRequest& request, HttpReply& reply, bool& later);
  HttpAnswer report(const Route& route, const HttpRequest& request);
  HttpAnswer cancel(const Route& route, const HttpRequest& request);
  HttpAnswer config();
  HttpAnswer status();
  void wait(const HttpRequest& request, HttpReply& reply);
  // The job that a request names. Throws what is wrong with it, for a 400.
  Job job_of(const Route& route, const HttpRequest& request);
  [[nodiscard]] bool is_reached(Waiter& waiter);
  void answer(Waiter& waiter, bool in_time);
  void keep(Waiter waiter);
  void look();

  Supervisor& supervisor_;
  Reloader& reloader_;
  Recorder& recorder_;
  std::list<Waiter> waiters_;
  event::Timer timer_;
};

}  // namespace walrelay::sidecar
