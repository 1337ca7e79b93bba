// One CopyData of the replication stream: a frame or a ProtocolError, nothing else.
#include <variant>

#include "replication/frame.h"
#include "tests/fuzz/fuzz.h"

using namespace walrelay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::as_text(data, size);
  try {
    const auto frame = replication::parse_frame(bytes);
    if (const auto* message = std::get_if<replication::XLogData>(&frame)) {
      fuzz::require(message->payload.size() + 25 == size);
    } else {
      const auto& keepalive = std::get<replication::Keepalive>(frame);
      // A status with the same positions and time has the same bytes in the same places.
      const auto status =
          replication::encode_status(keepalive.end, {}, {}, keepalive.send_time_us, keepalive.reply_requested);
      fuzz::require(status.substr(1, 8) == bytes.substr(1, 8) && status.substr(25) == bytes.substr(9));
    }
  } catch (const replication::ProtocolError&) {
  }
  return 0;
}
