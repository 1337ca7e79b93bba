// The page at "/": the overview for people. Complete in itself: style and script stand in it, and its policy allows
// these two, by their digests, and nothing else. Drawn anew for every request; the script fetches it again and again.
#pragma once

#include <string>
#include <string_view>

#include "sidecar/http.h"
#include "sidecar/overview.h"

namespace walrelay::sidecar {

// `configuration`: as text, secrets hidden. `has_runbook`: whether there is one of this name to be linked to.
HttpAnswer status_page(const Overview& overview, const std::string& configuration,
                       bool (*has_runbook)(std::string_view name));

}  // namespace walrelay::sidecar
