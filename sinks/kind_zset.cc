// zset: a row is a member of a sorted set, with a score.
//
//   there      ZADD key score member        not there      ZREM key member
#include <charconv>
#include <cmath>

#include "sinks/member_write.h"
#include "sinks/resp.h"

namespace walrelay::sinks {

Kind zset_kind();

namespace {

void add(std::uint32_t write, std::string_view key, std::string_view member, std::string_view score, Batch& batch) {
  static const std::string kZadd = resp::bulk("ZADD");
  batch.open(write, key, member, Effect::whole);
  batch.command(4);
  batch.rendered(kZadd);
  batch.argument(key);
  batch.argument(score);
  batch.member(member);
  batch.close();
}

void take(std::uint32_t write, std::string_view key, std::string_view member, Batch& batch) {
  static const std::string kZrem = resp::bulk("ZREM");
  append_member_command(kZrem, write, key, member, batch);
}

const MemberKind kKind{
    OwnedKeys::Members::zset,          false, false, "ZSCAN", "redis.call('ZADD', key, value, member)",
    "redis.call('ZREM', key, member)", add,   take};

const MemberScripts& scripts() {
  static const MemberScripts all(kKind);
  return all;
}

// Redis takes what strtod() takes, but no NaN.
bool is_score(std::string_view text) {
  double score = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), score);
  return error == std::errc() && end == text.data() + text.size() && !std::isnan(score);
}

class ZsetWrite final : public MemberWrite {
 public:
  explicit ZsetWrite(const BindContext& context)
      : ZsetWrite(context, is_score(context.find("score")->text) ? std::nullopt : context.expression("score")) {}

 protected:
  void append_value(replication::Row row, std::string& out) override {
    if (!column_) {
      out.append(constant_);
      return;
    }
    const replication::Value& value = row[*column_];
    if (!value.has_text()) throw RowError(site() + ": the score is NULL in a row; leave such rows out with \"when\"");
    if (!is_score(value.text)) {
      throw RowError(site() + ": the score of a row is no number; a time becomes one by epoch_ms(...)");
    }
    out.append(value.text);
  }
  void expect_member(std::string_view value, Expectation& expected) const override {
    expected.type = Expectation::Type::scored_member;
    expected.value = value;
  }

 private:
  ZsetWrite(const BindContext& context, std::optional<std::size_t> column)
      : MemberWrite(context, kKind, scripts(), context.bind("member"),
                    column ? std::vector<std::size_t>{*column} : std::vector<std::size_t>{}),
        constant_(context.find("score")->text),
        column_(column) {}

  const std::string constant_;
  const std::optional<std::size_t> column_;
};

}  // namespace

Kind zset_kind() {
  using Shape = ParameterShape;
  scripts();
  return {
      {"zset",
       "Each row is a member of a sorted set, with a score.",
       {{"key", Shape::template_, true, {}, "The sorted set's key, as in \"queue:{queue}:due\"."},
        {"member", Shape::template_, true, {}, "The member, as in \"{id}\"."},
        {"score", Shape::expression, true, {}, "A number, or an expression, as in \"epoch_ms(due_at)\"."},
        {"when", Shape::expression, false, {}, "Only rows for which it is true are members."},
        {"shared", Shape::flag, false, {}, "Whether several rows may support one member; known from the templates."},
        {"track", Shape::choice, false, {"redis"}, "Keep in Redis where each row stands, for a narrow identity."}}},
      false,
      nullptr,
      [](const BindContext& context) -> std::unique_ptr<Write> { return std::make_unique<ZsetWrite>(context); },
      true};
}

}  // namespace walrelay::sinks
