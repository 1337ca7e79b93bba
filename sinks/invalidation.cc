#include "sinks/invalidation.h"

#include <algorithm>

#include "sinks/glob_match.h"

namespace walrelay::sinks {
namespace {

constexpr char kPattern = 'p', kPatternAgain = 'g', kKeyAgain = 'k';

// Redis' clock, in milliseconds. Two commands that are not of one transaction never see the same microsecond, so a note
// that was made anew has another score.
constexpr const char* kNow = R"(local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
)";

constexpr const char* kNote = R"(local due = now + ARGV[1]
local noted = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not noted or tonumber(noted) < due then redis.call('ZADD', KEYS[1], string.format('%.3f', due), ARGV[2]) end
return 1)";

constexpr const char* kTurn = R"(for i = 2, #ARGV, 2 do
local noted = redis.call('ZSCORE', KEYS[1], ARGV[i])
if noted and tonumber(noted) == tonumber(ARGV[i + 1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
local till = string.format('%.3f', now)
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', till, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
if #due > 0 then return {0, due} end
local later = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if #later == 0 then return {-1, due} end
return {math.ceil(later[2] - now), due})";

}  // namespace

InvalidationScripts::InvalidationScripts() : note(std::string(kNow) + kNote), turn(std::string(kNow) + kTurn) {}

const InvalidationScripts& invalidation_scripts() {
  static const InvalidationScripts scripts;
  return scripts;
}

void Invalidation::key(std::string_view key, Batch& batch) const {
  static const std::string kUnlink = resp::bulk("UNLINK");
  batch.open(write_, key, Effect::remove);
  batch.command(2);
  batch.rendered(kUnlink);
  batch.argument(key);
  batch.close();
  batch.invalidations().count(mapping_, 1, 0);
  if (again_after_.count() > 0) note(kKeyAgain, key, again_after_, batch);
}

void Invalidation::pattern(std::string_view glob, Batch& batch) const {
  if (const auto literal = Glob(glob).literal()) return key(*literal, batch);
  note(kPattern, glob, std::chrono::milliseconds(0), batch);
  batch.invalidations().count(mapping_, 0, 1);
  if (again_after_.count() > 0) note(kPatternAgain, glob, again_after_, batch);
}

void Invalidation::note(char what, std::string_view text, std::chrono::milliseconds delay, Batch& batch) const {
  std::string member(1, what);
  member.append(text);
  batch.open_script(write_, again_key_, member, Effect::whole);
  batch.command(6);
  invalidation_scripts().note.begin(batch);
  batch.argument(again_key_);
  batch.argument(std::to_string(delay.count()));
  batch.member(member);
  batch.close();
  batch.invalidations().due_in(delay);
}

}  // namespace walrelay::sinks
