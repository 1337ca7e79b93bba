// What the protocol and the batch cost: numbers, bulk strings, entries with and without coalescing.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "sinks/batch.h"
#include "sinks/resp.h"

namespace {

using namespace walrelay::sinks;

void put_number(benchmark::State& state) {
  char text[resp::kHeaderRoom];
  const auto number = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(resp::put_number(text, number));
}
BENCHMARK(put_number)->Arg(7)->Arg(42)->Arg(1234567);

void put_bulk(benchmark::State& state) {
  const std::string value(static_cast<std::size_t>(state.range(0)), 'v');
  std::vector<char> text(resp::bulk_room(value.size()));
  for (auto _ : state) {
    benchmark::DoNotOptimize(resp::put_bulk(text.data(), value));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(put_bulk)->Arg(8)->Arg(64)->Arg(4096);

std::vector<std::string> keys(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back("user:" + std::to_string(1000000 + i));
  return all;
}

// 1,000 entries of SET, over so many different keys: with few of them nearly all are killed.
void batch_of_sets(benchmark::State& state) {
  constexpr std::size_t kEntries = 1000;
  const auto names = keys(static_cast<std::size_t>(state.range(0)));
  const std::string set = resp::bulk("SET");
  Batch batch;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kEntries; ++i) {
      const std::string& key = names[i % names.size()];
      batch.open(1, key, Effect::whole);
      batch.command(3);
      batch.rendered(set);
      batch.argument(key);
      batch.argument("value");
      batch.close();
    }
    benchmark::DoNotOptimize(batch.take().data());
    batch.clear();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEntries));
}
BENCHMARK(batch_of_sets)->Arg(1000)->Arg(10);

// The same without the table of keys: the difference is what coalescing costs.
void batch_of_ordered_sets(benchmark::State& state) {
  constexpr std::size_t kEntries = 1000;
  const auto names = keys(kEntries);
  const std::string set = resp::bulk("SET");
  Batch batch;
  for (auto _ : state) {
    for (const std::string& key : names) {
      batch.open(1, key, Effect::ordered);
      batch.command(3);
      batch.rendered(set);
      batch.argument(key);
      batch.argument("value");
      batch.close();
    }
    benchmark::DoNotOptimize(batch.take().data());
    batch.clear();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEntries));
}
BENCHMARK(batch_of_ordered_sets);

}  // namespace

BENCHMARK_MAIN();
