// Rows of COPY. The first byte says how to read the rest: its lowest bit binary or text, the next one with or without a
// conversion, the others how many columns; in binary several CopyData follow each other, each with a length byte.
#include <memory>

#include "replication/copy_row.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_relation.h"

using namespace walrelay;
using namespace walrelay::replication;

namespace {

void check(Row row, const Relation& relation) {
  fuzz::require(row.size() == relation.columns.size());
  for (const auto& value : row) {
    fuzz::require(value.state == ValueState::text || value.state == ValueState::null);
    fuzz::read_all(value.text);
  }
}

void decode_text(const Relation& relation, std::string_view line, const Encoding* encoding) {
  CopyTextRow decoder;
  check(decoder.decode(relation, line, encoding), relation);
}

void decode_binary(const Relation& relation, std::string_view stream, const Encoding* encoding) {
  CopyBinaryRow decoder;
  while (!stream.empty()) {
    const auto size = static_cast<std::size_t>(static_cast<unsigned char>(stream.front()));
    const auto copy_data = stream.substr(1, size);
    stream.remove_prefix(1 + copy_data.size());
    if (const auto row = decoder.decode(relation, copy_data, encoding)) check(*row, relation);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto euc_jp = Encoding::make("EUC_JP");
  if (size == 0) return 0;
  const unsigned how = data[0];
  const auto bytes = fuzz::as_text(data + 1, size - 1);
  const auto* encoding = (how & 2U) != 0 ? euc_jp.get() : nullptr;
  const auto relation = fuzz::relation(how >> 2);
  try {
    if ((how & 1U) != 0) {
      decode_binary(relation, bytes, encoding);
    } else {
      decode_text(relation, bytes, encoding);
    }
  } catch (const ProtocolError&) {
  }
  return 0;
}
