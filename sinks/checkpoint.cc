#include "sinks/checkpoint.h"

#include <charconv>
#include <stdexcept>

namespace walrelay::sinks {
namespace {

using replication::Lsn;
using replication::Position;
using Fields = std::map<std::string, std::string>;

template <typename Number>
std::optional<Number> number_from(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

[[noreturn]] void unreadable(const std::string& field, const std::string& why) {
  throw std::runtime_error("the checkpoint's field \"" + field + "\" " + why +
                           "; another program may have written the key: delete it to load everything again");
}

const std::string& text_of(const Fields& fields, const std::string& name) {
  const auto found = fields.find(name);
  if (found == fields.end()) unreadable(name, "is missing");
  return found->second;
}

template <typename Value>
Value readable(const std::string& name, const std::optional<Value>& value) {
  if (!value) unreadable(name, "cannot be read");
  return *value;
}

std::string slot_key(std::string_view slot, std::string_view name) {
  return "walrelay:{" + std::string(slot) + "}:" + std::string(name);
}

}  // namespace

std::string checkpoint_key(std::string_view slot) { return slot_key(slot, "checkpoint"); }
std::string fence_key(std::string_view slot) { return slot_key(slot, "fence"); }
std::string load_key(std::string_view slot) { return slot_key(slot, "load"); }
std::string reread_key(std::string_view slot) { return slot_key(slot, "reread"); }
std::string dead_letter_key(std::string_view slot) { return slot_key(slot, "dead"); }
std::string jobs_key(std::string_view slot) { return slot_key(slot, "jobs"); }
std::string again_key(std::string_view slot) { return slot_key(slot, "again"); }
std::string mappings_key(std::string_view slot) { return slot_key(slot, "mappings"); }
std::string tables_key(std::string_view slot) { return slot_key(slot, "tables"); }
std::string state_prefix(std::string_view slot) { return slot_key(slot, ""); }
bool is_bookkeeping(std::string_view key) { return key.starts_with("walrelay:{"); }

std::string to_field(const Position& position) {
  std::string text = to_string(position.committed);
  if (position.open_commit == Lsn::invalid) return text;
  return text + "+" + to_string(position.open_commit) + ":" + std::to_string(position.changes);
}

std::optional<Position> position_from_field(std::string_view text) {
  const std::size_t plus = text.find('+');
  const auto committed = replication::parse_lsn(text.substr(0, plus));
  if (!committed) return std::nullopt;
  if (plus == std::string_view::npos) return Position{*committed, Lsn::invalid, 0};
  const std::string_view open = text.substr(plus + 1);
  const std::size_t colon = open.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto commit = replication::parse_lsn(open.substr(0, colon));
  const auto changes = number_from<std::uint64_t>(open.substr(colon + 1));
  if (!commit || *commit == Lsn::invalid || !changes) return std::nullopt;
  return Position{*committed, *commit, *changes};
}

Fields to_fields(const Checkpoint& checkpoint) {
  return {{"verified", to_field(checkpoint.verified)},     {"sent", to_field(checkpoint.sent)},
          {"system", checkpoint.origin.system_identifier}, {"timeline", std::to_string(checkpoint.origin.timeline)},
          {"database", checkpoint.origin.database},        {"slot_incarnation", checkpoint.origin.slot_incarnation},
          {"epoch", std::to_string(checkpoint.epoch)},     {"phase", checkpoint.phase}};
}

std::optional<Checkpoint> checkpoint_from_fields(const Fields& fields) {
  if (fields.empty()) return std::nullopt;
  Checkpoint checkpoint;
  checkpoint.verified = readable("verified", position_from_field(text_of(fields, "verified")));
  checkpoint.sent = readable("sent", position_from_field(text_of(fields, "sent")));
  checkpoint.origin.system_identifier = text_of(fields, "system");
  checkpoint.origin.timeline = readable("timeline", number_from<std::uint32_t>(text_of(fields, "timeline")));
  checkpoint.origin.database = text_of(fields, "database");
  checkpoint.origin.slot_incarnation = text_of(fields, "slot_incarnation");
  checkpoint.epoch = readable("epoch", number_from<std::uint64_t>(text_of(fields, "epoch")));
  checkpoint.phase = text_of(fields, "phase");
  if (checkpoint.phase != "load" && checkpoint.phase != "stream") unreadable("phase", "is neither load nor stream");
  return checkpoint;
}

}  // namespace walrelay::sinks
