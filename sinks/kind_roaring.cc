// roaring: a row is a value of a RoaringBitmap, kept as a string in the portable format, as the RoaringBitmap libraries
// of all languages read it. Values that others have put there stay.
//
//   there      a script that adds it        not there      a script that takes it; DEL where no value is left
#include "sinks/bit_member.h"
#include "sinks/roaring_script.h"

namespace walrelay::sinks {

Kind roaring_kind();

namespace {

const Script& change_script(bool add) {
  static const Script adding(roaring_functions() + "roaring_change(KEYS[1], ARGV[1], true) return 1");
  static const Script taking(roaring_functions() + "roaring_change(KEYS[1], ARGV[1], false) return 1");
  return add ? adding : taking;
}

void change(bool there, std::uint32_t write, std::string_view key, std::string_view member, Batch& batch) {
  batch.open_script(write, key, member, Effect::whole);
  batch.command(5);
  change_script(there).begin(batch);
  batch.argument(key);
  batch.member(member);
  batch.close();
}

void add(std::uint32_t write, std::string_view key, std::string_view member, std::string_view, Batch& batch) {
  change(true, write, key, member, batch);
}

void take(std::uint32_t write, std::string_view key, std::string_view member, Batch& batch) {
  change(false, write, key, member, batch);
}

// The bodies of add() and take() in Lua begin with what they call.
const std::string& lua_add() {
  static const std::string text = roaring_functions() + "roaring_change(key, member, true)";
  return text;
}
const std::string& lua_take() {
  static const std::string text = roaring_functions() + "roaring_change(key, member, false)";
  return text;
}

const MemberKind& kind() {
  static const MemberKind the_kind{OwnedKeys::Members::roaring, true, false, "", lua_add().c_str(),
                                   lua_take().c_str(),          add,  take};
  return the_kind;
}

const MemberScripts& scripts() {
  static const MemberScripts all(kind());
  change_script(true);
  roaring_has_script();
  return all;
}

}  // namespace

Kind roaring_kind() {
  using Shape = ParameterShape;
  scripts();
  return {
      {"roaring",
       "Each row is a value of a RoaringBitmap in the portable format; what others have put into it stays.",
       {{"key", Shape::template_, true, {}, "The bitmap's key, as in \"index:{name}:{part}\"."},
        {"value", Shape::expression, true, {}, "A whole number from 0 to 4294967295."},
        {"when", Shape::expression, false, {}, "Only rows for which it is true are in it."},
        {"shared", Shape::flag, false, {}, "Whether several rows may support one value; known from the expressions."},
        {"track", Shape::choice, false, {"redis"}, "Keep in Redis where each row stands, for a narrow identity."}}},
      false,
      nullptr,
      [](const BindContext& context) -> std::unique_ptr<Write> {
        return std::make_unique<NumberedMemberWrite>(context, kind(), scripts(), "value", Expectation::Type::value);
      },
      true};
}

}  // namespace walrelay::sinks
