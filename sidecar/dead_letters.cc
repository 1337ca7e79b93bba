#include "sidecar/dead_letters.h"

#include <algorithm>
#include <utility>

#include "sidecar/rereads.h"
#include "sidecar/row_image.h"

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kLook{5};

void take_field(Letter& into, const std::string& name, const std::string& value) {
  sinks::DeadLetter& letter = into.letter;
  const std::pair<const char*, std::string*> known[] = {
      {"table", &letter.image.table}, {"operation", &letter.image.operation},
      {"row", &letter.image.row},     {"note", &letter.image.note},
      {"write", &letter.write},       {"key", &letter.key},
      {"error", &letter.error},       {"position", &into.position}};
  for (const auto& [field, to] : known) {
    if (name == field) *to = value;
  }
}

ReplayResult impossible(std::string sentence) { return {ReplayResult::What::impossible, std::move(sentence)}; }

}  // namespace

bool is_letter_id(const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 20 && part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const std::string_view whole = text;
  return dash != std::string::npos && digits(whole.substr(0, dash)) && digits(whole.substr(dash + 1));
}

event::Task<std::vector<Letter>> read_letters(sinks::RedisConnection& redis, std::string key, std::string first,
                                              std::string last, std::size_t most) {
  auto asking =
      redis.command({"XRANGE", std::move(key), std::move(first), std::move(last), "COUNT", std::to_string(most)});
  const sinks::Reply reply = co_await std::move(asking);
  std::vector<Letter> letters;
  for (const sinks::Reply& entry : reply.elements) {
    if (entry.elements.size() != 2) continue;
    Letter& letter = letters.emplace_back();
    letter.id = entry.elements[0].text;
    const auto& fields = entry.elements[1].elements;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) take_field(letter, fields[i].text, fields[i + 1].text);
  }
  co_return letters;
}

event::Task<std::string> latest_letter(sinks::RedisConnection& redis, std::string key) {
  auto asking = redis.command({"XREVRANGE", std::move(key), "+", "-", "COUNT", "1"});
  const sinks::Reply reply = co_await std::move(asking);
  std::string id;
  if (!reply.elements.empty()) id = reply.elements.front().elements.front().text;
  co_return id;
}

LetterReplay::LetterReplay(event::Loop& loop, sinks::RedisOptions redis, std::string key, Relations& relations,
                           Pipeline& pipeline, sinks::Sink& sink)
    : loop_(loop),
      options_(std::move(redis)),
      key_(std::move(key)),
      relations_(relations),
      pipeline_(pipeline),
      sink_(sink) {}

void LetterReplay::replay(std::string id, Done done) {
  asked_.push_back({std::move(id), std::move(done)});
  if (job_) return;
  job_.emplace(loop_, work(), [this](std::exception_ptr error) {
    job_.reset();
    redis_.reset();
    std::string sentence = "Redis is away";
    try {
      if (error != nullptr) std::rethrow_exception(error);
    } catch (const std::exception& why) {
      sentence = why.what();
    }
    for (const Asked& asked : std::exchange(asked_, {})) asked.done(impossible(sentence));
  });
}

event::Task<> LetterReplay::work() {
  redis_ = std::make_unique<sinks::RedisConnection>(loop_, options_);
  auto opening = redis_->open();
  co_await std::move(opening);
  while (!asked_.empty()) {
    auto trying = one(asked_.front().id);
    const ReplayResult result = co_await std::move(trying);
    const Asked asked = std::move(asked_.front());
    asked_.pop_front();
    asked.done(result);
  }
}

event::Task<ReplayResult> LetterReplay::one(std::string id) {
  auto reading = read_letters(*redis_, key_, id, id, 1);
  const std::vector<Letter> letters = co_await std::move(reading);
  if (letters.empty()) {
    co_return ReplayResult{ReplayResult::What::unknown, "there is no dead letter " + id};
  }
  while (sink_.full()) {
    auto pause = event::sleep(loop_, kLook);
    co_await std::move(pause);
  }
  const ReplayResult result = carry_out(letters.front());
  if (result.what != ReplayResult::What::replayed) co_return result;
  const std::uint64_t ticket = sink_.ticket();
  while (!sink_.has_shown(ticket)) {
    auto pause = event::sleep(loop_, kLook);
    co_await std::move(pause);
  }
  co_return result;
}

ReplayResult LetterReplay::carry_out(const Letter& letter) {
  const sinks::RowImage& image = letter.letter.image;
  const auto note = parse_note(image.note);
  if (!note) {
    return impossible("dead letter " + letter.id + " does not say which row it is about: walrelay verify --repair" +
                      " finds and mends it");
  }
  Table* table = relations_.find_written(note->schema, note->table);
  if (table == nullptr) return impossible("no mapping writes table " + image.table + " any more: drop the letter");
  const auto values = values_of(note->key, *table->relation);
  std::string identity;
  table->writer->append_identity(values, identity);
  const std::vector<std::string> forget{"XDEL", key_, letter.id};
  if (image.operation != "delete") {
    pipeline_.replay(*table, identity, note->key, {}, forget);
  } else {
    const ImageRow gone(image.row, *table->relation);
    pipeline_.replay(*table, identity, note->key, gone.row(), forget);
  }
  return {};
}

}  // namespace walrelay::sidecar
