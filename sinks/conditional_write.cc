#include "sinks/conditional_write.h"

namespace walrelay::sinks {
namespace {

std::string body(const std::string& same, const std::string& set) {
  return R"(local key, life, ms = KEYS[1], ARGV[2], ARGV[3]
local ttl = redis.call('PTTL', key)
if ARGV[1] == 'cached' and ttl == -2 then return 0 end
local function same() )" +
         same + R"( end
local function set() )" +
         set + R"( end
if life == 'change' and ttl ~= -2 and same() then
if ttl == -1 or ttl > tonumber(ms) then redis.call('PEXPIRE', key, ms) end
return 0
end
set()
if life == 'keep' and ttl >= 0 then redis.call('PEXPIRE', key, ttl)
elseif life == 'after' or life == 'change' then redis.call('PEXPIRE', key, ms)
elseif life == 'at' then redis.call('PEXPIREAT', key, ms)
elseif life == 'never' then redis.call('PERSIST', key) end
return 1)";
}

std::string_view life_of(const ConditionalWrite::Terms& terms) {
  if (terms.keeps_ttl) return "keep";
  if (terms.on_change) return "change";
  switch (terms.expiry.kind) {
    case Expiry::Kind::after:
      return "after";
    case Expiry::Kind::at:
      return "at";
    case Expiry::Kind::never:
      break;
  }
  return "never";
}

}  // namespace

ConditionalWrite::ConditionalWrite(const std::string& same, const std::string& set) : script_(body(same, set)) {}

void ConditionalWrite::begin(std::string_view key, const Terms& terms, std::size_t arguments, Batch& batch) const {
  batch.command(7 + arguments);
  script_.begin(batch);
  batch.argument(key);
  batch.argument(terms.if_cached ? "cached" : "");
  batch.argument(life_of(terms));
  batch.argument(std::to_string(terms.expiry.ms));
}

}  // namespace walrelay::sinks
