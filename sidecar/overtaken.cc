#include "sidecar/overtaken.h"

#include <algorithm>

namespace walrelay::sidecar {

using replication::Oid;

void Overtaken::begin(std::uint32_t xid, std::int64_t commit_time_us) {
  xid_ = xid;
  recent_.push_back({xid, commit_time_us});
  if (recent_.size() > kRemembered) recent_.pop_front();
  ++delivered_;
}

void Overtaken::touch(Oid table, std::string_view identity) {
  const auto log = logs_.find(table);
  if (log != logs_.end()) log->second.touches.push_back({xid_, false, std::string(identity), false});
}

void Overtaken::truncate(Oid table) {
  const auto log = logs_.find(table);
  if (log != logs_.end()) log->second.touches.push_back({xid_, true, {}, false});
}

void Overtaken::overtake(Oid table, std::string_view identity) {
  const auto log = logs_.find(table);
  if (log != logs_.end()) log->second.touches.push_back({xid_, false, std::string(identity), true});
}

Overtaken::ChunkId Overtaken::open(Oid table) {
  Log& log = logs_[table];
  ++log.readers;
  const ChunkId chunk = next_++;
  open_[chunk] = {table, delivered_, log.first + log.touches.size()};
  return chunk;
}

void Overtaken::close(ChunkId chunk) {
  const auto found = open_.find(chunk);
  if (found == open_.end()) return;
  const Oid table = found->second.table;
  open_.erase(found);
  Log& log = logs_[table];
  if (--log.readers == 0) {
    logs_.erase(table);
  } else {
    prune(table, log);
  }
}

void Overtaken::prune(Oid table, Log& log) {
  std::uint64_t oldest = log.first + log.touches.size();
  for (const auto& [id, open] : open_) {
    if (open.table == table) oldest = std::min(oldest, open.first);
  }
  while (log.first < oldest) {
    log.touches.pop_front();
    ++log.first;
  }
}

bool Overtaken::misses_delivered(ChunkId chunk, const replication::Snapshot& snapshot, std::int64_t now_us) const {
  const Open& open = open_.at(chunk);
  // recent_ ends with transaction number delivered_; those up to open.delivered came before the chunk.
  const std::uint64_t forgotten = delivered_ - recent_.size();
  const std::uint64_t before = open.delivered > forgotten ? open.delivered - forgotten : 0;
  for (std::uint64_t i = before; i-- > 0;) {
    const Delivered& transaction = recent_[static_cast<std::size_t>(i)];
    if (now_us - transaction.commit_time_us > kForgetAfterUs) return false;  // and so are all before it
    if (!snapshot.sees(transaction.xid)) return true;
  }
  return false;
}

void Overtaken::collect(ChunkId chunk, const replication::Snapshot& snapshot, Newer& newer, std::uint64_t& from) const {
  const Open& open = open_.at(chunk);
  const auto found = logs_.find(open.table);
  if (found == logs_.end()) return;
  const Log& log = found->second;
  std::uint64_t next = std::max(from, open.first);
  for (; next < log.first + log.touches.size(); ++next) {
    const Touch& touch = log.touches[static_cast<std::size_t>(next - log.first)];
    if (!touch.always && snapshot.sees(touch.xid)) continue;
    if (touch.truncate) {
      newer.all = true;
    } else {
      newer.rows.insert(touch.identity);
    }
  }
  from = next;
}

}  // namespace walrelay::sidecar
