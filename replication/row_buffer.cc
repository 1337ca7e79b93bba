#include "replication/row_buffer.h"

#include "replication/binary_text.h"
#include "replication/reader.h"

namespace walrelay::replication {
namespace {

constexpr std::size_t kKeptBytes = 1 << 20;  // one row of a gigabyte shall not occupy the memory for ever

void forget(std::string& text) {
  if (text.capacity() > kKeptBytes) {
    text = std::string();
  } else {
    text.clear();
  }
}

}  // namespace

void RowBuffer::start(std::size_t columns) {
  values_.resize(columns);
  owned_.resize(columns);
  forget(arena_);
  forget(unconverted_);
  owned_count_ = 0;
}

void RowBuffer::set_binary(std::size_t column, const RelationColumn& what, std::string_view bytes,
                           const Encoding* encoding) {
  if (what.type == nullptr) {
    throw ProtocolError("PostgreSQL sent column " + what.name + " in binary, but its type, OID " +
                        std::to_string(what.type_oid) + ", is not known.");
  }
  const auto offset = arena_.size();
  const auto text = binary_to_text(*what.type, bytes, arena_);
  if (arena_.size() == offset) return set_text(column, text, encoding);
  if (encoding != nullptr) return set_from_arena(column, offset, encoding);
  own(column, offset);
}

void RowBuffer::set_from_arena(std::size_t column, std::size_t offset, const Encoding* encoding) {
  const auto text = std::string_view(arena_).substr(offset);
  if (encoding != nullptr && !is_ascii(text)) {
    unconverted_.assign(text);
    arena_.resize(offset);
    encoding->append_utf8(unconverted_, arena_);
  }
  own(column, offset);
}

void RowBuffer::set_converted(std::size_t column, std::string_view text, const Encoding& encoding) {
  const auto offset = arena_.size();
  encoding.append_utf8(text, arena_);
  own(column, offset);
}

Row RowBuffer::finish() {
  for (std::size_t i = 0; i < owned_count_; ++i) {
    const auto& [column, offset, size] = owned_[i];
    values_[column].text = {arena_.data() + offset, size};
  }
  return values_;
}

void fail_column_count(const Relation& relation, std::size_t columns) {
  throw ProtocolError("PostgreSQL sent a row of " + std::to_string(columns) + " columns for " + relation.qualified() +
                      ", which has " + std::to_string(relation.columns.size()) + ".");
}

}  // namespace walrelay::replication
