// What the reference of the command line says that no option says.
#pragma once

#include <array>

namespace walrelay::sidecar {

struct Explained {
  const char* what;
  const char* meaning;
};

inline constexpr std::array<Explained, 9> kExitCodes = {{
    {"0", "Done; also after SIGTERM."},
    {"1", "Something that has no code of its own; healthcheck: not healthy, or nobody answers."},
    {"2", "The command line, or a request that cannot be met."},
    {"3", "verify found differences."},
    {"4", "PostgreSQL: the message says what to change there."},
    {"5", "Redis: likewise."},
    {"6", "A gap that only a rebuild closes, with on_gap: halt."},
    {"75", "wait: not in time; try again."},
    {"78", "The configuration."},
}};

inline constexpr std::array<Explained, 6> kVariables = {{
    {"WALRELAY_CONFIG", "The configuration file, where --config is not given."},
    {"WALRELAY_*", "Any key of the configuration, in capitals, its dots as underscores: WALRELAY_HTTP_LISTEN."},
    {"DATABASE_URL, PG_URL, PG*", "PostgreSQL's address, where the configuration has none."},
    {"REDIS_URL", "Redis' address, likewise."},
    {"NO_COLOR", "Set to anything but nothing: no colours."},
    {"NOTIFY_SOCKET, WATCHDOG_USEC", "Set by systemd: where it is told what the service does, and how often."},
}};

inline constexpr std::array<Explained, 4> kSignals = {{
    {"SIGTERM, SIGINT", "Sends what is complete, confirms it and ends; a second one ends at once."},
    {"SIGHUP", "Reads the configuration again; with any mistake in it the old one stays in force."},
    {"SIGUSR1", "Logs more: one level up, at most trace; until the configuration is read again."},
    {"SIGUSR2", "Logs less: one level down, at most error."},
}};

inline constexpr std::array<Explained, 4> kExamples = {{
    {"walrelay check && walrelay run", "See whether both sides are as they must be, then run."},
    {"walrelay status --watch", "Look at the one that runs."},
    {"walrelay wait --caught-up --timeout 5m && exec my-application",
     "Begin only when Redis holds what PostgreSQL holds."},
    {"walrelay verify --sample 10 -o json", "Compare a tenth of the rows."},
}};

}  // namespace walrelay::sidecar
