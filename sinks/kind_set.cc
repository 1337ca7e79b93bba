// set: a row is a member of a set, or one of several rows that are.
//
//   there      SADD key member        not there      SREM key member
#include "sinks/member_write.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind set_kind();

namespace {

void add(std::uint32_t write, std::string_view key, std::string_view member, std::string_view, Batch& batch) {
  static const std::string kName = resp::bulk("SADD");
  append_member_command(kName, write, key, member, batch);
}

void take(std::uint32_t write, std::string_view key, std::string_view member, Batch& batch) {
  static const std::string kName = resp::bulk("SREM");
  append_member_command(kName, write, key, member, batch);
}

const MemberKind kKind{OwnedKeys::Members::set,           false, false, "SSCAN", "redis.call('SADD', key, member)",
                       "redis.call('SREM', key, member)", add,   take};

const MemberScripts& scripts() {
  static const MemberScripts all(kKind);
  return all;
}

class SetWrite final : public MemberWrite {
 public:
  explicit SetWrite(const BindContext& context) : MemberWrite(context, kKind, scripts(), context.bind("member"), {}) {}

 protected:
  void append_value(replication::Row, std::string&) override {}
  void expect_member(std::string_view, Expectation& expected) const override {
    expected.type = Expectation::Type::set_member;
  }
};

}  // namespace

Kind set_kind() {
  using Shape = ParameterShape;
  scripts();
  return {
      {"set",
       "Each row is a member of a set; a member that several rows support goes with the last of them.",
       {{"key", Shape::template_, true, {}, "The set's key, as in \"queue:{queue}\"."},
        {"member", Shape::template_, true, {}, "The member, as in \"{id}\"."},
        {"when", Shape::expression, false, {}, "Only rows for which it is true are members."},
        {"shared", Shape::flag, false, {}, "Whether several rows may support one member; known from the templates."},
        {"track", Shape::choice, false, {"redis"}, "Keep in Redis where each row stands, for a narrow identity."}}},
      false,
      nullptr,
      [](const BindContext& context) -> std::unique_ptr<Write> { return std::make_unique<SetWrite>(context); },
      true};
}

}  // namespace walrelay::sinks
