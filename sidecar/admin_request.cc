#include "sidecar/admin_request.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "config/values.h"

namespace walrelay::sidecar {

namespace {

constexpr std::int64_t kWaitAtMostMs = 60000;
const std::string kWhere = "where.";

double percentage(std::string_view text) {
  if (text.ends_with('%')) text.remove_suffix(1);
  double percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() || !(percent > 0 && percent <= 100)) {
    throw std::invalid_argument("parameter sample must be a percentage above 0 and at most 100");
  }
  return percent;
}

using Declared = std::vector<config::ReindexParameter>;

// What every job may be asked with.
bool take_option(Job& job, const HttpRequest& request, const std::string& name, const std::string& value) {
  if (name == "table") {
    job.table = value.find('.') == std::string::npos ? "public." + value : value;
  } else if (name == "dry_run" && job.kind == JobKind::rebuild) {
    job.dry_run = flag(request, name);
  } else if (name == "repair" && job.kind == JobKind::verify) {
    job.repair = flag(request, name);
  } else if (name == "show_values" && job.kind == JobKind::verify) {
    job.show_values = flag(request, name);
  } else if (name == "sample" && job.kind == JobKind::verify) {
    job.sample = percentage(value);
  } else if (name.starts_with(kWhere) && name.size() > kWhere.size()) {
    job.where[name.substr(kWhere.size())] = job.asked[name.substr(kWhere.size())] = value;
  } else {
    return name == "wait";
  }
  return true;
}

// A parameter that the mapping declares.
bool take_column(Job& job, const Declared& declared, const std::string& name, const std::string& value) {
  const auto found =
      std::find_if(declared.begin(), declared.end(), [&](const auto& each) { return each.name == name; });
  if (found != declared.end()) {
    job.where[found->column] = job.asked[name] = value;
    return true;
  }
  std::string known;
  for (const auto& each : declared) known += (known.empty() ? "" : ", ") + each.name;
  throw std::invalid_argument("unknown parameter \"" + name + "\" for mapping \"" + job.mapping + "\"; " +
                              (known.empty() ? "it declares none under reindex" : "it has " + known));
}

void add_defaults(Job& job, const Declared& declared) {
  for (const auto& each : declared) {
    if (job.asked.count(each.name) != 0) continue;
    if (!each.default_value) throw std::invalid_argument("parameter \"" + each.name + "\" is missing");
    job.where[each.column] = job.asked[each.name] = *each.default_value;
  }
  if (!job.where.empty()) return;
  throw std::invalid_argument("mapping \"" + job.mapping +
                              "\" declares no parameters: add reindex: {partition: <column>} "
                              "to it, or name a column as where.<column>=<value>");
}

}  // namespace

std::string parameter(const HttpRequest& request, const std::string& name, const std::string& otherwise) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? otherwise : found->second;
}

bool flag(const HttpRequest& request, const std::string& name) {
  const std::string text = parameter(request, name, "false");
  if (text == "true" || text == "1" || text.empty()) return true;
  if (text == "false" || text == "0") return false;
  throw std::invalid_argument("parameter " + name + " must be true or false");
}

// "5s", "250ms"; a bare number is seconds.
std::int64_t duration_ms(const HttpRequest& request, const std::string& name, std::int64_t otherwise) {
  std::string text = parameter(request, name);
  if (text.empty()) return otherwise;
  if (text.find_first_not_of("0123456789") == std::string::npos) text += "s";
  const auto duration = config::parse_duration(text);
  if (!duration) throw std::invalid_argument("parameter " + name + " must be a duration such as 5s");
  return std::min<std::int64_t>(duration->count(), kWaitAtMostMs);
}

Job Admin::job_of(const Route& route, const HttpRequest& request) {
  Job job;
  job.kind = route.kind;
  job.mapping = route.mapping;
  const auto& mappings = supervisor_.in_force().config.mappings;
  const auto mapping = std::find_if(mappings.begin(), mappings.end(),
                                    [&](const config::Mapping& each) { return each.name == route.mapping; });
  const auto declared = mapping == mappings.end() ? Declared() : mapping->reindex;
  bool named = false;
  for (const auto& [name, value] : request.query) {
    if (!take_option(job, request, name, value)) named = take_column(job, declared, name, value) || named;
  }
  if (named || (route.part == Route::Part::partition && job.where.empty())) add_defaults(job, declared);
  return job;
}

}  // namespace walrelay::sidecar
