#include "sinks/keyed_write.h"

#include <algorithm>

#include "sinks/glob.h"
#include "sinks/key_rules.h"
#include "sinks/resp.h"
#include "sinks/row_identity.h"
#include "sinks/scripts.h"

namespace walrelay::sinks {

using replication::Row;
using replication::ValueState;

// The row's key has changed or is gone: what stood under the last one goes.
const Script& KeyedWrite::track_script() {
  static const Script script(R"(local last = redis.call('HGET', KEYS[1], ARGV[1])
if last and last ~= ARGV[2] then redis.call('UNLINK', last) end
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) else redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
return 1)");
  return script;
}

KeyedWrite::KeyedWrite(const BindContext& context)
    : template_(bind_key(context)),
      inverse_(template_, context.relation.columns.size()),
      when_(context),
      lifetime_(context),
      reads_(context.reads(template_)),
      place_columns_(with_condition(context, reads_, when_)),
      number_(context.number),
      site_(context.site()),
      identity_(identity_columns(context.relation)) {
  for (const auto& part : template_.parts()) column_names_.push_back(context.name_of(part.column));
  if (context.find("track") != nullptr) track_ = track_key(context);
  terms_.if_cached = context.flag("if_cached");
  terms_.on_change = lifetime_.on_change();
  terms_.keeps_ttl = terms_.if_cached && !lifetime_.given();
  for (const std::size_t column : with_condition(context, {}, when_)) {
    const bool identity = std::find(identity_.begin(), identity_.end(), column) != identity_.end();
    when_of_identity_ = when_of_identity_ && identity;
  }
}

bool KeyedWrite::prepare(Row before, Row now, bool keep_unchanged) {
  before_ = before;
  now_ = now;
  remove_old_ = there_ = no_key_ = false;
  const Presence presence = now.empty() ? Presence::no : when_.of(now);
  there_ = presence != Presence::no;
  key_.clear();
  if (there_) {
    make_key(now);
  } else if (!now.empty()) {
    no_key_ = template_.render(now, key_).has_value();
  }
  if (!before.empty() && track_.empty()) {
    // A row whose key had a NULL was never written: there is nothing to remove.
    old_key_.clear();
    remove_old_ = !template_.render(before, old_key_) && (now.empty() || old_key_ != key_);
  }
  if (!there_) return true;
  if (presence == Presence::unknown) return false;
  if (complete(now) && lifetime_.known(now)) {
    terms_.expiry = lifetime_.of(key_, now);
    prepare_row(now);
    return true;
  }
  return keep_unchanged && stood_before(before) && keeps_unchanged(before, now);
}

// Under a new key nothing stands that could be left as it is, nor where the key may have expired, nor where the row may
// have had none, because it did not fulfil the condition.
bool KeyedWrite::stood_before(Row before) const {
  const bool fulfilled = !when_.column() || (before.empty() && when_of_identity_);
  return !remove_old_ && track_.empty() && !lifetime_.given() && fulfilled;
}

void KeyedWrite::make_key(Row row) {
  const auto missing = template_.render(row, key_);
  if (!missing) return;
  std::size_t part = 0;
  while (template_.parts()[part].column != *missing) ++part;
  const std::string& column = column_names_[part];
  if (row[*missing].state == ValueState::null) {
    throw RowError(site_ + ": " + column +
                   " is NULL in a row, and its key cannot be made; declare the column NOT NULL, take it out of the " +
                   "key, or leave such rows out with \"when\"");
  }
  throw RowError(site_ + ": PostgreSQL did not send " + column +
                 ", which the key is made of; set the table's REPLICA " + "IDENTITY to FULL");
}

void KeyedWrite::remove_old(Batch& batch) {
  if (remove_old_) unlink(old_key_, batch);
  if (!track_.empty() && !before_.empty() && !now_.empty()) track_gone(before_, batch);
  if (there_) return;
  if (!now_.empty() && !no_key_) unlink(key_, batch);
  if (!track_.empty()) track(now_.empty() ? before_ : now_, {}, batch);
}

// The row has another identity from here on: under the one before it stands nowhere.
void KeyedWrite::track_gone(Row before, Batch& batch) const {
  std::string old_id, id;
  append_row_identity(before, identity_, old_id);
  append_row_identity(now_, identity_, id);
  if (old_id != id) track(before, {}, batch);
}

void KeyedWrite::put(Batch& batch) {
  if (!there_) return;
  if (!track_.empty()) track(now_, key_, batch);
  put_row(key_, now_, batch);
}

void KeyedWrite::replace(bool fresh, Batch& batch) {
  if (!there_) return;
  if (!track_.empty()) track(now_, key_, batch);
  replace_row(key_, now_, fresh, batch);
}

// Its own entry, and never coalesced: each of them removes the key of the one before.
void KeyedWrite::track(Row row, std::string_view key, Batch& batch) const {
  std::string id;
  append_row_identity(row, identity_, id);
  batch.open_script(number_, track_, id, Effect::ordered);
  batch.command(6);
  track_script().begin(batch);
  batch.argument(track_);
  batch.member(id);
  batch.argument(key);
  batch.close();
}

void KeyedWrite::unlink(std::string_view key, Batch& batch) const {
  static const std::string kUnlink = resp::bulk("UNLINK");
  batch.open(number_, key, Effect::remove);
  batch.command(2);
  batch.rendered(kUnlink);
  batch.argument(key);
  batch.close();
}

OwnedKeys KeyedWrite::owned() const {
  OwnedKeys owned;
  owned.glob = key_glob(template_);
  owned.owns = KeyMatcher(template_);
  owned.write = number_;
  return owned;
}

std::vector<OwnedKeys> KeyedWrite::truncated() const {
  std::vector<OwnedKeys> all{owned()};
  if (!track_.empty()) all.push_back(exactly(track_));
  return all;
}

void KeyedWrite::remove_ghost(std::string_view place, Batch& batch) const {
  batch.open(number_, place, Effect::ordered);
  batch.command(2);
  batch.argument("UNLINK");
  batch.argument(place);
  batch.close();
}

void KeyedWrite::expect(std::vector<Expectation>& out) {
  Expectation& expected = out.emplace_back();
  expected.key = key_;
  expected.write = number_;
  expected.skip = no_key_;
  if (!there_) return;
  expect_row(now_, expected);
  if (expected.type == Expectation::Type::none) return;
  if (expiry().kind == Expiry::Kind::after) expected.ttl = std::chrono::milliseconds(expiry().ms);
  if (expiry().kind == Expiry::Kind::at) expected.deadline = expiry().ms;
  expected.any_ttl = terms_.keeps_ttl;
  expected.cached = terms_.if_cached;
}

bool KeyedWrite::readings(std::string_view place, std::size_t most, std::vector<KeyReading>& out) const {
  return inverse_.readings(place, most, out);
}

bool KeyedWrite::append_place(Row row, bool only_there, std::string& out) const {
  if (only_there && when_.of(row) != Presence::yes) return false;
  const std::size_t before = out.size();
  if (!template_.render(row, out)) return true;
  out.resize(before);
  return false;
}

bool KeyedWrite::identifies_by(std::size_t column) const {
  return std::find(reads_.begin(), reads_.end(), column) != reads_.end();
}

}  // namespace walrelay::sinks
