#include "sidecar/start_up.h"

#include <algorithm>
#include <sstream>

namespace walrelay::sidecar {

using replication::Lsn;
using replication::to_string;

const char* name_of(Gap gap) {
  switch (gap) {
    case Gap::none:
      return "none";
    case Gap::redis_empty:
      return "redis_empty";
    case Gap::redis_behind:
      return "redis_behind";
    case Gap::slot_new:
      return "slot_new";
    case Gap::slot_lost:
      return "slot_lost";
    case Gap::other_system:
      return "other_system";
    case Gap::other_timeline:
      return "other_timeline";
    case Gap::server_behind:
      return "server_behind";
  }
  return "unknown";
}

namespace {

Decision reload(Gap gap, std::string sentence, const ServerView& server) {
  Decision decision;
  decision.load = true;
  decision.gap = gap;
  decision.sentence = std::move(sentence);
  decision.verified.committed = server.confirmed_flush;
  decision.sent = decision.verified;
  return decision;
}

std::optional<Lsn> fork_before(const ServerView& server, std::uint32_t timeline, Lsn position) {
  for (const auto& [ended, at] : server.history) {
    if (ended == timeline && position > at) return at;
  }
  return std::nullopt;
}

bool has_been_on(const ServerView& server, std::uint32_t timeline) {
  const auto is_it = [timeline](const auto& ended) { return ended.first == timeline; };
  return timeline == server.timeline || std::any_of(server.history.begin(), server.history.end(), is_it);
}

}  // namespace

Decision decide(const std::optional<sinks::Checkpoint>& checkpoint, const ServerView& server) {
  if (!checkpoint) {
    return reload(server.slot_was_lost ? Gap::slot_lost : Gap::redis_empty, "Redis holds no checkpoint of this slot",
                  server);
  }
  const sinks::Origin& origin = checkpoint->origin;
  const Lsn verified = checkpoint->verified.committed;
  if (origin.system_identifier != server.system_identifier) {
    return reload(Gap::other_system,
                  "the checkpoint in Redis belongs to the PostgreSQL system " + origin.system_identifier +
                      ", this is system " + server.system_identifier,
                  server);
  }
  if (origin.database != server.database) {
    return reload(
        Gap::other_system,
        "the checkpoint in Redis belongs to database \"" + origin.database + "\", this is \"" + server.database + "\"",
        server);
  }
  if (server.slot_was_lost) {
    return reload(Gap::slot_lost, "the slot had lost WAL that was still needed and was made anew", server);
  }
  if (server.slot_created || origin.slot_incarnation.empty()) {
    return reload(Gap::slot_new, "the slot did not exist: what changed since " + to_string(verified) + " is unknown",
                  server);
  }
  if (const auto fork = fork_before(server, origin.timeline, verified)) {
    return reload(Gap::other_timeline,
                  "the server left timeline " + std::to_string(origin.timeline) + " at " + to_string(*fork) +
                      ", before our position " + to_string(verified),
                  server);
  }
  if (!has_been_on(server, origin.timeline)) {
    return reload(Gap::other_timeline,
                  "the checkpoint in Redis belongs to timeline " + std::to_string(origin.timeline) +
                      ", which is no part of the history of this server's timeline " + std::to_string(server.timeline),
                  server);
  }
  if (verified > server.flushed) {
    return reload(Gap::server_behind,
                  "the server's WAL ends at " + to_string(server.flushed) + ", before our position " +
                      to_string(verified) + ": it was restored or lost its end",
                  server);
  }
  if (verified < server.confirmed_flush) {
    return reload(Gap::redis_behind,
                  "Redis is at " + to_string(verified) + " but the slot was confirmed up to " +
                      to_string(server.confirmed_flush) + ": Redis lost acknowledged writes, or the slot was made anew",
                  server);
  }
  Decision decision;
  decision.resume = checkpoint->phase == "load";
  decision.sentence = decision.resume ? "resuming the interrupted load" : "streaming on from the checkpoint";
  decision.verified = checkpoint->verified;
  decision.sent = checkpoint->sent;
  return decision;
}

std::vector<std::pair<std::uint32_t, Lsn>> parse_timeline_history(const std::string& content) {
  std::vector<std::pair<std::uint32_t, Lsn>> history;
  std::istringstream lines(content);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::uint32_t timeline = 0;
    std::string at;
    if (!(words >> timeline >> at)) continue;
    if (const auto lsn = replication::parse_lsn(at)) history.emplace_back(timeline, *lsn);
  }
  return history;
}

}  // namespace walrelay::sidecar
