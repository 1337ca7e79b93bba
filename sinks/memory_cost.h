// What the keys of one write will take in Redis' memory: an estimate, made of what it says of a sample of the rows.
// Pure.
//
//   expect(row) of some rows ──add()──> sizes, encodings, how often a key and a member came ──bytes(scale)──> of all
//   rows
//
// The sizes are those of Redis 7's own structures with jemalloc, as its sources have them (dict.h, sds.h, object.c,
// listpack.c, t_zset.c) and its default limits of the compact encodings: in a listpack 512 fields of a hash or 128
// members of a sorted set, of up to 64 bytes each; in an intset 512 numbers. Redis 6 and 8 differ by a few bytes an
// entry. Where rows share keys their number is guessed from the sample as ANALYZE guesses n_distinct. Measured with
// Redis 7.0 (20,000 rows): within a sixth, bitmaps within a third.
//
// Not counted: what walrelay keeps of its own for shared and tracked rows, documents, streams, and the server's own
// memory with nothing in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "sinks/expectation.h"

namespace walrelay::sinks {

class MemoryCost {
 public:
  // What the write makes of one row of the sample; one that is skipped, or makes nothing, costs nothing.
  void add(const Expectation& expected);
  // `scale`: the table's rows for each one of the sample.
  [[nodiscard]] double bytes(double scale) const;

 private:
  using Type = Expectation::Type;
  struct Shared {  // a key that rows share
    std::size_t rows = 0;
    std::uint64_t largest = 0;  // offset or value
  };
  void add_member(const Expectation& expected);
  [[nodiscard]] double members(double keys, double places) const;
  [[nodiscard]] double numbers(double keys, double places) const;

  Type type_ = Type::none;
  double rows_ = 0, whole_ = 0;  // keys of one row
  std::unordered_map<std::string, Shared> keys_;
  std::unordered_map<std::string, std::size_t> places_;
  double key_bytes_ = 0;                       // of the sample's keys, each once
  double compact_bytes_ = 0, full_bytes_ = 0;  // of its members, each once, in either encoding
  std::size_t longest_ = 0;
  bool numbers_only_ = true;
};

// How many different ones a table has of which a sample has met `met`, each as often as the map says (Haas and Stokes'
// Duj1, as ANALYZE uses it).
double all_different(double met, double met_once, double sampled, double scale);

}  // namespace walrelay::sinks
