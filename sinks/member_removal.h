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
class PlainRemoval final : public MemberRemoval {
 public:
  PlainRemoval(const MemberKind& kind, std::uint32_t write, KeyMatcher member)
      : kind_(kind), write_(write), member_(std::move(member)) {}
  [[nodiscard]] const char* scan() const override { return kind_.scan; }
  [[nodiscard]] bool owns(std::string_view, std::string_view member) const override { return member_(member); }
  void append(Batch& batch, std::string_view home, std::string_view member) const override {
    kind_.take(write_, home, member, batch);
  }

 private:
  const MemberKind& kind_;
  const std::uint32_t write_;
  const KeyMatcher member_;
};

// Rows of one table in the sets of those that support a member.
class SupportRemoval final : public MemberRemoval {
 public:
  SupportRemoval(const MemberScripts& scripts, std::uint32_t write, std::string prefix, std::string id_prefix)
      : scripts_(scripts), write_(write), prefix_(std::move(prefix)), id_prefix_(std::move(id_prefix)) {}
  [[nodiscard]] const char* scan() const override { return "SSCAN"; }
  [[nodiscard]] bool owns(std::string_view, std::string_view id) const override { return id.starts_with(id_prefix_); }
  void append(Batch& batch, std::string_view home, std::string_view id) const override;

 private:
  const MemberScripts& scripts_;
  const std::uint32_t write_;
  const std::string prefix_, id_prefix_;
};

// Rows of one table in the hash of where each stands.
class TrackRemoval final : public MemberRemoval {
 public:
  TrackRemoval(const MemberScripts& scripts, std::uint32_t write, std::string support)
      : scripts_(scripts), write_(write), support_(std::move(support)) {}
  [[nodiscard]] const char* scan() const override { return "HSCAN"; }
  [[nodiscard]] bool owns(std::string_view, std::string_view) const override { return true; }
  void append(Batch& batch, std::string_view home, std::string_view id) const override {
    append_place_tracked(scripts_, write_, home, id, support_, false, {}, batch);
  }

 private:
  const MemberScripts& scripts_;
  const std::uint32_t write_;
  const std::string support_;
};

}  // namespace walrelay::sinks
