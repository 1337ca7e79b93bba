// bitmap: a row is a bit. The key goes with its last bit.
//
//   there      SETBIT key bit 1        not there      a script: SETBIT key bit 0; DEL where no bit is left
#include "sinks/bit_member.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind bitmap_kind();

namespace {

#define WALRELAY_TAKE_BIT(key, member)                                                           \
  "if redis.call('GETBIT', " key ", " member ") == 1 then redis.call('SETBIT', " key ", " member \
  ", 0) end if redis.call('BITPOS', " key ", 1) == -1 then redis.call('DEL', " key ") end"

const Script& take_script() {
  static const Script script(WALRELAY_TAKE_BIT("KEYS[1]", "ARGV[1]") " return 1");
  return script;
}

void add(std::uint32_t write, std::string_view key, std::string_view member, std::string_view, Batch& batch) {
  static const std::string kSetbit = resp::bulk("SETBIT"), kOne = resp::bulk("1");
  batch.open(write, key, member, Effect::whole);
  batch.command(4);
  batch.rendered(kSetbit);
  batch.argument(key);
  batch.member(member);
  batch.rendered(kOne);
  batch.close();
}

void take(std::uint32_t write, std::string_view key, std::string_view member, Batch& batch) {
  batch.open_script(write, key, member, Effect::whole);
  batch.command(5);
  take_script().begin(batch);
  batch.argument(key);
  batch.member(member);
  batch.close();
}

const MemberKind kKind{OwnedKeys::Members::bits,           true, false, "", "redis.call('SETBIT', key, member, 1)",
                       WALRELAY_TAKE_BIT("key", "member"), add,  take};

const MemberScripts& scripts() {
  static const MemberScripts all(kKind);
  take_script();
  return all;
}

}  // namespace

Kind bitmap_kind() {
  using Shape = ParameterShape;
  scripts();
  return {{"bitmap",
           "Each row is a bit of a bitmap, which goes with its last bit.",
           {{"key", Shape::template_, true, {}, "The bitmap's key, as in \"seen:{meter}\"."},
            {"bit", Shape::expression, true, {}, "Its offset, a whole number from 0 on."},
            {"when", Shape::expression, false, {}, "Only rows for which it is true are set."},
            {"shared", Shape::flag, false, {}, "Whether several rows may support one bit; known from the expressions."},
            {"track", Shape::choice, false, {"redis"}, "Keep in Redis where each row stands, for a narrow identity."}}},
          false,
          nullptr,
          [](const BindContext& context) -> std::unique_ptr<Write> {
            return std::make_unique<NumberedMemberWrite>(context, kKind, scripts(), "bit", Expectation::Type::bit);
          },
          true};
}

}  // namespace walrelay::sinks
