// Everything that is served over HTTP: which path takes which method, and who may ask at all.
//
//   request ─> Host, Origin ─> path ─> method ─> page | Admin (orders, status) ─> answer
//
// docs/http.md and the OpenAPI document (page/openapi.json) list the same; a test compares.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "event/loop.h"
#include "sidecar/admin.h"
#include "sidecar/http.h"
#include "sidecar/peer_probe.h"
#include "sidecar/recorder.h"
#include "sidecar/reload.h"
#include "sidecar/supervisor.h"

namespace walrelay::sidecar {

class Site {
 public:
  // All outlive this.
  Site(event::Loop& loop, Supervisor& supervisor, Reloader& reloader, Recorder& recorder);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void handle(const HttpRequest& request, HttpReply reply);
  [[nodiscard]] Overview overview() { return recorder_.overview(); }  // as the page shows it now

  // "/livez" and "GET", "/api/v1/admin/index/{mapping}/reindex" and "POST, DELETE" ... HEAD goes with every GET.
  static std::vector<ServedRoute> routes();

 private:
  struct Page;
  static const std::vector<Page>& pages();
  // Each takes the reply only where it answers later.
  void livez(const HttpRequest& request, HttpReply& reply);
  void startupz(const HttpRequest& request, HttpReply& reply);
  void readyz(const HttpRequest& request, HttpReply& reply);
  void health(const HttpRequest& request, HttpReply& reply);
  void metrics(const HttpRequest& request, HttpReply& reply);
  void openapi(const HttpRequest& request, HttpReply& reply);
  void status(const HttpRequest& request, HttpReply& reply);
  void runbook(const HttpRequest& request, HttpReply& reply);
  static const Page* page_of(const std::string& path);

  Supervisor& supervisor_;
  std::list<HttpReply> waiting_;  // for the probe; goes after it
  Recorder& recorder_;
  PeerProbe probe_;
  Admin admin_;
};

}  // namespace walrelay::sidecar
