// The blocks of the status page, for status_page.cc. Each gives HTML in which every text is escaped.
#pragma once

#include <string>
#include <string_view>

#include "sidecar/overview.h"

namespace walrelay::sidecar {

std::string figures_html(const Overview& overview);
std::string load_html(const Overview& overview);  // empty unless existing rows are being read
std::string errors_html(const Overview& overview, bool (*has_runbook)(std::string_view name));
std::string mappings_html(const Overview& overview);
std::string slot_html(const Overview& overview);
std::string positions_html(const Overview& overview);

}  // namespace walrelay::sidecar
