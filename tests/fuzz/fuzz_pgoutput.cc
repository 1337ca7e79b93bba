// One message of pgoutput, and its rows: decoded or refused with a ProtocolError; and what is accepted is accepted only
// whole.
#include <string>
#include <variant>

#include "replication/pgoutput.h"
#include "replication/relation_message.h"
#include "replication/row_text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_relation.h"

using namespace walrelay;
using replication::ProtocolError;
using namespace replication::pgoutput;

namespace {

bool is_refused(std::string_view bytes) {
  Decoder decoder;
  try {
    decoder.decode(bytes);
  } catch (const ProtocolError&) {
    return true;
  }
  return false;
}

void decode_row(Tuple tuple, bool key_only) {
  static const auto latin1 = replication::Encoding::make("LATIN1");
  replication::RowText row;
  const auto relation = fuzz::relation(tuple.size());
  for (const bool convert : {false, true}) {
    try {
      for (const auto& value : row.decode(relation, tuple, key_only, convert ? latin1.get() : nullptr)) {
        fuzz::require(value.has_text() || value.text.empty());
        fuzz::read_all(value.text);
      }
    } catch (const ProtocolError&) {
    }
  }
}

struct Follow {
  void operator()(const Insert& message) const { decode_row(message.new_tuple, false); }
  void operator()(const Update& message) const {
    decode_row(message.old_tuple, message.old_kind == 'K');
    decode_row(message.new_tuple, false);
  }
  void operator()(const Delete& message) const { decode_row(message.old_tuple, message.old_kind == 'K'); }
  void operator()(const RelationMessage& message) const {
    fuzz::require(replication::make_relation(message)->columns.size() == message.columns.size());
  }
  void operator()(const auto&) const {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::as_text(data, size);
  Decoder decoder;
  try {
    std::visit(Follow{}, decoder.decode(bytes));
  } catch (const ProtocolError&) {
    return 0;
  }
  fuzz::require(is_refused(bytes.substr(0, size - 1)));
  fuzz::require(is_refused(std::string(bytes) + '\0'));
  return 0;
}
