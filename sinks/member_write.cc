#include "sinks/member_write.h"

#include <algorithm>

#include "sinks/glob.h"
#include "sinks/key_rules.h"
#include "sinks/member_removal.h"
#include "sinks/place.h"
#include "sinks/row_identity.h"

namespace walrelay::sinks {

using replication::Row;
using replication::ValueState;

namespace {

// One template of both, for the inverse.
BoundTemplate joined(const BoundTemplate& key, const BoundTemplate& member) {
  std::vector<BoundTemplate::Part> parts = key.parts();
  std::string literal = key.tail() + kPlaceSeparator;
  for (BoundTemplate::Part part : member.parts()) {
    part.literal.insert(0, literal);
    literal.clear();
    parts.push_back(std::move(part));
  }
  return {std::move(parts), literal + member.tail()};
}

std::vector<std::size_t> columns_of(const BoundTemplate& text) {
  std::vector<std::size_t> columns;
  for (const auto& part : text.parts()) columns.push_back(part.column);
  return columns;
}

std::vector<std::size_t> all_of(std::vector<std::size_t> columns, const BoundTemplate& place, const Condition& when) {
  for (const std::size_t column : columns_of(place)) columns.push_back(column);
  if (when.column()) columns.push_back(*when.column());
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

}  // namespace

MemberWrite::MemberWrite(const BindContext& context, const MemberKind& kind, const MemberScripts& scripts,
                         BoundTemplate member, std::vector<std::size_t> value_columns)
    : kind_(kind),
      scripts_(scripts),
      when_(context),
      key_(context.bind("key")),
      member_(std::move(member)),
      both_(joined(key_, member_)),
      inverse_(both_, context.relation.columns.size()),
      reads_(context.reads(both_)),
      place_columns_(with_condition(context, reads_, when_)),
      inputs_(context.reads(all_of(std::move(value_columns), both_, when_))),
      number_(context.number),
      site_(context.site()),
      id_prefix_(context.relation.qualified() + "\n"),
      identity_(identity_columns(context.relation)),
      is_identity_(context.relation.columns.size()) {
  for (const std::size_t column : identity_) is_identity_[column] = true;
  named_columns_ = columns_of(both_);
  for (const std::size_t column : named_columns_) column_names_.push_back(context.name_of(column));
  const bool tracked = context.find("track") != nullptr;
  check_member_rules(context, reads_, tracked);
  if (are_shared(context, reads_)) support_ = support_prefix(context);
  if (tracked) track_ = track_key(context);
}

MemberWrite::~MemberWrite() = default;

bool MemberWrite::prepare(Row before, Row now, bool keep_unchanged) {
  before_ = before;
  now_ = now;
  remove_old_ = there_ = no_place_ = still_ = false;
  known_ = true;
  if (!now.empty() && before.empty() && keep_unchanged && stays(now)) {
    still_ = true;
    return true;
  }
  const Presence presence = now.empty() ? Presence::no : when_.of(now);
  there_ = presence == Presence::yes;
  const auto left_out = [now](std::size_t column) { return now[column].state == ValueState::unchanged; };
  known_ =
      presence == Presence::no || (presence == Presence::yes && std::none_of(inputs_.begin(), inputs_.end(), left_out));
  std::size_t missing = 0;
  if (there_ && known_) {
    make_place(now);
    value_.clear();
    append_value(now, value_);
  } else if (!now.empty() && known_) {
    no_place_ = !render(now, place_, missing);
  }
  make_id(now.empty() ? before : now, id_);
  if (before.empty()) return known_;
  make_id(before, old_id_);
  const bool other_row = old_id_ != id_;  // its identity has changed
  if (track_.empty()) {
    remove_old_ = render(before, old_, missing) && !(there_ && known_ && !other_row && old_ == place_);
  } else {
    remove_old_ = other_row;
  }
  return known_;
}

// An UPDATE without an old row changed no column of the identity. Where what it left out (unchanged TOAST) is all else
// that the entry is made of, the entry stays as it is.
bool MemberWrite::stays(Row row) const {
  bool unknown = false;
  for (const std::size_t column : inputs_) {
    const bool unchanged = row[column].state == ValueState::unchanged;
    unknown = unknown || unchanged;
    if (!unchanged && !is_identity_[column]) return false;
  }
  return unknown;
}

bool MemberWrite::render(Row row, Place& place, std::size_t& missing) const {
  place.key.clear();
  place.member.clear();
  auto without = key_.render(row, place.key);
  if (!without) without = member_.render(row, place.member);
  if (without) missing = *without;
  return !without;
}

void MemberWrite::make_place(Row row) {
  std::size_t missing = 0;
  if (render(row, place_, missing)) return check_member(place_.member);
  const auto at = std::find(named_columns_.begin(), named_columns_.end(), missing) - named_columns_.begin();
  const std::string& name = column_names_[static_cast<std::size_t>(at)];
  if (row[missing].state == ValueState::null) {
    throw RowError(site_ + ": " + name + " is NULL in a row, and its key or member cannot be made; leave such rows " +
                   "out with \"when\"");
  }
  throw RowError(site_ + ": PostgreSQL did not send " + name +
                 ", which the key or the member is made of; set the table's REPLICA IDENTITY to FULL");
}

void MemberWrite::check_member(std::string_view) const {}

void MemberWrite::make_id(Row row, std::string& id) const {
  if (support_.empty() && track_.empty()) return;
  id = id_prefix_;
  append_row_identity(row, identity_, id);
}

void MemberWrite::remove_old(Batch& batch) {
  if (still_) return;
  if (remove_old_ && track_.empty()) take(old_, old_id_, batch);
  if (remove_old_ && !track_.empty()) place_tracked(false, old_id_, batch);
  if (there_ || !known_) return;
  if (!track_.empty()) return place_tracked(false, id_, batch);
  if (!now_.empty() && !no_place_) take(place_, id_, batch);
}

void MemberWrite::add(Batch& batch) {
  if (!track_.empty()) return place_tracked(true, id_, batch);
  if (support_.empty()) return kind_.add(number_, place_.key, place_.member, value_, batch);
  append_hold(scripts_, number_, support_key(support_, place_.key, place_.member), id_, true,
              {place_.key, place_.member, value_}, batch);
}

void MemberWrite::take(const Place& place, const std::string& id, Batch& batch) const {
  if (support_.empty()) return kind_.take(number_, place.key, place.member, batch);
  append_hold(scripts_, number_, support_key(support_, place.key, place.member), id, false,
              {place.key, place.member, {}}, batch);
}

void MemberWrite::place_tracked(bool there, const std::string& id, Batch& batch) {
  append_place_tracked(scripts_, number_, track_, id, support_, there, {place_.key, place_.member, value_}, batch);
}

void MemberWrite::expect(std::vector<Expectation>& out) {
  Expectation& expected = out.emplace_back();
  expected.write = number_;
  expected.skip = !there_ && (no_place_ || !support_.empty());
  if (expected.skip) return;
  expected.key = place_.key;
  expected.member = place_.member;
  expected.present = there_;
  expect_member(value_, expected);
}

OwnedKeys MemberWrite::owned() const {
  OwnedKeys owned;
  owned.glob = key_glob(key_);
  owned.owns = KeyMatcher(key_);
  owned.members = kind_.members;
  owned.write = number_;
  if (support_.empty()) return owned;
  owned.supported = [prefix = support_](std::string_view state_key) -> std::optional<std::string> {
    const auto place = place_of_support_key(prefix, state_key);
    if (!place) return std::nullopt;
    return place_of(place->key, place->member);
  };
  return owned;
}

std::vector<OwnedKeys> MemberWrite::truncated() const {
  OwnedKeys own = owned();
  if (!track_.empty()) {
    own = exactly(track_);
    own.removal = track_removal(scripts_, number_, support_);
  } else if (!support_.empty()) {
    own.glob = glob_of(support_) + "*";
    own.owns = [prefix = support_](std::string_view key) { return key.starts_with(prefix); };
    own.state = true;
    own.removal = support_removal(scripts_, number_, support_, id_prefix_);
  } else if (!kind_.whole_keys) {
    own.removal = plain_removal(kind_, number_, KeyMatcher(member_));
  }
  own.write = number_;
  return {std::move(own)};
}

bool MemberWrite::readings(std::string_view place, std::size_t most, std::vector<KeyReading>& out) const {
  return inverse_.readings(place, most, out);
}

bool MemberWrite::append_place(Row row, bool only_there, std::string& out) const {
  if (only_there && when_.of(row) != Presence::yes) return false;
  Place place;
  std::size_t missing = 0;
  if (!render(row, place, missing)) return false;
  out.append(place_of(place.key, place.member));
  return true;
}

// What several rows share is removed only where we have put it there: others may keep members of their own.
void MemberWrite::remove_ghost(std::string_view place, Batch& batch) const {
  const std::size_t between = place.find(kPlaceSeparator);
  const std::string_view key = place.substr(0, between), member = place.substr(between + 1);
  if (support_.empty()) return kind_.take(number_, key, member, batch);
  append_purge(scripts_, number_, support_key(support_, key, member), {key, member, {}}, batch);
}

// Of all kinds of members that a command names: NAME key member.
void append_member_command(std::string_view name, std::uint32_t write, std::string_view key, std::string_view member,
                           Batch& batch) {
  batch.open(write, key, member, Effect::whole);
  batch.command(3);
  batch.rendered(name);
  batch.argument(key);
  batch.member(member);
  batch.close();
}

bool MemberWrite::identifies_by(std::size_t column) const {
  return std::find(reads_.begin(), reads_.end(), column) != reads_.end();
}

}  // namespace walrelay::sinks
