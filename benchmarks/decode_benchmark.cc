// From the bytes of a CopyData to a row of values, six columns as in the whole-system benchmark: the time of one row,
// and how many rows and columns a second.
#include <benchmark/benchmark.h>

#include "replication/binary_text.h"
#include "replication/copy_row.h"
#include "replication/frame.h"
#include "replication/pgoutput.h"
#include "replication/row_text.h"
#include "tests/support/bytes.h"

namespace walrelay::replication {
namespace {

using support::Bytes;

constexpr std::size_t kColumns = 6;
constexpr Oid kTypes[kColumns] = {20, 25, 23, 701, 1184, 16};

const TypeCatalog& catalog() {
  static const TypeCatalog catalog;
  return catalog;
}

Relation make_table() {
  Relation table;
  table.schema = "public";
  table.name = "t";
  for (const Oid oid : kTypes) {
    RelationColumn column;
    column.type_oid = oid;
    column.type = catalog().find(oid);
    table.columns.push_back(std::move(column));
  }
  return table;
}

std::string xlog_data(const Bytes& message) {
  return Bytes("w").u64(0x16B374D848).u64(0x16B374D848).u64(800'000'000'000'000).raw(message.str());
}

const std::string kTextRow = xlog_data(Bytes("I")
                                           .u32(16384)
                                           .raw("N")
                                           .u16(kColumns)
                                           .text("1234567")
                                           .text("a name of ordinary length")
                                           .text("42")
                                           .text("3.14159")
                                           .text("2026-01-02 03:04:05.678901+00")
                                           .text("t"));

const std::string kBinaryRow = xlog_data(Bytes("I")
                                             .u32(16384)
                                             .raw("N")
                                             .u16(kColumns)
                                             .binary(Bytes().u64(1234567).str())
                                             .binary("a name of ordinary length")
                                             .binary(Bytes().u32(42).str())
                                             .binary(Bytes().u64(0x400921F9F01B866E).str())
                                             .binary(Bytes().u64(820'638'245'678'901).str())
                                             .binary("\1"));

void count(benchmark::State& state, const std::string& bytes) {
  const auto rows = static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(rows);
  state.SetBytesProcessed(rows * static_cast<std::int64_t>(bytes.size()));
  state.counters["per_column"] =
      benchmark::Counter(static_cast<double>(rows * std::int64_t{kColumns}),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);  // seconds
}

void decode_message(benchmark::State& state, const std::string& bytes) {
  pgoutput::Decoder decoder;
  for (auto _ : state) {
    const auto frame = parse_frame(bytes);
    benchmark::DoNotOptimize(decoder.decode(std::get<XLogData>(frame).payload));
  }
  count(state, bytes);
}

void decode_row(benchmark::State& state, const std::string& bytes, const char* server_encoding) {
  const auto table = make_table();
  const auto encoding = Encoding::make(server_encoding);
  pgoutput::Decoder decoder;
  RowText row;
  for (auto _ : state) {
    const auto frame = parse_frame(bytes);
    const auto& insert = std::get<pgoutput::Insert>(decoder.decode(std::get<XLogData>(frame).payload));
    benchmark::DoNotOptimize(row.decode(table, insert.new_tuple, false, encoding.get()).data());
  }
  count(state, bytes);
}

void copy_text(benchmark::State& state, const std::string& line) {
  const auto table = make_table();
  CopyTextRow row;
  for (auto _ : state) benchmark::DoNotOptimize(row.decode(table, line, nullptr).data());
  count(state, line);
}

void copy_binary(benchmark::State& state) {
  const auto table = make_table();
  CopyBinaryRow row;
  row.decode(table, Bytes(std::string_view("PGCOPY\n\377\r\n\0", 11)).u32(0).u32(0).str(), nullptr);
  const std::string bytes = Bytes()
                                .u16(kColumns)
                                .counted(Bytes().u64(1234567).str())
                                .counted("a name of ordinary length")
                                .counted(Bytes().u32(42).str())
                                .counted(Bytes().u64(0x400921F9F01B866E).str())
                                .counted(Bytes().u64(820'638'245'678'901).str())
                                .counted("\1");
  for (auto _ : state) benchmark::DoNotOptimize(row.decode(table, bytes, nullptr)->data());
  count(state, bytes);
}

void one_binary_value(benchmark::State& state, Oid oid, const std::string& bytes) {
  const auto& type = *catalog().find(oid);
  std::string scratch;
  for (auto _ : state) {
    scratch.clear();
    benchmark::DoNotOptimize(binary_to_text(type, bytes, scratch).data());
  }
}

BENCHMARK_CAPTURE(decode_message, text, kTextRow);
BENCHMARK_CAPTURE(decode_message, binary, kBinaryRow);
BENCHMARK_CAPTURE(decode_row, text, kTextRow, "UTF8");
BENCHMARK_CAPTURE(decode_row, text_latin1, kTextRow, "LATIN1");
BENCHMARK_CAPTURE(decode_row, binary, kBinaryRow, "UTF8");
BENCHMARK_CAPTURE(copy_text, plain,
                  "1234567\ta name of ordinary length\t42\t3.14159\t2026-01-02 03:04:05.678901+00\tt\n");
BENCHMARK_CAPTURE(copy_text, escaped,
                  "1234567\ta name\\nof two lines\t42\t3.14159\t2026-01-02 03:04:05.678901+00\t\\N\n");
BENCHMARK(copy_binary);
BENCHMARK_CAPTURE(one_binary_value, bigint, 20, Bytes().u64(1234567));
BENCHMARK_CAPTURE(one_binary_value, float8, 701, Bytes().u64(0x400921F9F01B866E));
BENCHMARK_CAPTURE(one_binary_value, timestamptz, 1184, Bytes().u64(820'638'245'678'901));
BENCHMARK_CAPTURE(one_binary_value, numeric, 1700, Bytes().u16(3).u16(1).u16(0).u16(2).u16(123).u16(4567).u16(8900));
BENCHMARK_CAPTURE(one_binary_value, uuid, 2950, std::string(16, '\x5A'));

}  // namespace
}  // namespace walrelay::replication

BENCHMARK_MAIN();
