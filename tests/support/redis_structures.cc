#include "tests/support/redis_structures.h"

#include <roaring/roaring.h>

namespace walrelay::support {
namespace {

Members bits_of(const std::string& text) {
  Members found;
  for (std::size_t i = 0; i < text.size() * 8; ++i) {
    if (((static_cast<unsigned char>(text[i / 8]) >> (7 - i % 8)) & 1U) != 0) found[std::to_string(i)] = "";
  }
  return found;
}

Members roaring_of(const std::string& text) {
  Members found;
  roaring_bitmap_t* bitmap = roaring_bitmap_portable_deserialize_safe(text.data(), text.size());
  if (bitmap == nullptr) return {{"no RoaringBitmap", ""}};
  // What an unchanged library writes of the same values.
  std::string again(roaring_bitmap_portable_size_in_bytes(bitmap), '\0');
  roaring_bitmap_portable_serialize(bitmap, again.data());
  if (again != text) found["serialised otherwise"] = "";
  roaring_iterate(
      bitmap,
      [](std::uint32_t value, void* to) {
        (*static_cast<Members*>(to))[std::to_string(value)] = "";
        return true;
      },
      &found);
  roaring_bitmap_free(bitmap);
  return found;
}

Members members_of(RedisClient& redis, const std::string& key) {
  const std::string type = redis.command("TYPE", key);
  Members found;
  if (type == "set") {
    for (const auto& member : redis.call({"SMEMBERS", key}).elements) found[member.text] = "";
  } else if (type == "zset") {
    const auto all = redis.call({"ZRANGE", key, "0", "-1", "WITHSCORES"}).elements;
    for (std::size_t i = 0; i + 1 < all.size(); i += 2) found[all[i].text] = all[i + 1].text;
  } else if (type == "hash") {
    return redis.hgetall(key);
  } else if (type == "string") {
    const std::string text = redis.call({"GET", key}).text;
    if (key.find(":bits:") != std::string::npos) return bits_of(text);
    if (key.find(":roaring:") != std::string::npos) return roaring_of(text);
    found[""] = text;
  } else if (type == "ReJSON-RL") {
    found[""] = redis.call({"JSON.GET", key}).text;
  }
  return found;
}

}  // namespace

Structures structures(RedisClient& redis, const std::string& pattern) {
  Structures found;
  for (const std::string& key : redis.keys(pattern)) found[key] = members_of(redis, key);
  return found;
}

std::string difference(const Structures& found, const Structures& expected) {
  for (const auto& [key, members] : expected) {
    const auto there = found.find(key);
    if (there == found.end()) return "key \"" + key + "\" is missing";
    for (const auto& [member, value] : members) {
      const auto at = there->second.find(member);
      if (at == there->second.end()) return "\"" + member + "\" is missing in \"" + key + "\"";
      if (at->second != value) {
        return "\"" + member + "\" in \"" + key + "\" is \"" + at->second + "\", expected \"" + value + "\"";
      }
    }
    for (const auto& [member, value] : there->second) {
      if (!members.contains(member)) return "\"" + member + "\" in \"" + key + "\" has no row";
    }
  }
  for (const auto& [key, members] : found) {
    if (!expected.contains(key)) return "key \"" + key + "\" has no row";
  }
  return "";
}

}  // namespace walrelay::support
