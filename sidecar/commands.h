// What each subcommand does with the arguments; the result is the process's exit code. What they throw is judged in
// cli.cc.
#pragma once

#include "sidecar/arguments.h"
#include "sidecar/job.h"

namespace walrelay::sidecar {

int command_run(const Arguments& arguments);
int command_check(const Arguments& arguments);
int command_explain(const Arguments& arguments);
int command_job(const Arguments& arguments, JobKind kind);
int command_list_letters(const Arguments& arguments);
int command_replay_letters(const Arguments& arguments);
int command_drop_letters(const Arguments& arguments);
int command_status(const Arguments& arguments);
int command_wait(const Arguments& arguments);
int command_healthcheck(const Arguments& arguments);
int command_log_level(const Arguments& arguments);
int command_reload(const Arguments& arguments);
int command_config_schema();
int command_config_example();
int command_config_show(const Arguments& arguments);
int command_version();
int command_mapping_names(const Arguments& arguments);

}  // namespace walrelay::sidecar
