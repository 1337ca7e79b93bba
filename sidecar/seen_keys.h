// The keys of the rows that a job has read, so that its sweep need not ask PostgreSQL about them. Pure.
//
// Such a key is no ghost, also later: when its row goes, the stream says so and removes the key. Kept as 44 bits of a
// hash, 12 of them where it is kept: of three million ghosts beside kMost keys one is taken for a key, and stays until
// the next job, which has another hash. Bounded: what comes after kMost is forgotten, and asked about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace walrelay::sidecar {

class SeenKeys {
 public:
  static constexpr std::size_t kMost = 6000000;  // 24 MB

  SeenKeys();
  void add(std::string_view key);
  void seal();  // before contains(): nothing is added any more
  [[nodiscard]] bool contains(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Kept {
    std::size_t bucket;
    std::uint32_t rest;
  };
  static constexpr unsigned kBucketBits = 12;  // many small ones, so that no large one has to grow
  [[nodiscard]] Kept kept(std::string_view key) const;

  std::uint64_t salt_;  // odd
  std::vector<std::vector<std::uint32_t>> buckets_;
  std::size_t size_ = 0;
};

}  // namespace walrelay::sidecar
