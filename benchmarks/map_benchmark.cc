// What mapping a row costs: six columns to a hash, a JSON string, a delete, and an update under FULL identity.
// `allocations` counts calls of operator new per row once the batch has its size: it should be nothing.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "sinks/json_value.h"
#include "sinks/mapping.h"

namespace {

std::uint64_t allocations = 0;

}  // namespace

// Not inlined: GCC would see free() on a pointer from new and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace walrelay;
using replication::Change;
using replication::Operation;
using replication::Relation;
using replication::Value;
using replication::ValueState;

replication::TypeCatalog& catalog() {
  static replication::TypeCatalog all;
  return all;
}

Relation orders() {
  const std::vector<std::pair<std::string, replication::Oid>> columns{
      {"id", 20}, {"customer_id", 23}, {"status", 25}, {"amount", 1700}, {"updated_at", 1184}, {"note", 25}};
  Relation relation;
  relation.schema = "public";
  relation.name = "orders";
  for (const auto& [name, oid] : columns) {
    relation.columns.push_back({name, oid, -1, name == "id", name == "id", catalog().find(oid)});
  }
  return relation;
}

// 1,000 rows with different keys.
class Rows {
 public:
  Rows() {
    for (int i = 0; i < 1000; ++i) {
      texts_.push_back({std::to_string(1000000 + i), std::to_string(4000 + i % 77), i % 2 == 0 ? "shipped" : "open",
                        std::to_string(i) + ".2500", "2024-01-02 03:04:05.678901+00",
                        "a note of forty characters or thereabout"});
    }
    for (const auto& row : texts_) {
      auto& values = rows_.emplace_back();
      for (const std::string& text : row) values.push_back({ValueState::text, text});
    }
  }
  [[nodiscard]] const std::vector<std::vector<Value>>& all() const { return rows_; }

 private:
  std::vector<std::vector<std::string>> texts_;
  std::vector<std::vector<Value>> rows_;
};

sinks::WriteSpec write(const std::string& kind, const std::string& key) {
  sinks::WriteSpec spec{kind, {}, ""};
  if (!key.empty()) spec.parameters["key"].text = key;
  return spec;
}

std::vector<sinks::MappingSpec> mapped(sinks::WriteSpec spec) {
  sinks::MappingSpec mapping;
  mapping.name = "orders";
  mapping.table = "public.orders";
  mapping.writes.push_back(std::move(spec));
  return {mapping};
}

template <typename MakeChange>
void apply(benchmark::State& state, std::vector<sinks::MappingSpec> specs, const Relation& relation,
           const MakeChange& make_change) {
  const Rows rows;
  sinks::MappingSet set(std::move(specs));
  const auto writer = set.bind(relation);
  sinks::Batch batch;
  std::uint64_t before = 0;
  for (auto _ : state) {
    for (const auto& row : rows.all()) writer->apply(make_change(relation, row), true, batch);
    benchmark::DoNotOptimize(batch.take().data());
    batch.clear();
    if (before == 0) before = allocations;
  }
  const auto count = state.iterations() * static_cast<std::int64_t>(rows.all().size());
  state.SetItemsProcessed(count);
  state.counters["allocations"] = static_cast<double>(allocations - before) / static_cast<double>(count);
}

Change inserted(const Relation& relation, const std::vector<Value>& row) {
  return {Operation::insert, &relation, row, {}, false};
}
Change removed(const Relation& relation, const std::vector<Value>& row) {
  return {Operation::remove, &relation, {}, row, false};
}
Change updated(const Relation& relation, const std::vector<Value>& row) {
  return {Operation::update, &relation, row, row, true};
}

void hash_insert(benchmark::State& state) { apply(state, mapped(write("hash", "order:{id}")), orders(), inserted); }
BENCHMARK(hash_insert);

void default_mapping_insert(benchmark::State& state) { apply(state, {}, orders(), inserted); }
BENCHMARK(default_mapping_insert);

void hash_delete(benchmark::State& state) { apply(state, mapped(write("hash", "order:{id}")), orders(), removed); }
BENCHMARK(hash_delete);

void hash_update_full(benchmark::State& state) {
  Relation relation = orders();
  relation.identity = replication::ReplicaIdentity::full;
  for (auto& column : relation.columns) column.identity = true;
  apply(state, mapped(write("hash", "order:{id}")), relation, updated);
}
BENCHMARK(hash_update_full);

void json_insert(benchmark::State& state) { apply(state, mapped(write("string", "order:{id}")), orders(), inserted); }
BENCHMARK(json_insert);

void string_insert(benchmark::State& state) {
  auto spec = write("string", "order:{id}");
  spec.parameters["column"].text = "note";
  apply(state, mapped(spec), orders(), inserted);
}
BENCHMARK(string_insert);

void hash_replace(benchmark::State& state) {
  const Rows rows;
  const Relation relation = orders();
  sinks::MappingSet set(mapped(write("hash", "order:{id}")));
  const auto writer = set.bind(relation);
  sinks::Batch batch;
  for (auto _ : state) {
    for (const auto& row : rows.all()) writer->replace(row, state.range(0) != 0, batch);
    benchmark::DoNotOptimize(batch.take().data());
    batch.clear();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.all().size()));
}
BENCHMARK(hash_replace)->ArgName("fresh")->Arg(0)->Arg(1);

void jsonb_document(benchmark::State& state) {
  std::string document = "{";
  for (int i = 0; static_cast<std::int64_t>(document.size()) < state.range(0); ++i) {
    document +=
        "\"field_" + std::to_string(i) + "\": {\"name\": \"some text\", \"value\": " + std::to_string(i) + ".25}, ";
  }
  document += "\"last\": null}";
  sinks::JsonValues values;
  std::string out;
  const auto* jsonb = catalog().find(3802);
  for (auto _ : state) {
    out.clear();
    values.append(jsonb, document, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(document.size()));
}
BENCHMARK(jsonb_document)->Arg(50)->Arg(500)->Arg(50000);

void key_is_owned(benchmark::State& state) {
  const Relation relation = orders();
  sinks::MappingSet set(mapped(write("hash", "order:{id}")));
  const auto writer = set.bind(relation);
  const auto& owned = writer->owned().front();
  const std::string key = "order:1234567";
  for (auto _ : state) benchmark::DoNotOptimize(owned.owns(key));
}
BENCHMARK(key_is_owned);

}  // namespace

BENCHMARK_MAIN();
