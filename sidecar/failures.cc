#include "sidecar/failures.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace walrelay::sidecar {

namespace {

using Entry = std::pair<std::string_view, std::string_view>;

constexpr std::array<Entry, 13> kRunbooks = {{
    {"gap", "WalrelayCacheGap"},
    {"configuration", "WalrelayConfigReloadFailed"},
    {"reload", "WalrelayConfigReloadFailed"},
    {"job", "WalrelaySnapshotFailed"},
    {"load", "WalrelaySnapshotFailed"},
    {"differences", "WalrelayCacheDrift"},
    {"FENCED", "WalrelayMultipleLeaders"},
    {"OOM", "WalrelayRedisMemoryHigh"},
    {"connection lost", "WalrelayDisconnected"},
    {"authentication", "WalrelayDisconnected"},
    {"CONNECT", "WalrelayDisconnected"},
    {"LOST", "WalrelayDisconnected"},
    {"refused", "WalrelayRedisErrors"},
}};

// "MISCONF", "WRONGTYPE": what Redis begins its errors with.
bool is_redis_code(std::string_view reason) {
  return reason.size() > 1 &&
         std::all_of(reason.begin(), reason.end(), [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
}

}  // namespace

std::string runbook_of(const std::string& reason) {
  const auto found =
      std::find_if(kRunbooks.begin(), kRunbooks.end(), [&](const Entry& entry) { return entry.first == reason; });
  if (found != kRunbooks.end()) return std::string(found->second);
  return is_redis_code(reason) ? "WalrelayRedisErrors" : "";
}

void Failures::note(const std::string& reason, const std::string& sentence, std::int64_t now_us) {
  const auto same = std::find_if(latest_.begin(), latest_.end(), [&](const Failure& failure) {
    return failure.reason == reason && failure.sentence == sentence;
  });
  Failure failure{reason, sentence, now_us, now_us, 1};
  if (same != latest_.end()) {
    failure.first_us = same->first_us;
    failure.count = same->count + 1;
    latest_.erase(same);
  }
  latest_.push_front(std::move(failure));
  if (latest_.size() > kMost) latest_.pop_back();
}

}  // namespace walrelay::sidecar
