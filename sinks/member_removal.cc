#include "sinks/member_removal.h"

#include <charconv>

namespace walrelay::sinks {
namespace {

std::string functions(const MemberKind& kind) {
  return std::string("local function add(key, member, value) ") + kind.lua_add +
         " end\nlocal function take(key, member) " + kind.lua_take + " end\n";
}

// A member that has one value belongs to the row that wrote it last.
std::string claim(const MemberKind& kind, const std::string& key) {
  return kind.one_supporter ? "redis.call('DEL', " + key + ")\n" : "";
}

std::string hold_body(const MemberKind& kind) {
  return functions(kind) + "if ARGV[2] == 'add' then\n" + claim(kind, "KEYS[1]") +
         R"(redis.call('SADD', KEYS[1], ARGV[1])
add(ARGV[3], ARGV[4], ARGV[5])
elseif redis.call('SREM', KEYS[1], ARGV[1]) == 1 and redis.call('EXISTS', KEYS[1]) == 0 then
take(ARGV[3], ARGV[4])
end
return 1)";
}

// Key and member stand in the hash as in the name of a support key: "<bytes of key>:<key><member>".
std::string place_body(const MemberKind& kind) {
  return functions(kind) + R"(local now = #ARGV[4] .. ':' .. ARGV[4] .. ARGV[5]
local there = ARGV[3] == 'add'
local last = redis.call('HGET', KEYS[1], ARGV[1])
if last and not (there and last == now) then
local colon = string.find(last, ':', 1, true)
local past = colon + tonumber(string.sub(last, 1, colon - 1))
local support = ARGV[2] .. last
if ARGV[2] == '' or (redis.call('SREM', support, ARGV[1]) == 1 and redis.call('EXISTS', support) == 0) then
take(string.sub(last, colon + 1, past), string.sub(last, past + 1))
end
end
if not there then return redis.call('HDEL', KEYS[1], ARGV[1]) end
redis.call('HSET', KEYS[1], ARGV[1], now)
if ARGV[2] ~= '' then
)" + claim(kind, "ARGV[2] .. now") +
         R"(redis.call('SADD', ARGV[2] .. now, ARGV[1])
end
add(ARGV[4], ARGV[5], ARGV[6])
return 1)";
}

std::string purge_body(const MemberKind& kind) {
  return functions(kind) + "if redis.call('DEL', KEYS[1]) == 1 then take(ARGV[2], ARGV[3]) end\nreturn 1";
}

constexpr std::string_view kAdd = "add", kTake = "take";

}  // namespace

MemberScripts::MemberScripts(const MemberKind& kind)
    : hold(hold_body(kind)), place(place_body(kind)), purge(purge_body(kind)) {}

std::string support_key(const std::string& prefix, std::string_view key, std::string_view member) {
  return prefix + std::to_string(key.size()) + ":" + std::string(key) + std::string(member);
}

void append_hold(const MemberScripts& scripts, std::uint32_t write, std::string_view support_key, std::string_view id,
                 bool add, const MemberPlace& place, Batch& batch) {
  batch.open_script(write, support_key, id, Effect::whole);
  batch.command(9);
  scripts.hold.begin(batch);
  batch.argument(support_key);
  batch.member(id);
  for (const std::string_view argument : {add ? kAdd : kTake, place.key, place.member, place.value}) {
    batch.argument(argument);
  }
  batch.close();
}

void append_place_tracked(const MemberScripts& scripts, std::uint32_t write, std::string_view track_key,
                          std::string_view id, std::string_view support, bool there, const MemberPlace& place,
                          Batch& batch) {
  batch.open_script(write, track_key, id, Effect::whole);
  batch.command(10);
  scripts.place.begin(batch);
  batch.argument(track_key);
  batch.member(id);
  for (const std::string_view argument : {support, there ? kAdd : kTake, place.key, place.member, place.value}) {
    batch.argument(argument);
  }
  batch.close();
}

void append_purge(const MemberScripts& scripts, std::uint32_t write, std::string_view support_key,
                  const MemberPlace& place, Batch& batch) {
  batch.open_script(write, support_key, {}, Effect::ordered);
  batch.command(7);
  scripts.purge.begin(batch);
  batch.argument(support_key);
  batch.member({});
  batch.argument(place.key);
  batch.argument(place.member);
  batch.close();
}

std::optional<MemberPlace> place_of_support_key(const std::string& prefix, std::string_view support_key) {
  if (!support_key.starts_with(prefix)) return std::nullopt;
  const std::string_view rest = support_key.substr(prefix.size());
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
  const auto colon = static_cast<std::size_t>(end - rest.data());
  if (error != std::errc() || colon >= rest.size() || rest[colon] != ':' || size > rest.size() - colon - 1) {
    return std::nullopt;
  }
  return MemberPlace{rest.substr(colon + 1, size), rest.substr(colon + 1 + size), {}};
}

MemberRemoval plain_removal(const MemberKind& kind, std::uint32_t write, KeyMatcher member) {
  return {kind.scan, [member = std::move(member)](std::string_view, std::string_view found) { return member(found); },
          [take = kind.take, write](Batch& batch, std::string_view home, std::string_view found) {
            take(write, home, found, batch);
          }};
}

MemberRemoval support_removal(const MemberScripts& scripts, std::uint32_t write, std::string prefix,
                              std::string id_prefix) {
  return {
      "SSCAN",
      [id_prefix = std::move(id_prefix)](std::string_view, std::string_view id) { return id.starts_with(id_prefix); },
      [&scripts, write, prefix = std::move(prefix)](Batch& batch, std::string_view home, std::string_view id) {
        const auto place = place_of_support_key(prefix, home);
        if (place) append_hold(scripts, write, home, id, false, *place, batch);
      }};
}

MemberRemoval track_removal(const MemberScripts& scripts, std::uint32_t write, std::string support) {
  return {"HSCAN", [](std::string_view, std::string_view) { return true; },
          [&scripts, write, support = std::move(support)](Batch& batch, std::string_view home, std::string_view id) {
            append_place_tracked(scripts, write, home, id, support, false, {}, batch);
          }};
}

}  // namespace walrelay::sinks
