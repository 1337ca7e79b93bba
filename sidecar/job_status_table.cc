// A job's state in a table of the source database, for programs that look there: reindex.status_table (job_runner.h).
//
//   (index_name, status, granularity, partition_num, total_records, processed_records, started_at, completed_at,
//    error_message), unique (index_name, status): while a job runs its row says RUNNING, afterwards how it ended.
#include "sidecar/job_runner.h"
#include "sidecar/log.h"

namespace walrelay::sidecar {

namespace {

using Parameter = std::optional<std::string>;

Parameter asked(const Job& job, const char* name) {
  const auto found = job.asked.find(name);
  return found == job.asked.end() ? std::nullopt : Parameter(found->second);
}

Parameter seconds(std::int64_t us) {
  return us == 0 ? std::nullopt : Parameter(std::to_string(static_cast<double>(us) / 1e6));
}

// Not `quoted`: newer headers bring std::quoted, which a std::string argument finds.
std::string quoted_table(const std::string& table) {
  const std::size_t dot = table.find('.');
  if (dot == std::string::npos) return "public." + replication::quote_identifier(table);
  return replication::quote_identifier(table.substr(0, dot)) + "." +
         replication::quote_identifier(table.substr(dot + 1));
}

}  // namespace

// A table that cannot be written is a warning: the job goes on.
event::Task<> JobRunner::note_in_table(std::string slice) {
  const Job* job = board_.find(slice);
  if (job == nullptr || job->kind != JobKind::rebuild || job->dry_run || postgres_ == nullptr) co_return;
  const auto table = options_.status_tables.find(job->mapping);
  if (table == options_.status_tables.end()) co_return;
  const std::string name = quoted_table(table->second);
  const std::string what = "note the job in table \"" + table->second + "\"";
  std::vector<Parameter> of{job->mapping};
  std::vector<Parameter> row{job->mapping,
                             name_of(job->status),
                             asked(*job, "granularity"),
                             asked(*job, "partition"),
                             std::to_string(job->total),
                             std::to_string(job->processed),
                             seconds(job->started_us),
                             seconds(job->completed_us),
                             job->error.empty() ? std::nullopt : Parameter(job->error)};
  try {
    auto removing =
        postgres_->query("DELETE FROM " + name + " WHERE index_name = $1 AND status = 'RUNNING'", std::move(of), what);
    co_await std::move(removing);
    auto writing = postgres_->query(
        "INSERT INTO " + name +
            " (index_name, status, granularity, partition_num, total_records, processed_records, started_at, "
            "completed_at, error_message) VALUES ($1, $2, $3, CASE WHEN $4 ~ '^-?[0-9]{1,9}$' THEN $4::int END, "
            "$5::bigint, $6::bigint, "
            "to_timestamp($7::float8), "
            "to_timestamp($8::float8), $9) ON CONFLICT (index_name, status) DO UPDATE SET granularity = "
            "excluded.granularity, partition_num = excluded.partition_num, total_records = excluded.total_records, "
            "processed_records = excluded.processed_records, started_at = excluded.started_at, completed_at = "
            "excluded.completed_at, error_message = excluded.error_message",
        std::move(row), what);
    co_await std::move(writing);
  } catch (const replication::PostgresError& error) {
    log::warn(error.what());
  }
}

}  // namespace walrelay::sidecar
