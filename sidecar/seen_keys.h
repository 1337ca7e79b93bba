// The keys of the rows that a job has read, so that its sweep need not ask PostgreSQL about them. Pure.
//
// Such a key is no ghost, also later: when its row goes, the stream says so and removes the key. Kept as 64-bit hashes:
// that two keys of a million share one happens once in thirty million jobs, and then a ghost stays until the next one.
// Bounded: what comes after kMost is forgotten, and asked about.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace walrelay::sidecar {

class SeenKeys {
 public:
  static constexpr std::size_t kMost = 3000000;  // 24 MB

  void add(std::string_view key);
  void seal();  // before contains(): nothing is added any more
  [[nodiscard]] bool contains(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kBuckets = 1024;  // small ones, so that no large one has to grow
  std::array<std::vector<std::uint64_t>, kBuckets> buckets_;
  std::size_t size_ = 0;
};

}  // namespace walrelay::sidecar
