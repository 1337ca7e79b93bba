#include "sidecar/peer_probe.h"

#include <utility>

#include "replication/connection.h"
#include "replication/slot.h"
#include "sidecar/wiring.h"
#include "sinks/redis_connection.h"

namespace walrelay::sidecar {

namespace {

constexpr event::milliseconds kPatience{3000};  // to be connected
constexpr event::milliseconds kSlotEvery{5000};
constexpr event::milliseconds kFresh{1000};  // an answer so old is given again: asking often costs the servers nothing

const char* const kEndOfWal =
    "SELECT CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE "
    "pg_current_wal_lsn() END";

}  // namespace

PeerProbe::PeerProbe(event::Loop& loop, Supervisor& supervisor)
    : loop_(loop), supervisor_(supervisor), timer_(loop, [this] { tick(); }) {
  timer_.start(kSlotEvery, kSlotEvery);
}

void PeerProbe::begin(Look& look, event::Task<> (PeerProbe::*task)()) {
  if (look.running || Clock::now() - look.ended < kFresh) return;
  look.job.reset();
  look.config = supervisor_.in_force().config;
  look.running = true;
  look.job.emplace(loop_, (this->*task)(), [this, &look](const std::exception_ptr& error) { ended(look, error); });
}

void PeerProbe::ended(Look& look, const std::exception_ptr& error) {
  look.running = false;
  look.connected = error == nullptr;
  look.ended = Clock::now();
  look.error.clear();
  try {
    if (error != nullptr) std::rethrow_exception(error);
  } catch (const std::exception& caught) {
    look.error = caught.what();
  }
  answer_if_known();
}

event::Task<> PeerProbe::look_at_postgres() {
  auto options = postgres_options(postgres_.config.source, false, "health");
  options.connect_timeout = kPatience;
  replication::Connection connection(loop_, std::move(options));
  auto opening = connection.open();
  co_await std::move(opening);
  const std::string name = postgres_.config.source.slot;
  auto finding = replication::find_slot(connection, name);
  const auto slot = co_await std::move(finding);
  const std::string sql = kEndOfWal, what = "read the end of the server's WAL";
  auto asking = connection.query(sql, what);
  const auto end = co_await std::move(asking);
  const auto position = replication::parse_lsn(end.text(0, 0));
  if (slot && position) supervisor_.note_slot(*slot, *position);
}

event::Task<> PeerProbe::look_at_redis() {
  auto options = redis_options(redis_.config.target);
  options.connect_timeout = options.reply_timeout = kPatience;
  options.client_name = "walrelay-health";
  sinks::RedisConnection connection(loop_, std::move(options));
  auto opening = connection.open();
  co_await std::move(opening);
}

void PeerProbe::ask(Answer answer) {
  waiting_.push_back(std::move(answer));
  const Status& status = supervisor_.status();
  if (!status.postgres_connected) begin(postgres_, &PeerProbe::look_at_postgres);
  if (!status.redis_connected) begin(redis_, &PeerProbe::look_at_redis);
  answer_if_known();
}

void PeerProbe::answer_if_known() {
  const Status& status = supervisor_.status();
  if ((!status.postgres_connected && postgres_.running) || (!status.redis_connected && redis_.running)) return;
  Peers peers{status.postgres_connected || postgres_.connected, status.redis_connected || redis_.connected, {}, {}};
  if (!peers.postgres) peers.postgres_error = postgres_.error;
  if (!peers.redis) peers.redis_error = redis_.error;
  const std::vector<Answer> answers = std::exchange(waiting_, {});
  for (const Answer& answer : answers) answer(peers);
}

void PeerProbe::tick() {
  if (!supervisor_.status().postgres_connected) begin(postgres_, &PeerProbe::look_at_postgres);
}

}  // namespace walrelay::sidecar
