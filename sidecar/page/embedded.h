// Files of this folder, and the runbooks of docs/, as they were when the program was built (embed.cmake).
#pragma once

#include <string_view>

namespace walrelay::sidecar::embedded {

std::string_view openapi();  // openapi.json
std::string_view status_html();
std::string_view status_css();
std::string_view status_js();

std::string_view runbook(std::string_view name);  // "WalrelayReplicationLag"; empty: there is none

}  // namespace walrelay::sidecar::embedded
