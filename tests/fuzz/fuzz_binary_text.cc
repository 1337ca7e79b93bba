// One value in a binary send format; the first byte chooses the type.
#include <string>

#include "replication/binary_text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_relation.h"

using namespace walrelay;
using namespace walrelay::replication;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& type = *fuzz::catalog().find(fuzz::kTypes[data[0] % std::size(fuzz::kTypes)]);
  const auto bytes = fuzz::as_text(data + 1, size - 1);
  std::string scratch = "kept";
  try {
    const auto text = binary_to_text(type, bytes, scratch);
    fuzz::read_all(text);
    fuzz::require(scratch == "kept" || scratch == "kept" + std::string(text));
    std::string again;
    fuzz::require(binary_to_text(type, bytes, again) == text);
  } catch (const ProtocolError&) {
    fuzz::require(scratch.starts_with("kept"));
  }
  return 0;
}
