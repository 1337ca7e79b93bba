// What an application asks for by pg_logical_emit_message(transactional, 'walrelay', content): JSON, one object.
//
//   {"invalidate": "cache:asset:*"}   or a list of globs        as the kind invalidate does with a pattern
//   {"publish": {"channel": "news", "message": "..."}}   or a list of them
//
// The two may stand together; what is to be removed then comes first. Empty content asks for nothing: walrelay's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sinks/batch.h"

namespace walrelay::sinks {

inline constexpr std::string_view kMessagePrefix = "walrelay";

// Appends what it asks for, all or nothing; gives what is wrong with it, without a part of it, or "".
std::string append_emitted(std::string_view content, std::uint32_t write, const std::string& again_key, Batch& batch);

}  // namespace walrelay::sinks
