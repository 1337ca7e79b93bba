// A page of Prometheus' text format while it is being written, and the sections of walrelay's own (metrics.h). Private
// to metrics*.cc.
#pragma once

#include <prometheus/metric_family.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sidecar/status.h"

namespace walrelay::sidecar {

class MetricsPage {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  explicit MetricsPage(std::string slot) : slot_(std::move(slot)) {}

  // Samples of one name come one after another. The slot is a label of each but those of the process itself.
  void gauge(const char* name, const char* help, double value, const Labels& labels = {});
  void counter(const char* name, const char* help, double value, const Labels& labels = {});
  void histogram(const char* name, const char* help, const Histogram& from, const Labels& labels = {});
  [[nodiscard]] std::string text() const;

 private:
  prometheus::ClientMetric& sample(const char* name, const char* help, prometheus::MetricType type,
                                   const Labels& labels);

  std::string slot_;
  std::vector<prometheus::MetricFamily> families_;
};

inline double whole(std::uint64_t value) { return static_cast<double>(value); }
inline double bytes(std::int64_t value) { return static_cast<double>(value); }

void append_changes(MetricsPage& page, const Status& status, std::size_t tables_at_most);
void append_counters(MetricsPage& page, const Status& status);
void append_failures(MetricsPage& page, const Status& status);
void append_servers(MetricsPage& page, const Status& status);
void append_process(MetricsPage& page, const Status& status);

}  // namespace walrelay::sidecar
