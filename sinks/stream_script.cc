#include "sinks/stream_script.h"

namespace walrelay::sinks {
namespace {

// Positions have 64 bits and Lua's numbers 53: they are compared, and where need be added, as decimals.
constexpr const char* kBody = R"(local function below(a, b) return #a < #b or (#a == #b and a < b) end
local function sum(a, b)
if #a < 16 and #b < 16 then return string.format('%.0f', a + b) end
local out, carry = '', 0
for i = 1, math.max(#a, #b) do
local digit = carry + (tonumber(string.sub(a, -i, -i)) or 0) + (tonumber(string.sub(b, -i, -i)) or 0)
out = digit % 10 .. out
carry = math.floor(digit / 10)
end
if carry > 0 then out = carry .. out end
return out
end
local state, origin, lsn, seq = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local told = redis.call('HMGET', state, 'origin', 'lsn', 'seq', 'offset')
if told[1] == origin and not (below(told[2], lsn) or (told[2] == lsn and below(told[3], seq))) then return 0 end
local offset = told[4] or '0'
local add = {'XADD', KEYS[1]}
if ARGV[5] ~= '' then add[3], add[4], add[5] = 'MAXLEN', '~', ARGV[5] end
local id = #add + 1
for i = 6, #ARGV do add[id + i - 5] = ARGV[i] end
add[id] = sum(offset, lsn) .. '-' .. seq
local reply = redis.pcall(unpack(add))
if type(reply) == 'table' and reply.err and string.find(reply.err, 'equal or smaller', 1, true) then
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do
if info[i] == 'last-generated-id' then offset = sum(string.match(info[i + 1], '^%d+'), '1') end
end
add[id] = sum(offset, lsn) .. '-' .. seq
reply = redis.pcall(unpack(add))
end
if type(reply) == 'table' and reply.err then return reply end
redis.call('HSET', state, 'origin', origin, 'lsn', lsn, 'seq', seq, 'offset', offset)
return reply)";

}  // namespace

const Script& stream_script() {
  static const Script script(kBody);
  return script;
}

}  // namespace walrelay::sinks
