// The first half of a session: from nothing to a running stream (session.h).
#include <algorithm>

#include "event/crash_point.h"
#include "sidecar/eviction.h"
#include "sidecar/log.h"
#include "sidecar/policy.h"
#include "sidecar/session.h"
#include "sidecar/wall_clock.h"
#include "sidecar/wiring.h"
#include "sinks/redis_json.h"
#include "sinks/redis_limits.h"

namespace walrelay::sidecar {

using replication::Lsn;
using replication::to_string;

namespace {

constexpr event::milliseconds kStandbyLook{250};
constexpr event::milliseconds kStatusAtMost{10000};

}  // namespace

event::Task<> Session::connect() {
  status_.state = State::connecting;
  auto opening_redis = redis_.open();
  co_await std::move(opening_redis);
  status_.redis_connected = true;
  status_.redis_peer = address_of(config_.target);
  status_.redis_version = dotted_version(redis_.server_version());
  ++status_.redis_connects;
  auto asking_policy = eviction_policy(redis_);
  const std::string policy = co_await std::move(asking_policy);
  const std::string refusal = eviction_refusal(policy, mappings_.specs());
  if (!refusal.empty()) throw StopError(ExitCode::configuration, redis_.name() + ": " + refusal);
  const std::string eviction = eviction_warning(policy, mappings_.specs());
  if (!eviction.empty() && status_.last_error.empty()) log::warn(eviction);  // once, not after every failure
  if (mappings_.has_kind("json")) {
    auto asking_json = sinks::json_documents(redis_);
    const sinks::JsonDocuments documents = co_await std::move(asking_json);
    mappings_.set_json_documents(documents);
  }
  auto asking_limit = sinks::longest_argument(redis_);
  const std::size_t limit = co_await std::move(asking_limit);
  mappings_.set_longest_argument(limit);
  auto opening = watcher_.open();
  co_await std::move(opening);
  status_.postgres_peer = watcher_.peer();
  status_.postgres_version = watcher_.parameter("server_version");
  ++status_.postgres_connects;
  watcher_.on_lost = [this](std::exception_ptr error) { fail(error); };
  const std::string sql = "SELECT current_setting('wal_level')";
  auto asking = watcher_.query(sql, "read wal_level");
  const auto level = co_await std::move(asking);
  if (level.text(0, 0) != "logical") {
    throw StopError(ExitCode::postgres, "wal_level of " + watcher_.peer() + " is \"" + level.text(0, 0) +
                                            "\": set wal_level = logical in its configuration and restart it");
  }
  encoding_ = replication::Encoding::make(watcher_.parameter("server_encoding"));
  relations_.set_encoding(encoding_.get());

  CatalogueOptions options;
  options.publication = config_.source.publication;
  options.slot = config_.source.slot;
  options.manage_publication = config_.source.manage_publication;
  options.default_mapping = mappings_.default_mapping();
  catalogue_.emplace(loop_, watcher_, std::move(options), relations_, types_);
  catalogue_->on_trouble = [this](const std::string& sentence) {
    log::warn(sentence);
    status_.failures.note("catalogue", sentence, wall_clock_us());
  };
  auto preparing = catalogue_->prepare();
  co_await std::move(preparing);
  require_tables(mappings_.specs(), catalogue_->tables());
  require_select(catalogue_->tables());
  auto checking = check_documents();
  co_await std::move(checking);
  choose_format();
}

void Session::choose_format() {
  const std::string& format = config_.source.format;
  if (format == "binary" && !catalogue_->binary_is_exact()) {
    throw StopError(ExitCode::configuration,
                    "source.format is \"binary\", but a published column has a type that only the text "
                    "format carries exactly: set source.format to auto or text");
  }
  binary_ = format != "text" && !choices_.text && catalogue_->binary_is_exact() && watcher_.server_version() >= 140000;
}

event::Task<> Session::take_slot() {
  for (bool ours = false; !ours;) {
    std::string refused;
    try {
      auto opening = replicator_.open();
      co_await std::move(opening);
    } catch (const replication::PostgresError& error) {
      if (error.sqlstate() != "42501") throw;
      refused = error.what();
    }
    if (!refused.empty()) {
      const std::string sql = "SELECT quote_ident(current_user)";
      auto asking = watcher_.query(sql, "ask for the role's name");
      const auto role = co_await std::move(asking);
      throw StopError(ExitCode::postgres, refused + "; run: ALTER ROLE " + role.text(0, 0) + " REPLICATION");
    }
    auto identifying = replication::identify_system(replicator_);
    auto identity = co_await std::move(identifying);
    identity_ = std::move(identity);
    auto ensuring = ensure_slot();
    co_await std::move(ensuring);
    auto beginning = begin_stream();
    ours = co_await std::move(beginning);
  }
  streaming_ = true;
  status_.owner = true;
}

event::Task<> Session::ensure_slot() {
  const std::string& name = config_.source.slot;
  auto finding = replication::find_slot(watcher_, name);
  auto slot = co_await std::move(finding);
  if (slot && slot->plugin != "pgoutput") {
    throw StopError(ExitCode::postgres, "slot \"" + name + "\" uses the plugin \"" + slot->plugin +
                                            "\", not pgoutput: give source.slot another name, or drop that slot");
  }
  if (slot && slot->database != identity_.database) {
    throw StopError(ExitCode::postgres, "slot \"" + name + "\" belongs to database \"" + slot->database +
                                            "\", not to \"" + identity_.database + "\": give source.slot another name");
  }
  if (slot && slot->active) {
    auto waiting = wait_for_release();
    co_await std::move(waiting);
    auto preparing = catalogue_->prepare();  // much may have changed since
    co_await std::move(preparing);
    choose_format();
    auto again = replication::find_slot(watcher_, name);
    auto released = co_await std::move(again);
    slot = std::move(released);
  }
  if (slot && slot->wal_status == "lost") {
    const std::string sentence = "slot \"" + name + "\" has lost WAL that was still needed (max_slot_wal_keep_size)";
    if (config_.on_gap == "halt") {
      throw StopError(ExitCode::gap, sentence + "; on_gap is halt: drop the slot and start again to rebuild");
    }
    log::warn(sentence + ": it is made anew and every table is read again", {{"slot", name}});
    auto dropping = replication::drop_slot(watcher_, name);
    co_await std::move(dropping);
    slot.reset();
    slot_was_lost_ = true;
  }
  if (slot) co_return;
  if (!config_.source.create_slot) {
    throw StopError(ExitCode::postgres, "slot \"" + name +
                                            "\" does not exist and source.create_slot is off; run: SELECT "
                                            "pg_create_logical_replication_slot(" +
                                            replication::quote_literal(name) + ", 'pgoutput')");
  }
  log::info("creating the replication slot", {{"slot", name}});
  // Who comes next may find this slot without a checkpoint of ours, and must not take it for the old one.
  auto forgetting = sinks::forget_slot(redis_, name);
  co_await std::move(forgetting);
  auto creating =
      replication::create_slot(replicator_, watcher_, name, config_.source.temporary_slot, config_.source.slot_timeout);
  co_await std::move(creating);
  slot_created_ = true;
  event::crash_point();
}

event::Task<> Session::wait_for_release() {
  status_.state = State::standby;
  bool said = false;
  for (;;) {
    auto finding = replication::find_slot(watcher_, config_.source.slot);
    const auto slot = co_await std::move(finding);
    if (!slot || !slot->active) co_return;
    if (!said) {
      log::info("the slot is active elsewhere: waiting as a stand-by",
                {{"slot", slot->name}, {"pid", slot->active_pid}, {"owner", slot->active_owner}});
      said = true;
    }
    auto pause = event::sleep(loop_, kStandbyLook);
    co_await std::move(pause);
  }
}

// False: another one was faster; look again.
event::Task<bool> Session::begin_stream() {
  server_.history.clear();
  if (identity_.timeline > 1) {
    const std::string sql = "TIMELINE_HISTORY " + std::to_string(identity_.timeline);
    auto asking = replicator_.query(sql, "read the timeline history");
    const auto history = co_await std::move(asking);
    if (!history.empty()) server_.history = parse_timeline_history(history.text(0, 1));
  }
  const std::string sql = replication::start_replication_sql(config_.source.slot, config_.source.publication,
                                                             replicator_.server_version(), binary_, true, Lsn::invalid);
  bool taken = true;
  try {
    auto starting = replicator_.begin_replication(sql, "start replication of slot \"" + config_.source.slot + "\"");
    co_await std::move(starting);
  } catch (const replication::PostgresError& error) {
    if (error.sqlstate() != "55006") throw;
    taken = false;
  }
  if (!taken) {
    replicator_.close();
    auto pause = event::sleep(loop_, kStandbyLook);
    co_await std::move(pause);
  }
  co_return taken;
}

// How often the server must hear from us: it ends connections that are silent for wal_sender_timeout.
event::Task<event::milliseconds> Session::choose_status_interval() {
  if (config_.source.status_interval.count() != 0) co_return config_.source.status_interval;
  const std::string sql = "SELECT setting::int FROM pg_settings WHERE name = 'wal_sender_timeout'";
  auto asking = watcher_.query(sql, "read wal_sender_timeout");
  const auto timeout = co_await std::move(asking);
  const event::milliseconds third(std::stoll("0" + timeout.text(0, 0)) / 3);
  co_return third.count() == 0 ? kStatusAtMost : std::min(third, kStatusAtMost);
}

// Once Redis is taken: the last owner may have gone on until a moment before.
event::Task<> Session::look_at_server() {
  const std::string sql =
      "SELECT CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE "
      "pg_current_wal_flush_lsn() END, current_setting('wal_block_size'), (SELECT setting FROM pg_settings WHERE name "
      "= 'wal_segment_size')";
  auto asking = watcher_.query(sql, "read the end of the server's WAL");
  const auto end = co_await std::move(asking);
  wal_block_size_ = std::stoull("0" + end.text(0, 1));
  wal_segment_size_ = std::stoull("0" + end.text(0, 2));
  server_.system_identifier = identity_.system_identifier;
  server_.timeline = identity_.timeline;
  server_.flushed = replication::parse_lsn(end.text(0, 0)).value_or(identity_.flushed);
  server_.database = identity_.database;
  server_.slot_created = slot_created_;
  server_.slot_was_lost = slot_was_lost_;
}

event::Task<> Session::take_redis() {
  auto finding = replication::find_slot(watcher_, config_.source.slot);
  const auto slot = co_await std::move(finding);
  if (!slot) throw replication::PostgresError("", true, "slot \"" + config_.source.slot + "\" went away");
  server_.confirmed_flush = slot->confirmed_flush;
  auto choosing = choose_status_interval();
  const event::milliseconds interval = co_await std::move(choosing);

  sinks::RedisSinkOptions options = sink_options(config_, choices_.careful);
  options.describe = [this](std::uint32_t write) {
    const auto name = write_names_.find(write);
    return name == write_names_.end() ? std::string("walrelay's own bookkeeping") : name->second;
  };
  options.policy = [this](std::uint32_t write) { return mappings_.policy(write); };
  sink_.emplace(loop_, redis_, std::move(options), static_cast<sinks::SinkEvents&>(*this));
  auto taking = sink_->take_over();
  const auto found = co_await std::move(taking);
  event::crash_point();
  auto looking = look_at_server();
  co_await std::move(looking);
  if (!choices_.retired.empty()) {
    auto binding = bind_retired();
    co_await std::move(binding);
  }
  const Decision decision = decide(found.checkpoint, server_);
  announce(decision, !found.checkpoint && slot_created_);
  origin_ = origin_of(decision, found);
  assemble(decision, found.empty_database, interval);
  if (!decision.load) {
    auto taking_up = take_up_documents();
    co_await std::move(taking_up);
  }
  begin(decision, found);
}

void Session::announce(const Decision& decision, bool first_start) {
  const bool reads = config_.load.initial;
  if (decision.gap == Gap::none || first_start) {
    return log::info(decision.sentence + (first_start && reads ? ": every table is read" : ""),
                     {{"slot", config_.source.slot},
                      {"verified", to_string(decision.verified.committed)},
                      {"format", binary_ ? "binary" : "text"}});
  }
  ++status_.gaps[name_of(decision.gap)];
  status_.failures.note("gap", decision.sentence, wall_clock_us());
  if (config_.on_gap == "halt") {
    throw StopError(ExitCode::gap,
                    decision.sentence + "; on_gap is halt: set on_gap: rebuild to read every table again in place");
  }
  log::warn(decision.sentence +
                (reads ? ": every table is read again in place" : "; load.initial is false: only changes are applied"),
            {{"gap", name_of(decision.gap)}});
}

}  // namespace walrelay::sidecar
