// The status in the words of Prometheus. Names and units: docs/metrics.md. Nothing is counted here: a scrape reads the
// status and renders it, so the hot path knows of no metrics library.
#pragma once

#include <string>

#include "sidecar/status.h"

namespace walrelay::sidecar {

// Text exposition format 0.0.4. `tables_at_most`: further tables are summed under "__other__".
std::string render_metrics(const Status& status, std::size_t tables_at_most = 200);

std::int64_t resident_bytes();  // of this process, from /proc; 0 where there is none

}  // namespace walrelay::sidecar
