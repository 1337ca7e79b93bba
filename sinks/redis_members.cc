#include "sinks/redis_members.h"

#include <roaring/roaring.h>

#include <memory>

namespace walrelay::sinks {
namespace {

using Members = OwnedKeys::Members;

const char* const kCount = "1000";
constexpr std::size_t kPiece = 4096;  // bytes of a bitmap: at most 32,768 bits

std::vector<std::string> values_of(const std::string& text) {
  std::vector<std::string> values;
  const std::unique_ptr<roaring_bitmap_t, void (*)(const roaring_bitmap_t*)> bitmap(
      roaring_bitmap_portable_deserialize_safe(text.data(), text.size()), roaring_bitmap_free);
  if (bitmap == nullptr) return values;
  const auto note = [](std::uint32_t value, void* to) {
    static_cast<std::vector<std::string>*>(to)->push_back(std::to_string(value));
    return true;
  };
  roaring_iterate(bitmap.get(), note, &values);
  return values;
}

}  // namespace

event::Task<std::vector<std::string>> RedisMembers::next() {
  std::vector<std::string> command;
  switch (members_) {
    case Members::fields:
      command = {"HSCAN", key_, cursor_, "COUNT", kCount};
      break;
    case Members::set:
      command = {"SSCAN", key_, cursor_, "COUNT", kCount};
      break;
    case Members::zset:
      command = {"ZSCAN", key_, cursor_, "COUNT", kCount};
      break;
    case Members::bits:
      command = {"GETRANGE", key_, std::to_string(offset_), std::to_string(offset_ + kPiece - 1)};
      break;
    case Members::roaring:
      command = {"GET", key_};
      break;
    case Members::none:
      break;
  }
  auto asking = ask(std::move(command));
  const Reply reply = co_await std::move(asking);
  if (ended_) co_return {};
  if (members_ == Members::bits) co_return bits(reply.text);
  if (members_ != Members::roaring) co_return scanned(reply);
  ended_ = true;
  co_return values_of(reply.text);
}

event::Task<Reply> RedisMembers::ask(std::vector<std::string> command) {
  auto asking = connection_.command(std::move(command));
  Reply reply;
  try {
    reply = co_await std::move(asking);
  } catch (const RedisError& error) {
    ended_ = error.code() == "WRONGTYPE";
    if (!ended_) throw;
  }
  co_return reply;
}

std::vector<std::string> RedisMembers::scanned(const Reply& reply) {
  if (reply.elements.size() != 2) throw RedisError("LOST", connection_.name() + " answered a scan with no cursor");
  cursor_ = reply.elements[0].text;
  ended_ = cursor_ == "0";
  std::vector<std::string> found;
  const auto& elements = reply.elements[1].elements;
  for (std::size_t i = 0; i < elements.size(); i += members_ == Members::set ? 1 : 2) found.push_back(elements[i].text);
  return found;
}

std::vector<std::string> RedisMembers::bits(const std::string& piece) {
  constexpr std::size_t kBits = 8;
  std::vector<std::string> found;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    for (std::size_t bit = 0; bit < kBits; ++bit) {
      const bool set = ((static_cast<unsigned char>(piece[i]) >> (kBits - 1 - bit)) & 1U) != 0;
      if (set) found.push_back(std::to_string((offset_ + i) * kBits + bit));
    }
  }
  offset_ += piece.size();
  ended_ = piece.size() < kPiece;
  return found;
}

}  // namespace walrelay::sinks
