// Numbers as people read them, in sentences, tables and pages. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace walrelay::sidecar {

std::string readable_count(std::uint64_t count);  // "1,234,567"
std::string readable_rate(double per_second);     // "0", "0.4", "12", "1,234"
std::string readable_bytes(std::int64_t bytes);   // "512 B", "1.5 KiB", "20 MiB", "3.2 GiB"
std::string readable_duration(double seconds);    // "3 ms", "0.4 s", "12 s", "3 min 5 s", "2 h 4 min", "3 d 1 h"
std::string readable_percent(double part);        // of 1: "0 %", "0.4 %", "97 %"

}  // namespace walrelay::sidecar
