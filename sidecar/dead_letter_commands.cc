#include "sidecar/dead_letter_commands.h"

#include <algorithm>
#include <ctime>
#include <functional>
#include <iostream>
#include <optional>

#include "config/json_text.h"
#include "event/run_to_end.h"
#include "sidecar/dead_letters.h"
#include "sidecar/http_client.h"
#include "sidecar/rereads.h"
#include "sidecar/wiring.h"
#include "sinks/checkpoint.h"
#include "sinks/redis_connection.h"

namespace walrelay::sidecar {

using config::Json;
using sinks::RedisConnection;

namespace {

constexpr std::size_t kPage = 500;
constexpr std::chrono::milliseconds kAnswer{30000};

// Every letter that is chosen, in order, read page by page; of all, those that were there at the beginning: one that is
// tried again in vain comes back as a new one.
class Letters {
 public:
  Letters(event::Loop& loop, const config::Config& config)
      : redis_(loop, redis_options(config.target)), key_(sinks::dead_letter_key(config.source.slot)) {}

  RedisConnection& redis() { return redis_; }
  const std::string& key() const { return key_; }

  // The next of those chosen; none: that was all. Connects when it is first asked.
  event::Task<std::vector<Letter>> next(const ChosenLetters& chosen) {
    if (!redis_.is_open()) {
      auto opening = redis_.open();
      co_await std::move(opening);
      auto asking = latest_letter(redis_, key_);
      last_ = co_await std::move(asking);
    }
    auto reading = chosen.all ? page(chosen) : some(chosen);
    std::vector<Letter> found = co_await std::move(reading);
    co_return found;
  }

 private:
  event::Task<std::vector<Letter>> some(const ChosenLetters& chosen) {
    std::vector<Letter> found;
    if (at_ == chosen.ids.size()) co_return found;
    const std::string id = chosen.ids[at_++];
    auto reading = read_letters(redis_, key_, id, id, 1);
    found = co_await std::move(reading);
    if (found.empty()) {
      throw StopError(ExitCode::usage, "there is no dead letter " + id + " in the stream " + key_);
    }
    co_return found;
  }

  event::Task<std::vector<Letter>> page(const ChosenLetters& chosen) {
    for (;;) {
      std::vector<Letter> found;
      if (last_.empty()) co_return found;
      auto reading = read_letters(redis_, key_, after_, last_, kPage);
      found = co_await std::move(reading);
      if (found.empty()) co_return found;
      after_ = "(" + found.back().id;
      if (!chosen.table.empty()) {
        std::erase_if(found, [&](const Letter& each) { return each.letter.image.table != chosen.table; });
      }
      if (!found.empty()) co_return found;
    }
  }

  RedisConnection redis_;
  const std::string key_;
  std::size_t at_ = 0;
  std::string after_ = "-", last_;
};

// "2026-11-28 18:00:00" UTC, of the milliseconds that an id begins with.
std::string time_of(const std::string& id) {
  const std::time_t seconds = static_cast<std::time_t>(std::strtoll(id.c_str(), nullptr, 10) / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts)};
}

Json to_json(const Letter& letter, bool rows) {
  const sinks::RowImage& image = letter.letter.image;
  Json json = Json::object().with("id", Json::text(letter.id)).with("time", Json::text(time_of(letter.id)));
  const std::pair<const char*, const std::string*> fields[] = {
      {"table", &image.table},     {"operation", &image.operation}, {"write", &letter.letter.write},
      {"key", &letter.letter.key}, {"error", &letter.letter.error}, {"position", &letter.position}};
  for (const auto& [name, text] : fields) {
    if (!text->empty()) json.add(name, Json::text(*text));
  }
  json.add("replayable", Json::raw(image.note.empty() ? "false" : "true"));
  if (rows && !image.row.empty()) json.add("row", Json::raw(image.row));
  return json;
}

void print(const Letter& letter, bool rows) {
  const sinks::RowImage& image = letter.letter.image;
  std::cout << letter.id << "  " << time_of(letter.id) << "  " << image.operation << " " << image.table << "\n";
  if (!letter.letter.key.empty()) std::cout << "    key    " << letter.letter.key << "\n";
  if (!letter.letter.write.empty()) std::cout << "    write  " << letter.letter.write << "\n";
  std::cout << "    error  " << letter.letter.error << "\n";
  if (rows && !image.row.empty()) std::cout << "    row    " << image.row << "\n";
}

event::Task<> list(event::Loop& loop, const config::Config& config, const ChosenLetters& chosen, std::size_t most,
                   std::function<void(const Letter&)> show, std::uint64_t& left) {
  Letters letters(loop, config);
  for (std::size_t shown = 0;;) {
    auto reading = letters.next(chosen);
    const std::vector<Letter> found = co_await std::move(reading);
    if (found.empty()) co_return;
    for (const Letter& letter : found) {
      if (shown++ < most) {
        show(letter);
      } else {
        ++left;
      }
    }
  }
}

// Where no walrelay runs: the note joins those that the next start reads again, and the letter goes with it.
event::Task<std::string> note_for_next_start(Letters& letters, const config::Config& config, const Letter& letter) {
  const sinks::RowImage& image = letter.letter.image;
  if (!parse_note(image.note))
    co_return "it does not say which row it is about: walrelay verify --repair finds and mends it";
  if (image.operation == "delete")
    co_return "its row is gone from the table, and only a walrelay that runs can remove its keys";
  std::vector<std::vector<std::string>> commands{{"MULTI"},
                                                 {"HSET", sinks::reread_key(config.source.slot), image.note, "1"},
                                                 {"XDEL", letters.key(), letter.id},
                                                 {"EXEC"}};
  for (auto& command : commands) {
    auto doing = letters.redis().command(std::move(command));
    (void)co_await std::move(doing);
  }
  co_return "";
}

// The sentence of a walrelay that runs, if it refuses; nothing: none runs.
std::optional<std::string> ask(const std::optional<Remote>& remote, const std::string& id) {
  if (!remote) return std::nullopt;
  try {
    const HttpResult result = remote->ask("POST", "/api/v1/admin/dlq/replay?id=" + percent_encoded(id), kAnswer);
    return result.status == 200 ? "" : error_in(result);
  } catch (const HttpUnreachable&) {
    return std::nullopt;
  }
}

struct Replayed {
  std::size_t now = 0, later = 0, failed = 0;
};

event::Task<> replay(event::Loop& loop, const config::Config& config, const ChosenLetters& chosen,
                     const std::optional<Remote>& remote, bool must_ask, Replayed& count) {
  Letters letters(loop, config);
  for (;;) {
    auto reading = letters.next(chosen);
    const std::vector<Letter> found = co_await std::move(reading);
    if (found.empty()) co_return;
    for (const Letter& letter : found) {
      std::optional<std::string> trouble = ask(remote, letter.id);
      if (trouble) {
        count.now += trouble->empty() ? 1 : 0;
      } else if (must_ask) {
        throw StopError(ExitCode::failure, "no walrelay answers at " + remote->url());
      } else {
        auto noting = note_for_next_start(letters, config, letter);
        trouble = co_await std::move(noting);
        count.later += trouble->empty() ? 1 : 0;
      }
      if (trouble->empty()) continue;
      ++count.failed;
      std::cerr << "walrelay: dead letter " << letter.id << ": " << *trouble << "\n";
    }
  }
}

event::Task<> drop(event::Loop& loop, const config::Config& config, const ChosenLetters& chosen, std::int64_t& count) {
  Letters letters(loop, config);
  for (;;) {
    auto reading = letters.next(chosen);
    const std::vector<Letter> found = co_await std::move(reading);
    if (found.empty()) co_return;
    std::vector<std::string> command{"XDEL", letters.key()};
    for (const Letter& letter : found) command.push_back(letter.id);
    auto dropping = letters.redis().command(std::move(command));
    const sinks::Reply reply = co_await std::move(dropping);
    count += reply.integer;
  }
}

}  // namespace

ExitCode list_letters(const config::Config& config, const ChosenLetters& chosen, std::size_t most, bool rows,
                      bool json) {
  Json all = Json::array();
  std::size_t shown = 0;
  std::uint64_t left = 0;
  const auto show = [&](const Letter& letter) {
    ++shown;
    if (json) {
      all.add(to_json(letter, rows));
    } else {
      print(letter, rows);
    }
  };
  event::Loop loop;
  event::run_to_end(loop, list(loop, config, chosen, most, show, left));
  if (json) {
    std::cout << all.print() << "\n";
  } else if (shown == 0) {
    std::cout << "no dead letters\n";
  } else if (left > 0) {
    std::cout << "and " << left << " more\n";
  }
  return ExitCode::ok;
}

ExitCode replay_letters(const config::Config& config, const ChosenLetters& chosen, const std::optional<Remote>& remote,
                        bool must_ask) {
  Replayed count;
  event::Loop loop;
  event::run_to_end(loop, replay(loop, config, chosen, remote, must_ask, count));
  std::cout << count.now + count.later << " replayed";
  if (count.later > 0) std::cout << ": no walrelay runs, the next start reads their rows again";
  if (count.failed > 0) std::cout << ", " << count.failed << " not";
  std::cout << "\n";
  return count.failed == 0 ? ExitCode::ok : ExitCode::failure;
}

ExitCode drop_letters(const config::Config& config, const ChosenLetters& chosen) {
  std::int64_t count = 0;
  event::Loop loop;
  event::run_to_end(loop, drop(loop, config, chosen, count));
  std::cout << count << " dropped\n";
  return ExitCode::ok;
}

}  // namespace walrelay::sidecar
