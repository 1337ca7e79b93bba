// How members of shared keys are put, taken and truncated by script (member_write.h). Private to the member kinds.
#pragma once

#include <string>
#include <string_view>

#include "sinks/glob.h"
#include "sinks/member_write.h"

namespace walrelay::sinks {

struct MemberPlace {
  std::string_view key, member, value;
};

// walrelay:{slot}:support:<write>:<bytes of key>:<key><member>
std::string support_key(const std::string& prefix, std::string_view key, std::string_view member);
// What it names; nothing for another key.
std::optional<MemberPlace> place_of_support_key(const std::string& prefix, std::string_view support_key);

void append_hold(const MemberScripts& scripts, std::uint32_t write, std::string_view support_key, std::string_view id,
                 bool add, const MemberPlace& place, Batch& batch);
void append_place_tracked(const MemberScripts& scripts, std::uint32_t write, std::string_view track_key,
                          std::string_view id, std::string_view support, bool there, const MemberPlace& place,
                          Batch& batch);
void append_purge(const MemberScripts& scripts, std::uint32_t write, std::string_view support_key,
                  const MemberPlace& place, Batch& batch);

// Members by their form: as the write could have made them.
MemberRemoval plain_removal(const MemberKind& kind, std::uint32_t write, KeyMatcher member);
// Rows of one table in the sets of those that support a member.
MemberRemoval support_removal(const MemberScripts& scripts, std::uint32_t write, std::string prefix,
                              std::string id_prefix);
// Rows of one table in the hash of where each stands.
MemberRemoval track_removal(const MemberScripts& scripts, std::uint32_t write, std::string support);

}  // namespace walrelay::sinks
