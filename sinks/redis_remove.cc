// TRUNCATE: every key of a mapping goes, in order, as part of the transaction that said so.
//
//   keys in Redis            SCAN on a second connection, so that the open MULTI of a long transaction stays open
//   keys in the filling one  Batch::each_key()
//   keys in an open MULTI    nobody can list them, so the flight has kept them: HandedKeys. Where there were too many
//   of
//                            them, the MULTI is cut first
//
// The UNLINKs stand in the filling batch like any command, and stream and are cut like those of a long transaction: a
// part of a removal may be repeated. A cut names the position *before* the row that asked for the removal. What repeats
// the last owner's batch is never cut: a reader has seen its end already.
#include <algorithm>

#include "event/crash_point.h"
#include "sinks/redis_scan.h"
#include "sinks/redis_sink_state.h"

namespace walrelay::sinks {
namespace {

constexpr std::size_t kKeysPerCommand = 512;
constexpr std::size_t kScanCount = 1000;

}  // namespace

void RedisSink::State::start_removal() {
  if (!removing || (removal_job != nullptr && !removal_job->finished())) return;
  removal_job = std::make_unique<event::Job>(loop, remove_all(), [this](const std::exception_ptr& why) {
    if (why) return fail(why);
    end_removal();
  });
}

event::Task<> RedisSink::State::remove_all() {
  auto opening = open_side(scanner, "scan");
  co_await std::move(opening);
  while (!failed && !removal.owned.empty()) {
    Removal asked = std::exchange(removal, {});
    auto settling = settle();
    co_await std::move(settling);
    remove_filling(asked);
    auto removing_handed_over = remove_handed_over(asked);
    co_await std::move(removing_handed_over);
    auto scan_through = scan(asked);
    co_await std::move(scan_through);
  }
}

// Waits until what may leave is in Redis, where SCAN finds it.
event::Task<> RedisSink::State::settle() {
  while (!failed) {
    if (current != nullptr && current->torn && current->keys.given_up()) {
      hand_over();
      cut(before_removal);
    }
    pump();
    const bool stays = current == nullptr || current->torn || !reached(current->end);
    if (executing == nullptr && stays) co_return;
    changed.reset();
    co_await changed;
  }
}

// How the write's members are removed; null: its keys go as a whole.
const MemberRemoval* RedisSink::State::removal_of(const Removal& asked, std::uint32_t write) {
  for (const OwnedKeys& owned : asked.owned) {
    if (owned.write == write && owned.removal) return &*owned.removal;
  }
  return nullptr;
}

void RedisSink::State::remove_filling(const Removal& asked) {
  for (const std::uint32_t write : asked.writes) {
    std::vector<std::pair<std::string, std::string>> places;
    filling.each_key(write,
                     [&places](std::string_view key, std::string_view member) { places.emplace_back(key, member); });
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    const MemberRemoval* members = removal_of(asked, write);
    for (const auto& [key, member] : places) {
      if (members != nullptr) {
        members->append(filling, key, member);
        continue;
      }
      filling.open(write, key, Effect::remove);
      filling.command(2);
      filling.argument("UNLINK");
      filling.argument(key);
      filling.close();
    }
  }
}

event::Task<> RedisSink::State::remove_handed_over(const Removal& asked) {
  if (failed || current == nullptr) co_return;
  HandedKeys places = current->keys.of(asked.writes);
  for (auto some = places.next(kKeysPerCommand); !failed && !some.empty(); some = places.next(kKeysPerCommand)) {
    std::vector<std::string_view> keys;
    for (const Batch::Place& place : some) {
      if (const MemberRemoval* members = removal_of(asked, place.write)) {
        members->append(filling, place.key, place.member);
      } else {
        keys.push_back(place.key);
      }
    }
    remove_keys(keys, asked.writes.front());
    auto making_room = make_room();
    co_await std::move(making_room);
  }
}

event::Task<> RedisSink::State::scan(Removal& asked) {
  const std::vector<OwnedKeys>& owned = asked.owned;
  std::set<std::string> globs;
  for (const OwnedKeys& some : owned) globs.insert(some.glob);
  RedisScan scanning(loop, *scanner, globs, kScanCount);
  while (!failed && !scanning.ended()) {
    auto turning = scanning.next();
    const std::vector<std::string> page = co_await std::move(turning);
    event::crash_point();
    std::vector<std::string_view> keys;
    for (const std::string& key : page) {
      bool whole = false;
      for (const OwnedKeys& some : owned) {
        if (some.state != is_bookkeeping(key) || !some.owns(key)) continue;
        whole = whole || !some.removal;
        if (!some.removal) continue;
        auto scanning_members = scan_members(*some.removal, key);
        co_await std::move(scanning_members);
      }
      if (whole) keys.emplace_back(key);
    }
    remove_keys(keys, asked.writes.empty() ? 0 : asked.writes.front());
    auto making_room = make_room();
    co_await std::move(making_room);
  }
}

event::Task<> RedisSink::State::scan_members(const MemberRemoval& members, std::string home) {
  const bool pairs = std::string_view(members.scan) != "SSCAN";
  std::string cursor = "0";
  do {
    auto scanning_on = scanner->command({members.scan, home, cursor, "COUNT", std::to_string(kScanCount)});
    const Reply page = co_await std::move(scanning_on);
    if (page.elements.size() != 2) throw RedisError("LOST", connection.name() + " answered a scan with no cursor");
    cursor = page.elements[0].text;
    const auto& found = page.elements[1].elements;
    for (std::size_t i = 0; i < found.size(); i += pairs ? 2 : 1) {
      if (members.owns(home, found[i].text)) members.append(filling, home, found[i].text);
    }
    auto making_room = make_room();
    co_await std::move(making_room);
  } while (!failed && cursor != "0");
}

void RedisSink::State::remove_keys(const std::vector<std::string_view>& keys, std::uint32_t write) {
  for (std::size_t at = 0; at < keys.size(); at += kKeysPerCommand) {
    const std::size_t count = std::min(kKeysPerCommand, keys.size() - at);
    filling.open(write, keys[at], Effect::ordered);
    filling.command(1 + count);
    filling.argument("UNLINK");
    for (std::size_t i = at; i < at + count; ++i) filling.argument(keys[i]);
    filling.close();
  }
}

// Keeps memory bounded: what was found streams into the open MULTI, and is cut where that becomes too long.
event::Task<> RedisSink::State::make_room() {
  if (failed || filling.bytes() < segment) co_return;
  while (!failed && current != nullptr && !current->torn && reached(current->end)) {  // a cut that has not left yet
    changed.reset();
    co_await changed;
    pump();
  }
  if (failed) co_return;
  hand_over();
  const std::size_t most = options.careful ? options.flush.max_bytes : options.flush.max_transaction;
  if (current->bytes >= most && reached(before_removal)) cut(before_removal);
  while (!failed && held() >= options.flush.max_bytes) {
    changed.reset();
    co_await changed;
  }
}

void RedisSink::State::end_removal() {
  if (failed) return;
  if (!removal.owned.empty()) return start_removal();  // asked for meanwhile
  removing = false;
  if (filled.committed && !open && current != nullptr && current->torn) hand_over();
  // The row that asked for it, and its commit, are still to come: nothing leaves alone before they had their chance.
  constexpr event::milliseconds kGrace{200};
  if (!filled.committed && !open) record_timer.start(kGrace);
  became_emptier();
  writable.schedule();
  pump();
}

}  // namespace walrelay::sinks
