#include "sidecar/seen_keys.h"

#include <algorithm>
#include <functional>
#include <random>

namespace walrelay::sidecar {

SeenKeys::SeenKeys() : buckets_(std::size_t{1} << kBucketBits) {
  std::random_device random;
  salt_ = (std::uint64_t{random()} << 32U) | random() | 1U;
}

// Multiplicative hashing: the upper bits of the product depend on all bits of the hash.
SeenKeys::Kept SeenKeys::kept(std::string_view key) const {
  const std::uint64_t product = std::hash<std::string_view>()(key) * salt_;
  return {product >> (64 - kBucketBits), static_cast<std::uint32_t>(product >> (32 - kBucketBits))};
}

void SeenKeys::add(std::string_view key) {
  if (size_ >= kMost) return;
  const auto [number, rest] = kept(key);
  auto& bucket = buckets_[number];
  if (bucket.size() == bucket.capacity()) bucket.reserve(bucket.size() + bucket.size() / 4 + 64);
  bucket.push_back(rest);
  ++size_;
}

void SeenKeys::seal() {
  for (auto& bucket : buckets_) std::sort(bucket.begin(), bucket.end());
}

bool SeenKeys::contains(std::string_view key) const {
  const auto [number, rest] = kept(key);
  const auto& bucket = buckets_[number];
  return std::binary_search(bucket.begin(), bucket.end(), rest);
}

}  // namespace walrelay::sidecar
