#include "sidecar/seen_keys.h"

#include <algorithm>
#include <functional>

namespace walrelay::sidecar {

void SeenKeys::add(std::string_view key) {
  if (size_ >= kMost) return;
  const std::uint64_t hash = std::hash<std::string_view>()(key);
  auto& bucket = buckets_[hash % kBuckets];
  if (bucket.size() == bucket.capacity()) bucket.reserve(bucket.size() + bucket.size() / 4 + 64);
  bucket.push_back(hash);
  ++size_;
}

void SeenKeys::seal() {
  for (auto& bucket : buckets_) std::sort(bucket.begin(), bucket.end());
}

bool SeenKeys::contains(std::string_view key) const {
  const std::uint64_t hash = std::hash<std::string_view>()(key);
  const auto& bucket = buckets_[hash % kBuckets];
  return std::binary_search(bucket.begin(), bucket.end(), hash);
}

}  // namespace walrelay::sidecar
