// What bitmap and roaring share: members that are whole numbers from 0 on, given by an expression.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>

#include "sinks/member_write.h"

namespace walrelay::sinks {

class NumberedMemberWrite : public MemberWrite {
 public:
  NumberedMemberWrite(const BindContext& context, const MemberKind& kind, const MemberScripts& scripts,
                      const char* parameter, Expectation::Type type)
      : MemberWrite(context, kind, scripts, only(context, parameter), {}), parameter_(parameter), type_(type) {}

 protected:
  void append_value(replication::Row, std::string&) final {}
  void expect_member(std::string_view, Expectation& expected) const final { expected.type = type_; }
  // Redis ends at 512 MiB of bits, a RoaringBitmap at 32 bits: the same number.
  void check_member(std::string_view member) const final {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(member.data(), member.data() + member.size(), number);
    if (error == std::errc() && end == member.data() + member.size()) return;
    throw RowError(site() + ": \"" + parameter_ + "\" of a row is no whole number from 0 to 4294967295");
  }

 private:
  static BoundTemplate only(const BindContext& context, const char* parameter) {
    const std::size_t column = *context.expression(parameter);
    return {{{"", column, false, context.type_of(column)}}, ""};
  }

  const char* const parameter_;
  const Expectation::Type type_;
};

}  // namespace walrelay::sinks
