#include "sinks/roaring_script.h"

namespace walrelay::sinks {

namespace {

constexpr const char* kRead = R"lua(local function roaring_read(blob)
  local list = {}
  if not blob or blob == '' then return list end
  local function broken() error('the value is no RoaringBitmap in the portable format') end
  if #blob < 8 then broken() end
  local cookie = struct.unpack('<I4', blob)
  local with_runs = cookie % 65536 == 12347
  local count, at, runs
  if with_runs then
    count = math.floor(cookie / 65536) + 1
    local bytes = math.floor((count + 7) / 8)
    runs, at = string.sub(blob, 5, 4 + bytes), 5 + bytes
  elseif cookie == 12346 then
    count, at = struct.unpack('<I4', blob, 5), 9
  else
    broken()
  end
  if count > 65536 or #blob < at - 1 + 4 * count then broken() end
  for i = 1, count do
    local high, less = struct.unpack('<I2I2', blob, at)
    list[i] = {high = high, card = less + 1}
    at = at + 4
  end
  if not with_runs or count >= 4 then at = at + 4 * count end
  for i = 1, count do
    local c, size = list[i], 8192
    c.kind = 'bits'
    if runs and math.floor(string.byte(runs, math.floor((i - 1) / 8) + 1) / 2 ^ ((i - 1) % 8)) % 2 == 1 then
      if #blob < at + 1 then broken() end
      c.kind, size = 'runs', 2 + 4 * struct.unpack('<I2', blob, at)
    elseif c.card <= 4096 then
      c.kind, size = 'array', 2 * c.card
    end
    c.data = string.sub(blob, at, at + size - 1)
    if #c.data < size then broken() end
    at = at + size
  end
  return list
end

local function roaring_find(list, high)
  local low, past = 1, #list + 1
  while low < past do
    local middle = math.floor((low + past) / 2)
    if list[middle].high < high then low = middle + 1 else past = middle end
  end
  return low, list[low] and list[low].high == high
end

-- Where the value stands or would stand in an array, counted from 0, and whether it does.
local function array_find(data, value)
  local low, past = 0, #data / 2
  while low < past do
    local middle = math.floor((low + past) / 2)
    local there = struct.unpack('<I2', data, 2 * middle + 1)
    if there == value then return middle, true end
    if there < value then low = middle + 1 else past = middle end
  end
  return low, false
end

local function roaring_holds(c, value)
  if c.kind == 'array' then
    local _, there = array_find(c.data, value)
    return there
  end
  if c.kind == 'bits' then
    return math.floor(string.byte(c.data, math.floor(value / 8) + 1) / 2 ^ (value % 8)) % 2 == 1
  end
  for i = 0, struct.unpack('<I2', c.data) - 1 do
    local first, more = struct.unpack('<I2I2', c.data, 3 + 4 * i)
    if value >= first and value <= first + more then return true end
  end
  return false
end
)lua";

constexpr const char* kWrite = R"lua(
local function to_bits(values)
  local bytes, out = {}, {}
  for _, value in ipairs(values) do
    local at = math.floor(value / 8) + 1
    bytes[at] = (bytes[at] or 0) + 2 ^ (value % 8)
  end
  for i = 1, 8192 do out[i] = string.char(bytes[i] or 0) end
  return table.concat(out)
end

local function to_array(values)
  local out = {}
  for i, value in ipairs(values) do out[i] = struct.pack('<I2', value) end
  return table.concat(out)
end

local function values_of(c)
  local values = {}
  if c.kind == 'runs' then
    for i = 0, struct.unpack('<I2', c.data) - 1 do
      local first, more = struct.unpack('<I2I2', c.data, 3 + 4 * i)
      for value = first, first + more do values[#values + 1] = value end
    end
  elseif c.kind == 'bits' then
    for i = 1, 8192 do
      local byte = string.byte(c.data, i)
      for b = 0, 7 do
        if byte % 2 == 1 then values[#values + 1] = (i - 1) * 8 + b end
        byte = math.floor(byte / 2)
      end
    end
  else
    for i = 0, #c.data / 2 - 1 do values[i + 1] = struct.unpack('<I2', c.data, 2 * i + 1) end
  end
  return values
end

local function refit(c, kind)
  if c.kind == kind then return end
  local values = values_of(c)
  c.card, c.kind = #values, kind
  if kind == 'array' then c.data = to_array(values) else c.data = to_bits(values) end
end

local function roaring_alter(c, value, there)
  if c.kind == 'runs' then
    c.card = #values_of(c)
    refit(c, c.card <= 4096 and 'array' or 'bits')
  end
  if there and c.kind == 'array' and c.card == 4096 then refit(c, 'bits') end
  if c.kind == 'array' then
    local at = array_find(c.data, value)
    local after = there and 2 * at + 1 or 2 * at + 3
    c.data = string.sub(c.data, 1, 2 * at) .. (there and struct.pack('<I2', value) or '') .. string.sub(c.data, after)
  else
    local at = math.floor(value / 8) + 1
    local byte = string.byte(c.data, at) + (there and 1 or -1) * 2 ^ (value % 8)
    c.data = string.sub(c.data, 1, at - 1) .. string.char(byte) .. string.sub(c.data, at + 1)
  end
  c.card = c.card + (there and 1 or -1)
  if c.kind == 'bits' and c.card <= 4096 then refit(c, 'array') end
end

local function roaring_write(list)
  local with_runs = false
  for _, c in ipairs(list) do with_runs = with_runs or c.kind == 'runs' end
  local out
  if with_runs then
    local flags = {}
    for i = 1, math.floor((#list + 7) / 8) do flags[i] = 0 end
    for i, c in ipairs(list) do
      local at = math.floor((i - 1) / 8) + 1
      if c.kind == 'runs' then flags[at] = flags[at] + 2 ^ ((i - 1) % 8) end
    end
    for i, flag in ipairs(flags) do flags[i] = string.char(flag) end
    out = {struct.pack('<I4', 12347 + (#list - 1) * 65536), table.concat(flags)}
  else
    out = {struct.pack('<I4I4', 12346, #list), ''}
  end
  for _, c in ipairs(list) do out[#out + 1] = struct.pack('<I2I2', c.high, c.card - 1) end
  if not with_runs or #list >= 4 then
    local at = #out[1] + #out[2] + 8 * #list
    for _, c in ipairs(list) do
      out[#out + 1] = struct.pack('<I4', at)
      at = at + #c.data
    end
  end
  for _, c in ipairs(list) do out[#out + 1] = c.data end
  return table.concat(out)
end

local function roaring_change(key, text, there)
  local number = tonumber(text)
  local high, low = math.floor(number / 65536), number % 65536
  local list = roaring_read(redis.call('GET', key))
  local at, found = roaring_find(list, high)
  if found then
    if roaring_holds(list[at], low) == there then return end
    roaring_alter(list[at], low, there)
    if list[at].card == 0 then table.remove(list, at) end
  else
    if not there then return end
    table.insert(list, at, {high = high, card = 1, kind = 'array', data = struct.pack('<I2', low)})
  end
  if #list == 0 then redis.call('DEL', key) else redis.call('SET', key, roaring_write(list), 'KEEPTTL') end
end
)lua";

constexpr const char* kHas = R"lua(
local number = tonumber(ARGV[1])
local list = roaring_read(redis.call('GET', KEYS[1]))
local at, found = roaring_find(list, math.floor(number / 65536))
if found and roaring_holds(list[at], number % 65536) then return 1 end
return 0
)lua";

}  // namespace

const std::string& roaring_functions() {
  static const std::string text = std::string(kRead) + kWrite;
  return text;
}

const Script& roaring_has_script() {
  static const Script script(std::string(kRead) + kHas);
  return script;
}

}  // namespace walrelay::sinks
