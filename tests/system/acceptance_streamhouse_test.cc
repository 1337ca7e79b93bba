// examples/streamhouse: segments by offset, leases that expire by themselves, topics of ten thousand partitions (S-A1
// to S-A3).
#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {
namespace {

class AcceptanceStreamhouse : public Acceptance {
 protected:
  AcceptanceStreamhouse() : Acceptance("streamhouse") {}

  void create_topic() const {
    sql("BEGIN; INSERT INTO topics VALUES "
        "('events',3,86400000,1769000000000,1769000000000,'{\"compression\":\"lz4\",\"retention.policy\":\"delete\"}');"
        "INSERT INTO partitions SELECT 'events',g,0,1769000000000,1769000000000 FROM generate_series(0,2) g; COMMIT;");
  }
  void flush_first() const {
    sql("INSERT INTO segments VALUES "
        "('seg-a','events',0,0,4999,5000,1048576,'bucket','events/0/00000000.seg',1769000001000);"
        "UPDATE partitions SET high_watermark=5000, updated_at=1769000001000 WHERE topic='events' AND partition_id=0;");
  }
  void flush_second() const {
    sql("INSERT INTO segments VALUES "
        "('seg-b','events',0,5000,9999,5000,1048576,'bucket','events/0/00005000.seg',1769000002000);"
        "UPDATE partitions SET high_watermark=10000, updated_at=1769000002000 WHERE topic='events' AND "
        "partition_id=0;");
  }
  void commit_offset() const {
    sql("INSERT INTO consumer_groups VALUES ('billing',1769000002000,1769000002000);"
        "INSERT INTO consumer_offsets VALUES ('billing','events',0,4200,NULL,1769000002000) ON CONFLICT "
        "(group_id,topic,partition_id) DO UPDATE SET committed_offset=EXCLUDED.committed_offset");
  }
  void register_agents() const {
    const std::string now = std::to_string(now_ms());
    for (const char* number : {"1", "2"}) {
      sql("INSERT INTO agents VALUES ('agent-" + std::string(number) + "','10.0.0." + number + ":9000','zone-a'," +
          "'writers'," + now + "," + now + ",'{}')");
    }
  }
  // As the application takes a lease: who finds one that has not expired changes nothing.
  void ask_for_lease(const std::string& agent, long now, long expires) const {
    const std::string at = std::to_string(now);
    const auto otherwise = [&at](const std::string& column) {
      return column + " = CASE WHEN l.lease_expires_at <= " + at + " THEN EXCLUDED." + column + " ELSE l." + column +
             " END";
    };
    sql("INSERT INTO partition_leases AS l VALUES ('events',0,'" + agent + "'," + std::to_string(expires) + "," + at +
        ",1) ON CONFLICT (topic,partition_id) DO UPDATE SET " + otherwise("leader_agent_id") + ", " +
        otherwise("lease_expires_at") + ", " + otherwise("acquired_at"));
  }
};

TEST_P(AcceptanceStreamhouse, SA1FlushAndFind) {
  run();
  // A watermark never stands before its segment (S2).
  Onlooker onlooker(redis().socket_path(), [](RedisClient& reader) -> std::optional<std::string> {
    const std::string seen =
        reader.command("EVAL",
                       "local mark = tonumber(redis.call('HGET', KEYS[1], 'high_watermark') or '0') "
                       "local last = redis.call('ZRANGE', KEYS[2], 0, 0, 'REV')[1] "
                       "if mark == 0 then return '' end "
                       "if not last then return 'watermark ' .. mark .. ' without a segment' end "
                       "local covered = tonumber(redis.call('HGET', KEYS[3] .. last, 'end_offset') or '-1') + 1 "
                       "return covered < mark and 'watermark ' .. mark .. ', segments to ' .. covered or ''",
                       "3", "sh:part:events:0", "sh:seg:events:0", "sh:segment:events:0:");
    return seen;
  });
  create_topic();
  flush_first();
  interrupt();
  flush_second();
  commit_offset();
  EXPECT_TRUE(answers("HGET sh:topic:events partition_count", "3"));
  EXPECT_TRUE(answers("ZRANGE sh:parts:events 0 -1", "0\n1\n2"));
  EXPECT_TRUE(answers("ZRANGE sh:seg:events:0 7321 -inf BYSCORE REV LIMIT 0 1", "5000"));
  EXPECT_TRUE(answers("HMGET sh:segment:events:0:5000 s3_key end_offset", "events/0/00005000.seg\n9999"));
  // Offset 10000: the last segment that begins before it ends before it.
  EXPECT_TRUE(answers("ZRANGE sh:seg:events:0 10000 -inf BYSCORE REV LIMIT 0 1", "5000"));
  EXPECT_LT(number("HGET sh:segment:events:0:5000 end_offset"), 10000);
  EXPECT_TRUE(answers("HGET sh:part:events:0 high_watermark", "10000"));
  EXPECT_TRUE(answers("HGET sh:offsets:billing events:0", "4200"));
  EXPECT_TRUE(answers("SMEMBERS sh:topics:cfg:compression:lz4", "events"));
  EXPECT_TRUE(answers("SMEMBERS sh:topics:cfg:retention.policy:delete", "events"));
  EXPECT_TRUE(answers("ZRANGE sh:topics 0 9 REV", "events"));
  sql("UPDATE topics SET config=config||'{\"compression\":\"zstd\"}' WHERE name='events';");
  EXPECT_TRUE(answers("SISMEMBER sh:topics:cfg:compression:zstd events", "1"));
  EXPECT_TRUE(answers("SISMEMBER sh:topics:cfg:compression:lz4 events", "0"));
  EXPECT_TRUE(answers("SISMEMBER sh:topics:cfg:retention.policy:delete events", "1"));
  expect_unseen(onlooker);
  expect_verified();
}

// Not here: the metric leases_expired_without_renewal_ratio and its alert. The program has neither yet.
TEST_P(AcceptanceStreamhouse, SA2LeasesExpireWithoutAnyEventAndATakeoverMovesTheIndex) {
  create_topic();
  register_agents();
  run();
  const long expires = now_ms() + 3000;
  ask_for_lease("agent-1", now_ms(), expires);
  EXPECT_TRUE(answers("HMGET sh:lease:events:0 leader_agent_id epoch", "agent-1\n1"));
  const long left = number("PTTL sh:lease:events:0");
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 3000);
  EXPECT_TRUE(answers("ZSCORE sh:agent:agent-1:leases events:0", std::to_string(expires)));

  ask_for_lease("agent-2", now_ms(), now_ms() + 30000);  // lost: an UPDATE that changes nothing
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(answers("HGET sh:lease:events:0 leader_agent_id", "agent-1"));
  EXPECT_LE(number("PTTL sh:lease:events:0"), left) << "it keeps falling";
  EXPECT_TRUE(answers("ZSCORE sh:agent:agent-2:leases events:0", "(nil)"));

  EXPECT_TRUE(answers("EXISTS sh:lease:events:0", "0")) << "with no statement";
  EXPECT_GE(now_ms(), expires - 50) << "and not before its time";
  interrupt();
  EXPECT_TRUE(answers("EXISTS sh:lease:events:0", "0")) << "a lease of before the crash stays expired";

  sql("UPDATE partition_leases SET leader_agent_id='agent-2', lease_expires_at=" + std::to_string(now_ms() + 30000) +
      ", epoch=epoch+1 WHERE topic='events' AND partition_id=0;");
  EXPECT_TRUE(answers("HMGET sh:lease:events:0 leader_agent_id epoch", "agent-2\n2"));
  EXPECT_TRUE(answers("ZSCORE sh:agent:agent-1:leases events:0", "(nil)"));
  EXPECT_NE(redis().command("ZSCORE", "sh:agent:agent-2:leases", "events:0"), "(nil)");
  EXPECT_TRUE(members_are("ZRANGE sh:agents:g:writers 0 -1", {"agent-1", "agent-2"}));
  EXPECT_TRUE(answers("EXISTS sh:agent:agent-2", "1"));

  sql("DELETE FROM agents WHERE agent_id='agent-2'");
  EXPECT_TRUE(answers("EXISTS sh:lease:events:0 sh:agent:agent-2 sh:agent:agent-2:leases", "0"));
  EXPECT_TRUE(answers("ZRANGE sh:agents:g:writers 0 -1", "agent-1"));
  expect_verified();
}

TEST_P(AcceptanceStreamhouse, SA3TenThousandPartitionsRetentionCascadeTruncate) {
  create_topic();
  flush_first();
  flush_second();
  commit_offset();
  run();
  sql("BEGIN; INSERT INTO topics VALUES ('big',10000,NULL,1,1); "
      "INSERT INTO partitions SELECT 'big',g,0,1,1 FROM generate_series(0,9999) g; COMMIT;");
  EXPECT_TRUE(answers("ZCARD sh:parts:big", "10000", seconds(5)));
  std::string first_page = "0";
  for (int partition = 1; partition < 100; ++partition) first_page += "\n" + std::to_string(partition);
  EXPECT_TRUE(answers("ZRANGE sh:parts:big 0 99", first_page));
  EXPECT_TRUE(answers("HEXISTS sh:topic:big retention_ms", "0"));
  EXPECT_TRUE(answers("HGET sh:topic:big partition_count", "10000"));

  interrupt();
  sql("DELETE FROM segments WHERE topic='events' AND partition_id=0 AND end_offset < 5000;");
  EXPECT_TRUE(answers("ZCARD sh:seg:events:0", "1"));
  EXPECT_TRUE(answers("EXISTS sh:segment:events:0:0", "0"));

  sql("DELETE FROM topics WHERE name='big'");
  EXPECT_TRUE(answers("EXISTS sh:parts:big", "0", seconds(5)));
  EXPECT_TRUE(keys_are("sh:part:big:*", 0, seconds(5)));

  register_agents();
  ask_for_lease("agent-1", now_ms(), now_ms() + 30000);
  EXPECT_TRUE(answers("EXISTS sh:lease:events:0", "1"));
  EXPECT_TRUE(answers("EXISTS sh:agent:agent-1 sh:agent:agent-2", "2"));
  sql("TRUNCATE topics CASCADE");
  for (const char* pattern : {"sh:topic:*", "sh:part:*", "sh:seg:*", "sh:segment:*", "sh:lease:*", "sh:offsets:*"}) {
    EXPECT_TRUE(keys_are(pattern, 0));
  }
  // Agents are untouched. (sh:agent:agent-1:leases was a key of the leases, and went with them.)
  EXPECT_TRUE(answers("EXISTS sh:agent:agent-1 sh:agent:agent-2", "2"));
  EXPECT_EQ(redis().keys("sh:agent:*").size(), 2U);
  EXPECT_TRUE(answers("EXISTS sh:group:billing", "1"));
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceStreamhouse, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
