#include "replication/row_text.h"

namespace walrelay::replication {

Row RowText::decode(const Relation& relation, pgoutput::Tuple tuple, bool key_only, const Encoding* encoding) {
  if (tuple.size() != relation.columns.size()) fail_column_count(relation, tuple.size());
  buffer_.start(tuple.size());
  for (std::size_t i = 0; i < tuple.size(); ++i) {
    const auto& sent = tuple[i];
    switch (sent.kind) {
      case 't':
        buffer_.set_text(i, sent.bytes, encoding);
        break;
      case 'b':
        buffer_.set_binary(i, relation.columns[i], sent.bytes, encoding);
        break;
      case 'u':
        buffer_.set(i, ValueState::unchanged);
        break;
      default:
        buffer_.set(i, key_only && !relation.columns[i].identity ? ValueState::absent : ValueState::null);
        break;
    }
  }
  return buffer_.finish();
}

}  // namespace walrelay::replication
