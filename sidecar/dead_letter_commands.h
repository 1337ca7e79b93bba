// `walrelay dlq list | replay | drop`: what became of rows that could not be written (dead_letters.h). They work on
// Redis itself, so that they do whether a walrelay runs or not; only a replay asks the one that runs, where one
// answers.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "sidecar/policy.h"
#include "sidecar/remote.h"

namespace walrelay::sidecar {

struct ChosenLetters {
  std::vector<std::string> ids;  // or
  bool all = false;
  std::string table;  // only those of this one, "public.users"; empty: any
};

// The oldest `most`, and how many there are. `rows`: with the values of the rows.
ExitCode list_letters(const config::Config& config, const ChosenLetters& chosen, std::size_t most, bool rows,
                      bool json);

// Asks `remote`, where somebody answers there; `must_ask`: it is an error when nobody does. Exit codes: 0; 1: some
// could not be tried again, each with a sentence.
ExitCode replay_letters(const config::Config& config, const ChosenLetters& chosen, const std::optional<Remote>& remote,
                        bool must_ask);

ExitCode drop_letters(const config::Config& config, const ChosenLetters& chosen);

}  // namespace walrelay::sidecar
