// The pages that probes and load balancers ask for. Pure: what is known goes in, the answer comes out.
//
//   /livez /startupz   200 while the loop turns: it is the loop that answers, so a stuck one answers nobody, and the
//   probe's
//                      own time-out says so. Neither looks at PostgreSQL or Redis: a restart would not mend them. Both
//                      stay 200 while the process drains.
//   /readyz            200 when every table was read and the stream runs
//   /health ...        in the words of services that had these routes before: 200, or 503 naming the side that is away
#pragma once

#include <cstdint>

#include "config/config.h"
#include "sidecar/http.h"
#include "sidecar/overview.h"
#include "sidecar/peer_probe.h"

namespace walrelay::sidecar {

bool is_ready(const Status& status);

// With `verbose`, one line for each thing that was looked at.
HttpAnswer livez(const Overview& overview, std::int64_t longest_delay_ms, bool verbose);
HttpAnswer startupz(const Overview& overview, bool verbose);
HttpAnswer readyz(const Overview& overview, bool verbose);

// {"status":"degraded","database":"postgresql:ok","cache":"redis:error"}; more of it with `verbose`. The thresholds are
// told beside the figures, for whoever reads them: only a side that is away makes a 503.
HttpAnswer health(const Overview& overview, const Peers& peers, const config::Health& thresholds, bool verbose);
HttpAnswer health_of_database(const Overview& overview, const Peers& peers, const config::Health& thresholds);
HttpAnswer health_of_redis(const Overview& overview, const Peers& peers, const config::Health& thresholds);

}  // namespace walrelay::sidecar
