#include "sidecar/version.h"

#include <microhttpd.h>
#include <spdlog/version.h>
#include <uv.h>

namespace walrelay::sidecar {

std::string version() { return WALRELAY_VERSION; }

std::string version_report() {
  return "walrelay " + version() + "\nrevision " + revision() + "\nlibuv " + uv_version_string() + "\nlibmicrohttpd " +
         MHD_get_version() + "\nspdlog " + std::to_string(SPDLOG_VER_MAJOR) + "." + std::to_string(SPDLOG_VER_MINOR) +
         "." + std::to_string(SPDLOG_VER_PATCH) + "\n";
}

}  // namespace walrelay::sidecar
