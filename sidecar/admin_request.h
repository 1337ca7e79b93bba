// What a request to the routes of admin.h says. Each throws std::invalid_argument with a sentence for a 400.
#pragma once

#include <cstdint>
#include <string>

#include "sidecar/admin.h"

namespace walrelay::sidecar {

struct Admin::Route {
  std::string mapping;
  JobKind kind = JobKind::rebuild;
  enum class Part : std::uint8_t { all, partition, status } part = Part::all;
};

std::string parameter(const HttpRequest& request, const std::string& name, const std::string& otherwise = "");
bool flag(const HttpRequest& request, const std::string& name);
// "5s", "250ms"; a bare number is seconds. At most a minute.
std::int64_t duration_ms(const HttpRequest& request, const std::string& name, std::int64_t otherwise);

}  // namespace walrelay::sidecar
