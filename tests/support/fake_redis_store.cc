// What the fake Redis holds, and the commands on it.
#include <algorithm>

#include "sinks/digest.h"
#include "tests/support/fake_redis.h"

namespace walrelay::support {

namespace resp_reply {
std::string status(const std::string& text) { return "+" + text + "\r\n"; }
std::string error(const std::string& text) { return "-" + text + "\r\n"; }
std::string integer(long long value) { return ":" + std::to_string(value) + "\r\n"; }
std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }
std::string nil() { return "$-1\r\n"; }
std::string array(const std::vector<std::string>& elements) {
  std::string out = "*" + std::to_string(elements.size()) + "\r\n";
  for (const std::string& element : elements) out += element;
  return out;
}
}  // namespace resp_reply

using namespace resp_reply;

FakeRedis::Fields FakeRedis::hash(const std::string& key) const {
  const auto found = keys.find(key);
  return found == keys.end() ? Fields() : found->second.fields;
}

void FakeRedis::write(const std::string& key, Value value) {
  keys[key] = std::move(value);
  touch(key);
}

void FakeRedis::flush_all() {
  for (const auto& [key, value] : keys) touch(key);
  keys.clear();
}

std::string FakeRedis::run(const Words& words) {
  const std::string& name = words.front();
  const std::string key = words.size() > 1 ? words[1] : "";
  const std::string wrong_type = error("WRONGTYPE Operation against a key holding the wrong kind of value");
  const auto found = keys.find(key);
  const auto is = [&](char type) { return found == keys.end() || found->second.type == type; };
  if (name == "INFO") return bulk("# Server\r\nredis_version:7.0.15\r\n");
  if (name == "ROLE") return array({bulk("master"), integer(0), array({})});
  if (name == "AUTH" || name == "CLIENT" || name == "SELECT" || name == "PING") return status("OK");
  if (name == "WAIT") return integer(std::stoll(words[1]));
  if (name == "WAITAOF") return array({integer(1), integer(0)});
  if (name == "DBSIZE") return integer(static_cast<long long>(keys.size()));
  if (name == "SCAN") return run_scan(words);
  if (name == "SCRIPT") return bulk(sinks::sha1(words.at(2)));
  if (name == "EVALSHA" && on_script) return on_script(words);
  if (name == "EXISTS") {
    return integer(std::count_if(words.begin() + 1, words.end(), [this](const auto& k) { return keys.count(k) != 0; }));
  }
  if (name == "PTTL") return integer(keys.count(key) != 0 ? -1 : -2);
  if (name == "UNLINK" || name == "DEL") {
    long long gone = 0;
    for (std::size_t i = 1; i < words.size(); ++i) {
      gone += static_cast<long long>(keys.erase(words[i]));
      touch(words[i]);
    }
    return integer(gone);
  }
  if (name == "GET") return !is('s') ? wrong_type : found == keys.end() ? nil() : bulk(found->second.text);
  if (name == "SET") {
    write(key, {'s', words[2], {}, {}});
    return status("OK");
  }
  if (name == "INCR") {
    const long long next = (found == keys.end() ? 0 : std::stoll(found->second.text)) + 1;
    write(key, {'s', std::to_string(next), {}, {}});
    return integer(next);
  }
  if (name == "XADD") {
    if (!is('x')) return wrong_type;
    keys[key].type = 'x';
    keys[key].entries.push_back(words);
    return bulk("1-1");
  }
  if (name == "HSET" || name == "HDEL" || name == "HGETALL") return is('h') ? run_hash(words) : wrong_type;
  return error("ERR unknown command '" + name + "', with args beginning with: '" + key + "'");
}

std::string FakeRedis::run_hash(const Words& words) {
  if (words[0] == "HGETALL") {
    std::vector<std::string> all;
    for (const auto& [field, value] : hash(words[1])) {
      all.push_back(bulk(field));
      all.push_back(bulk(value));
    }
    return array(all);
  }
  touch(words[1]);
  Value& value = keys[words[1]];
  value.type = 'h';
  long long changed = 0;
  if (words[0] == "HSET") {
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
      changed += value.fields.insert_or_assign(words[i], words[i + 1]).second ? 1 : 0;
    }
  } else {
    for (std::size_t i = 2; i < words.size(); ++i) changed += static_cast<long long>(value.fields.erase(words[i]));
  }
  if (value.fields.empty()) keys.erase(words[1]);
  return integer(changed);
}

// Two keys a page, so that a scan takes several; a cursor remembers a key, so that removals meanwhile hide none. MATCH
// understands a trailing star only.
std::string FakeRedis::run_scan(const Words& words) {
  std::string prefix;
  const auto match = std::find(words.begin(), words.end(), "MATCH");
  if (match != words.end()) prefix = (match + 1)->substr(0, (match + 1)->size() - 1);
  const auto cursor = static_cast<std::size_t>(std::stoull(words[1]));
  auto at = cursor == 0 ? keys.begin() : keys.lower_bound(cursors_.at(cursor - 1));
  std::vector<std::string> page;
  for (int i = 0; i < 2 && at != keys.end(); ++i, ++at) {
    if (at->first.starts_with(prefix)) page.push_back(bulk(at->first));
  }
  std::string next = "0";
  if (at != keys.end()) {
    cursors_.push_back(at->first);
    next = std::to_string(cursors_.size());
  }
  return array({bulk(next), array(page)});
}

}  // namespace walrelay::support
