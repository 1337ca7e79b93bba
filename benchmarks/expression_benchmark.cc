// What expressions cost a row: three over three columns, lets that use each other, JSON, and a row with unknown
// columns.
#include <benchmark/benchmark.h>

#include <string>
#include <utility>
#include <vector>

#include "sinks/expressions.h"

namespace {

using namespace walrelay;
using replication::Relation;
using replication::Value;
using replication::ValueState;
using Lets = std::vector<std::pair<std::string, std::string>>;
using Texts = std::vector<std::string>;

Relation meters() {
  static const replication::TypeCatalog catalog;
  const std::vector<std::pair<std::string, replication::Oid>> columns{
      {"id", 20},        {"index_name", 25},   {"granularity", 25}, {"epoch_value", 20},
      {"is_leased", 16}, {"enqueue_at", 1184}, {"amount", 1700},    {"config", 3802}};
  Relation relation;
  relation.schema = "public";
  relation.name = "meters";
  for (const auto& [name, oid] : columns) {
    relation.columns.push_back({name, oid, -1, name == "id", name == "id", catalog.find(oid)});
  }
  return relation;
}

std::vector<Value> row() {
  std::vector<Value> values;
  for (const char* const text : {"4711", "energy", "MONTH", "20515", "f", "2026-02-05 10:00:00.5+00", "12.50",
                                 R"({"retention.policy": "30d", "owner": {"name": "Ann", "roles": ["a", "b"]}})"}) {
    values.push_back({ValueState::text, text});
  }
  return values;
}

void evaluate(benchmark::State& state, const Lets& lets, const Texts& texts, const std::vector<Value>& values) {
  const Relation relation = meters();
  sinks::Expressions expressions(relation, {{"queue", "q1"}}, lets);
  for (const std::string& text : texts) expressions.add(text);
  expressions.compile();
  for (auto _ : state) benchmark::DoNotOptimize(expressions.evaluate(values, sinks::Expressions::Side::now).data());
  state.SetItemsProcessed(state.iterations());
}

const Texts kThree{"floordiv(epoch_value, 180)", "lower(granularity)", "NOT is_leased AND enqueue_at IS NULL"};

void three_expressions(benchmark::State& state) { evaluate(state, {}, kThree, row()); }
BENCHMARK(three_expressions);

void one_expression(benchmark::State& state) { evaluate(state, {}, {"NOT is_leased"}, row()); }
BENCHMARK(one_expression);

void lets(benchmark::State& state) {
  evaluate(state,
           {{"size", "CASE granularity WHEN 'DAY' THEN 180 WHEN 'MONTH' THEN 6 ELSE 1 END"},
            {"part", "floordiv(epoch_value, size)"}},
           {"epoch_value - part * size", "queue || ':' || part"}, row());
}
BENCHMARK(lets);

void times(benchmark::State& state) { evaluate(state, {}, {"epoch_ms(enqueue_at)", "rfc3339(enqueue_at)"}, row()); }
BENCHMARK(times);

void json(benchmark::State& state) {
  evaluate(state, {}, {"config->>'retention.policy'", "config->'owner'->>'name'"}, row());
}
BENCHMARK(json);

void json_each(benchmark::State& state) {
  evaluate(state, {}, {"(SELECT group_concat(value) FROM json_each(config, '$.owner.roles'))"}, row());
}
BENCHMARK(json_each);

void three_expressions_one_unknown(benchmark::State& state) {
  auto values = row();
  values[2].state = ValueState::unchanged;
  evaluate(state, {}, kThree, values);
}
BENCHMARK(three_expressions_one_unknown);

void bind_and_compile(benchmark::State& state) {
  const Relation relation = meters();
  for (auto _ : state) {
    sinks::Expressions expressions(relation, {}, {{"part", "floordiv(epoch_value, 180)"}});
    for (const std::string& text : kThree) expressions.add(text);
    expressions.compile();
    benchmark::DoNotOptimize(expressions.empty());
  }
}
BENCHMARK(bind_and_compile);

}  // namespace

BENCHMARK_MAIN();
