// What every fuzz target is: called by libFuzzer, or by replay_main.cc with the files of a corpus. Returns 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace walrelay::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
}

// A property that must hold whatever the input is.
inline void require(bool holds) {
  if (!holds) std::abort();
}

// Touches every byte, so that AddressSanitizer sees a view of memory that is gone.
inline void read_all(std::string_view text) {
  volatile unsigned sum = 0;
  for (const char c : text) sum = sum + static_cast<unsigned char>(c);
}

}  // namespace walrelay::fuzz
