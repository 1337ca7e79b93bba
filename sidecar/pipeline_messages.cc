// Messages that an application writes into the server's log for us: pg_logical_emit_message(..., 'walrelay', ...).
//
//   transactional      a part of its transaction, counted like a row: a transaction that was cut goes on behind it
//   not transactional  between transactions, at a position of its own: one of its own for the sink
//
// Whatever such a message says, the stream goes on: what is not understood is refused, with its position.
#include "sidecar/pipeline.h"
#include "sinks/bookkeeping.h"
#include "sinks/emitted_message.h"

namespace walrelay::sidecar {

using replication::Lsn;
using replication::Position;
namespace pgoutput = replication::pgoutput;

namespace {

constexpr auto kMessages = static_cast<std::uint32_t>(sinks::Bookkeeping::messages);

}  // namespace

void Pipeline::take(const pgoutput::LogicalMessage& message) {
  if (message.prefix != sinks::kMessagePrefix || !is_new(message)) return;
  const bool asked = carry_out(message);
  if (message.transactional) {
    wrote_ = wrote_ || asked;
    if (asked) sink_.row(here());
    return;
  }
  // The record ends somewhere behind its first byte, and the next one begins behind that.
  const Lsn behind{value(message.position) + 1};
  processed_ = std::max(processed_, behind);
  committed_ = std::max(committed_, behind);
  if (asked) {
    last_commit_ = behind;
    sink_.row({behind, Lsn::invalid, 0});
    sink_.commit(behind, clock_.now_us());
  } else {
    sink_.advance(behind);
  }
  if (on_processed) on_processed();
}

bool Pipeline::is_new(const pgoutput::LogicalMessage& message) {
  if (!message.transactional) return message.position >= options_.verified.committed;
  ++changes_;
  if (!in_transaction_) throw replication::ProtocolError("the stream carries a message outside its transaction");
  return !skipping_ && changes_ > skip_changes_;
}

// False: it asks for nothing.
bool Pipeline::carry_out(const pgoutput::LogicalMessage& message) {
  if (message.content.empty()) return false;
  std::string_view content = message.content;
  if (options_.encoding != nullptr) {
    content_.clear();
    options_.encoding->append_utf8(content, content_);
    content = content_;
  }
  ++counters_.messages;
  const std::string mistake = sinks::append_emitted(content, kMessages, options_.again_key, sink_.batch());
  if (mistake.empty()) return true;
  ++counters_.refused_messages;
  if (on_refused_message) {
    on_refused_message("the message that the server's log carries at " + to_string(message.position) +
                       " is left out: " + mistake);
  }
  return false;
}

}  // namespace walrelay::sidecar
