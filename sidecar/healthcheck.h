// `walrelay healthcheck`: one question to the walrelay that runs, one exit code. A container engine asks it every few
// seconds, so nothing is loaded or connected but what the question needs.
#pragma once

#include <chrono>
#include <string>

#include "sidecar/policy.h"

namespace walrelay::sidecar {

struct HealthQuestion {
  std::string url;                       // "http://127.0.0.1:9847"
  bool ready = false;                    // /readyz, else /livez
  std::chrono::milliseconds timeout{0};  // for everything together
};

// 0: the answer is a 2xx, and stands on stdout. 1: it is another, or there is none; why is on stderr.
ExitCode healthcheck(const HealthQuestion& question);

}  // namespace walrelay::sidecar
