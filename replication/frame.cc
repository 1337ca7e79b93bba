#include "replication/frame.h"

#include "replication/server_time.h"

namespace walrelay::replication {
namespace {

void append_u64(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

}  // namespace

Frame parse_frame(std::string_view copy_data) {
  Reader in(copy_data, "replication frame");
  switch (in.letter()) {
    case 'w': {
      XLogData data;
      data.start = in.lsn();
      data.end = in.lsn();
      data.send_time_us = unix_from_postgres_us(in.i64());
      data.payload = in.take_rest();
      return data;
    }
    case 'k': {
      Keepalive keepalive;
      keepalive.end = in.lsn();
      keepalive.send_time_us = unix_from_postgres_us(in.i64());
      const auto reply = in.u8();
      if (reply > 1) in.fail("asks for a reply in an unknown way");
      keepalive.reply_requested = reply == 1;
      in.expect_end();
      return keepalive;
    }
    default:
      in.fail("is of an unknown kind");
  }
}

std::string encode_status(Lsn written, Lsn flushed, Lsn applied, std::int64_t now_us, bool reply_requested) {
  std::string out;
  out.reserve(34);
  out.push_back('r');
  append_u64(out, value(written));
  append_u64(out, value(flushed));
  append_u64(out, value(applied));
  append_u64(out, static_cast<std::uint64_t>(postgres_from_unix_us(now_us)));
  out.push_back(reply_requested ? '\1' : '\0');
  return out;
}

}  // namespace walrelay::replication
