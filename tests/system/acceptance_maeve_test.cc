// examples/maeve: tokens, settings out of JSON, transactions with their meter values, local lists, reservations (M-A1
// to M-A3).
#include "tests/system/acceptance_fixture.h"

namespace walrelay::support {
namespace {

using testing::HasSubstr;

class AcceptanceMaeve : public Acceptance {
 protected:
  AcceptanceMaeve() : Acceptance("maeve") {}

  void token(const std::string& uid, const std::string& contract) const {
    sql("INSERT INTO tokens (country_code,party_id,type,uid,contract_id,visual_number,issuer,valid,cache_mode,"
        "last_updated) VALUES ('GB','TWK','RFID','" +
        uid + "','" + contract + "',NULL,'Thoughtworks',true,'ALWAYS','2026-02-05 10:00:00');");
  }
  testing::AssertionResult token_is(const std::string& valid, const std::string& updated) {
    return json_is(
        "mv:token:DEADBEEF",
        R"('{"Uid":"DEADBEEF","CountryCode":"GB","PartyId":"TWK","Type":"RFID","ContractId":"GBTWK012345678V",
      "VisualNumber":null,"Issuer":"Thoughtworks","GroupId":null,"Valid":)" +
            valid + R"(,"LanguageCode":null,"CacheMode":"ALWAYS","LastUpdated":")" + updated + R"("}')");
  }
  void station() const {
    sql("INSERT INTO charge_stations VALUES ('cs001',2,'c2VjcmV0',false);"
        "INSERT INTO charge_station_runtime (charge_station_id,ocpp_version) VALUES ('cs001','1.6');"
        "INSERT INTO charge_station_settings (charge_station_id,settings) VALUES ('cs001',"
        R"('{"HeartbeatInterval":{"Value":"60","Status":"Pending","SendAfter":"2026-02-05T10:00:00Z"},)"
        R"("MeterValueSampleInterval":{"Value":"30","Status":"Accepted","SendAfter":"2026-02-05T09:00:00Z"}}'))");
  }
  void settings(const std::string& expression) const {
    sql("UPDATE charge_station_settings SET settings = " + expression + " WHERE charge_station_id='cs001'");
  }
  testing::AssertionResult settings_are(const std::map<std::string, std::string>& expected) {
    return eventually_equal([] { return redis().hgetall("mv:cs:cs001:settings"); }, expected);
  }
  // A local list that holds TAG-A and TAG-B as version 6.
  void local_list() const {
    sql("INSERT INTO local_auth_list_entries (charge_station_id,id_tag,status) VALUES ('cs001','TAG-A','Accepted'),"
        "('cs001','TAG-B','Accepted'); INSERT INTO local_auth_list_versions VALUES ('cs001',6)");
  }
};

TEST_P(AcceptanceMaeve, MA1ATableWhoseIdentityIsAnotherIsRefusedWithTheStatementToRun) {
  sql("ALTER TABLE tokens REPLICA IDENTITY DEFAULT");
  launch_as(example_options());
  EXPECT_NE(walrelay().wait(), 0);
  EXPECT_THAT(walrelay().log(), HasSubstr("uid"));
  EXPECT_THAT(walrelay().log(), HasSubstr("ALTER TABLE"));
  EXPECT_THAT(walrelay().log(), AllOf(HasSubstr("REPLICA IDENTITY USING INDEX "), HasSubstr("tokens_uid_unique")));
  const auto checked = walrelay().command({"check"});
  EXPECT_NE(checked.status, 0);
  EXPECT_THAT(checked.output + checked.errors,
              AllOf(HasSubstr("REPLICA IDENTITY USING INDEX "), HasSubstr("tokens_uid_unique")));
  sql("ALTER TABLE tokens REPLICA IDENTITY USING INDEX tokens_uid_unique");
  token("DEADBEEF", "GBTWK012345678V");
  walrelay().start();
  walrelay().wait_ready();
  interrupt();
  EXPECT_TRUE(token_is("true", "2026-02-05T10:00:00Z"));
  expect_verified();
}

TEST_P(AcceptanceMaeve, MA1Token) {
  run();
  token("DEADBEEF", "GBTWK012345678V");
  EXPECT_TRUE(token_is("true", "2026-02-05T10:00:00Z"));
  EXPECT_TRUE(answers("SMEMBERS mv:token:contract:GBTWK012345678V", "DEADBEEF"));
  EXPECT_TRUE(answers("SISMEMBER mv:tokens:valid DEADBEEF", "1"));
  interrupt();
  sql("UPDATE tokens SET valid=false, last_updated='2026-02-05 10:30:00' WHERE uid='DEADBEEF';");
  EXPECT_TRUE(token_is("false", "2026-02-05T10:30:00Z"));
  EXPECT_TRUE(answers("SISMEMBER mv:tokens:valid DEADBEEF", "0"));
  sql("DELETE FROM tokens WHERE uid='DEADBEEF';");
  EXPECT_TRUE(answers("EXISTS mv:token:DEADBEEF", "0"));
  EXPECT_TRUE(answers("SMEMBERS mv:token:contract:GBTWK012345678V", ""));

  sql("ALTER TABLE tokens ADD COLUMN note text DEFAULT 'x'");
  token("FEED", "GBTWK000000001V");
  EXPECT_TRUE(answers("EXISTS mv:token:FEED", "1"));
  interrupt();
  sql("UPDATE tokens SET uid='FEED2' WHERE uid='FEED'");
  EXPECT_TRUE(answers("EXISTS mv:token:FEED2", "1"));
  EXPECT_TRUE(answers("EXISTS mv:token:FEED", "0"));
  EXPECT_TRUE(answers("SMEMBERS mv:token:contract:GBTWK000000001V", "FEED2"));
  EXPECT_TRUE(answers("ZRANGE mv:tokens 0 -1", "FEED2"));
  expect_verified();
}

TEST_P(AcceptanceMaeve, MA2SettingsOutOfJson) {
  run();
  station();
  EXPECT_TRUE(settings_are({{"HeartbeatInterval", "60"}, {"MeterValueSampleInterval", "30"}}));
  EXPECT_TRUE(answers("ZSCORE mv:settings:pending cs001", "1770285600000"));
  EXPECT_TRUE(answers("ZRANGE mv:cs:settings:index - + BYLEX LIMIT 0 50", "cs001"));
  EXPECT_TRUE(answers("HGET mv:cs:cs001:runtime ocpp_version", "1.6"));
  EXPECT_TRUE(answers("HEXISTS mv:cs:cs001:runtime vendor", "0"));
  EXPECT_TRUE(answers("HGET mv:cs:cs001:auth security_profile", "2"));
  EXPECT_TRUE(answers("HEXISTS mv:cs:cs001:auth base64_sha256_password", "0"));
  interrupt();
  settings(R"('{"HeartbeatInterval":{"Value":"60","Status":"Accepted","SendAfter":"2026-02-05T10:00:00Z"}}')");
  EXPECT_TRUE(settings_are({{"HeartbeatInterval", "60"}}));
  EXPECT_TRUE(answers("ZSCORE mv:settings:pending cs001", "(nil)"));

  // 400 keys, which are stored apart: an UPDATE of another column leaves them out of the stream.
  settings(
      "(SELECT jsonb_object_agg('Key' || n, jsonb_build_object('Value', md5(n::text) || md5('v' || n), 'Status', "
      "'Accepted', 'SendAfter', '2026-02-05T10:00:00Z')) FROM generate_series(1, 400) n)");
  EXPECT_TRUE(answers("HLEN mv:cs:cs001:settings", "400"));
  const auto before = redis().hgetall("mv:cs:cs001:settings");
  interrupt();
  sql("UPDATE charge_station_settings SET updated_at = now() WHERE charge_station_id='cs001'");
  EXPECT_TRUE(caught_up());
  EXPECT_TRUE(settings_are(before));
  EXPECT_TRUE(answers("ZSCORE mv:settings:pending cs001", "(nil)"));

  expect_verified();
  sql("DELETE FROM charge_stations WHERE charge_station_id='cs001'");
  EXPECT_TRUE(answers("EXISTS mv:cs:cs001:auth mv:cs:cs001:settings mv:cs:cs001:runtime", "0"));
  EXPECT_TRUE(answers("ZCARD mv:cs:settings:index", "0"));
  expect_verified();
}

TEST_P(AcceptanceMaeve, MA3TransactionAndMeterValues) {
  run();
  sql("INSERT INTO transactions (id,charge_station_id,token_uid,token_type,meter_start,start_timestamp,offline) VALUES "
      "('tx-1','cs001','DEADBEEF','ISO14443',100,'2026-02-05 10:00:00',false);"
      "INSERT INTO transaction_meter_values (transaction_id,timestamp,sampled_values) VALUES "
      "('tx-1','2026-02-05 10:00:00','[{\"value\":100}]'),('tx-1','2026-02-05 10:30:00','[{\"value\":2100}]');"
      "UPDATE transactions SET last_cost=1.25 WHERE id='tx-1'");
  EXPECT_TRUE(answers("ZRANGE mv:cs:cs001:tx:active +inf -inf BYSCORE REV LIMIT 0 1", "tx-1"));
  EXPECT_TRUE(answers("HGET mv:tx:tx-1 last_cost", "1.2500"));
  EXPECT_TRUE(answers("ZRANGE mv:tx:tx-1:mv 0 -1 WITHSCORES", "1\n1770285600000\n2\n1770287400000"));
  EXPECT_TRUE(answers("HLEN mv:tx:tx-1:mvd", "2"));
  interrupt();
  sql("UPDATE transactions SET meter_stop=4200, stop_timestamp='2026-02-05 11:00:00', stopped_reason='Remote', "
      "updated_seq_no=1 WHERE id='tx-1'");
  EXPECT_TRUE(answers("ZCARD mv:cs:cs001:tx:active", "0"));
  EXPECT_TRUE(answers("ZSCORE mv:cs:cs001:tx tx-1", "1770285600000"));
  EXPECT_TRUE(answers("HGET mv:tx:tx-1 stopped_reason", "Remote"));
  expect_verified();
  sql("DELETE FROM transactions WHERE id='tx-1'");
  EXPECT_TRUE(answers("EXISTS mv:tx:tx-1 mv:tx:tx-1:mv mv:tx:tx-1:mvd", "0"));
  EXPECT_TRUE(answers("ZCARD mv:cs:cs001:tx", "0"));
  expect_verified();
}

TEST_P(AcceptanceMaeve, MA3LocalListIsReplacedAsAWhole) {
  local_list();
  run();
  EXPECT_TRUE(members_are("HKEYS mv:cs:cs001:authlist", {"TAG-A", "TAG-B"}));
  EXPECT_TRUE(answers("GET mv:cs:cs001:authlist:version", "6"));
  Onlooker onlooker(redis().socket_path(), [](RedisClient& reader) -> std::optional<std::string> {
    return reader.command("EVAL",
                          "if redis.call('HLEN', KEYS[1]) == 0 then return 'empty' end "
                          "local old = redis.call('HEXISTS', KEYS[1], 'TAG-A') == 1 "
                          "return old and redis.call('GET', KEYS[2]) == '7' and 'version 7 with TAG-A' or ''",
                          "2", "mv:cs:cs001:authlist", "mv:cs:cs001:authlist:version");
  });
  interrupt();
  sql("BEGIN; DELETE FROM local_auth_list_entries WHERE charge_station_id='cs001';"
      "INSERT INTO local_auth_list_entries (charge_station_id,id_tag,status) VALUES ('cs001','TAG-B','Blocked'),"
      "('cs001','TAG-C','Accepted');"
      "UPDATE local_auth_list_versions SET version=7 WHERE charge_station_id='cs001'; COMMIT;");
  EXPECT_TRUE(members_are("HKEYS mv:cs:cs001:authlist", {"TAG-B", "TAG-C"}));
  EXPECT_TRUE(answers("GET mv:cs:cs001:authlist:version", "7"));
  interrupt();
  expect_unseen(onlooker);
  EXPECT_TRUE(members_are("HKEYS mv:cs:cs001:authlist", {"TAG-B", "TAG-C"}));
  expect_verified();
}

TEST_P(AcceptanceMaeve, MA3ReservationEndsByItself) {
  run();
  sql("INSERT INTO reservations VALUES (42,'cs001',1,'TAG-A',clock_timestamp() + interval '5 s','Accepted')");
  EXPECT_TRUE(answers("HGET mv:cs:cs001:res 1", "42"));
  const long left = number("PTTL mv:res:42");
  EXPECT_GT(left, 0);
  EXPECT_LE(left, 5000);
  interrupt();
  sql("UPDATE reservations SET status='Cancelled' WHERE reservation_id=42");
  EXPECT_TRUE(answers("HEXISTS mv:cs:cs001:res 1", "0"));
  EXPECT_TRUE(answers("EXISTS mv:res:42", "0")) << "it lived for five seconds";
  expect_verified();
}

TEST_P(AcceptanceMaeve, TheOtherTables) {
  run();
  station();
  sql("INSERT INTO charge_station_certificates (charge_station_id, certificate_type, certificate, certificate_id, "
      "certificate_installation_status, send_after) VALUES ('cs001','V2G','PEM','crt-1','Pending','2026-02-05 10:00');"
      "INSERT INTO charge_station_triggers (charge_station_id, message_type, trigger_status, send_after) VALUES "
      "('cs001','StatusNotification','Pending','2026-02-05 10:00:00');"
      "INSERT INTO charge_station_status VALUES ('cs001', true, clock_timestamp());"
      "INSERT INTO connector_status (charge_station_id, connector_id, status) VALUES ('cs001',1,'Available');"
      "INSERT INTO charging_profiles (charge_station_id, charging_profile_id, connector_id, purpose, stack_level) "
      "VALUES "
      "('cs001',7,1,'TxProfile',3); INSERT INTO certificates VALUES ('hash-1','V2G','PEM');"
      "INSERT INTO locations VALUES ('loc-1','GB','TWK','{\"Name\":\"Depot\"}','2026-02-05 10:00:00');"
      "INSERT INTO ocpi_registrations VALUES ('secret-1','REGISTERED');"
      "INSERT INTO ocpi_parties (role, country_code, party_id, url, token) VALUES ('EMSP','GB','TWK','https://x','t')");
  EXPECT_TRUE(answers("HKEYS mv:cs:cs001:certs", "crt-1"));
  EXPECT_TRUE(answers("ZSCORE mv:trigger:pending cs001", "1770285600000"));
  const long online = number("PTTL mv:online:cs001");
  EXPECT_GT(online, 500000);
  EXPECT_LE(online, 600000);
  EXPECT_TRUE(answers("ZRANGE mv:heartbeats 0 -1", "cs001"));
  EXPECT_TRUE(answers("HKEYS mv:cs:cs001:connectors", "1"));
  EXPECT_TRUE(answers("ZRANGE mv:cs:cs001:profiles 0 -1 WITHSCORES", "7\n3"));
  EXPECT_TRUE(answers("GET mv:cert:hash-1", "PEM"));
  EXPECT_TRUE(answers("GET mv:loc:loc-1", "{\"Name\": \"Depot\"}"));
  EXPECT_TRUE(answers("ZSCORE mv:locs loc-1", "1770285600000000"));
  EXPECT_TRUE(answers("GET mv:ocpi:reg:secret-1", "REGISTERED"));
  EXPECT_TRUE(answers("HGET mv:ocpi:party:EMSP:GB:TWK url", "https://x"));
  EXPECT_TRUE(answers("SMEMBERS mv:ocpi:role:EMSP", "GB:TWK"));
  expect_verified();
  interrupt();
  sql("UPDATE charge_station_triggers SET trigger_status='Accepted'; UPDATE charge_station_status SET connected=false;"
      "DELETE FROM ocpi_parties; DELETE FROM charging_profiles; DELETE FROM charge_stations");
  EXPECT_TRUE(answers("ZCARD mv:trigger:pending", "0"));
  EXPECT_TRUE(
      answers("EXISTS mv:online:cs001 mv:ocpi:role:EMSP mv:ocpi:party:EMSP:GB:TWK mv:cs:cs001:profiles "
              "mv:cs:cs001:profile:7 mv:cs:cs001:certs mv:cs:cs001:trigger",
              "0"));
  EXPECT_TRUE(answers("HLEN mv:cs:cs001:connectors", "1")) << "no heir of the station: it stays";
  expect_verified();
}

INSTANTIATE_TEST_SUITE_P(, AcceptanceMaeve, testing::Values(Course::plain, Course::killed), course_name);

}  // namespace
}  // namespace walrelay::support
