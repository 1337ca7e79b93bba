// The hot path allocates nothing once it has seen the widest row: counted, by replacing operator new in this
// executable.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "replication/copy_row.h"
#include "replication/frame.h"
#include "replication/pgoutput.h"
#include "replication/row_text.h"
#include "tests/support/bytes.h"

namespace {

std::size_t allocations = 0;

}  // namespace

// Not inlined: GCC would take the pair of malloc and delete, or new and free, for a mistake. Also the one that does not
// throw, whose memory the same delete gives back: AddressSanitizer's own would not be its pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace walrelay::replication {
namespace {

using support::Bytes;

constexpr std::size_t kRows = 100;

class Allocations : public testing::Test {
 protected:
  Allocations() {
    for (const Oid oid : {20U, 25U, 701U, 1184U, 1700U, 1009U, 3802U}) {
      RelationColumn column;
      column.type_oid = oid;
      column.type = catalog_.find(oid);
      table_.columns.push_back(column);
    }
  }

  // The second round of `work` on.
  template <class Work>
  static std::size_t count(const Work& work) {
    work();
    const auto before = allocations;
    for (std::size_t i = 0; i < kRows; ++i) work();
    return allocations - before;
  }

  TypeCatalog catalog_;
  Relation table_;
  const std::string long_text_ = std::string(5000, 'x') + "\xE9";
  const std::vector<std::string> binary_ = {
      Bytes().u64(7),
      long_text_,
      Bytes().u64(0x400921F9F01B866E),
      Bytes().u64(820'638'245'678'901),
      Bytes().u16(2).u16(0).u16(0).u16(4).u16(1).u16(2500),
      Bytes().u32(1).u32(0).u32(25).u32(2).u32(1).counted("a b").counted(long_text_),
      "\1{\"a\": \"a text that is longer than a short string\"}",
  };
};

TEST_F(Allocations, AreCounted) {
  EXPECT_EQ(count([] { ::operator delete(::operator new(1)); }), kRows) << "else the other tests say nothing";
}

TEST_F(Allocations, NoneForRowsOfTheStream) {
  const auto latin1 = Encoding::make("LATIN1");
  auto tuple = Bytes().u16(static_cast<std::uint16_t>(binary_.size()));
  for (const auto& value : binary_) tuple.binary(value);
  const auto message =
      Bytes("w").u64(1).u64(2).i64(3).raw("U").u32(1).raw("O").raw(tuple.str()).raw("N").raw(tuple.str());
  pgoutput::Decoder decoder;
  RowText old_row;
  RowText new_row;
  for (const auto* encoding : {latin1.get(), static_cast<Encoding*>(nullptr)}) {
    EXPECT_EQ(count([&] {
                const auto frame = parse_frame(message.str());
                const auto& update = std::get<pgoutput::Update>(decoder.decode(std::get<XLogData>(frame).payload));
                old_row.decode(table_, update.old_tuple, false, encoding);
                new_row.decode(table_, update.new_tuple, false, encoding);
              }),
              0U);
  }
}

TEST_F(Allocations, NoneForRowsOfCopy) {
  const std::string line = "1\ta\\tb\t\\N\t2026-01-02\t1.25\t{\\\\}\t" + long_text_ + "\n";
  CopyTextRow text_row;
  EXPECT_EQ(count([&] { text_row.decode(table_, line, nullptr); }), 0U);

  auto data = Bytes().u16(static_cast<std::uint16_t>(binary_.size()));
  for (const auto& value : binary_) data.counted(value);
  CopyBinaryRow binary_row;
  binary_row.decode(table_, Bytes(std::string_view("PGCOPY\n\377\r\n\0", 11)).u32(0).u32(0).str(), nullptr);
  EXPECT_EQ(count([&] { binary_row.decode(table_, data.str(), nullptr); }), 0U);
}

}  // namespace
}  // namespace walrelay::replication
