#include "sidecar/metrics_page.h"

#include <prometheus/text_serializer.h>

#include <limits>

namespace walrelay::sidecar {

using prometheus::ClientMetric;
using prometheus::MetricType;

void MetricsPage::gauge(const char* name, const char* help, double value, const Labels& labels) {
  sample(name, help, MetricType::Gauge, labels).gauge.value = value;
}

void MetricsPage::counter(const char* name, const char* help, double value, const Labels& labels) {
  sample(name, help, MetricType::Counter, labels).counter.value = value;
}

void MetricsPage::histogram(const char* name, const char* help, const Histogram& from, const Labels& labels) {
  ClientMetric& metric = sample(name, help, MetricType::Histogram, labels);
  metric.histogram.sample_count = from.count();
  metric.histogram.sample_sum = from.sum();
  for (std::size_t i = 0; i < from.bounds().size(); ++i) {
    metric.histogram.bucket.push_back({from.buckets()[i], from.bounds()[i]});
  }
  metric.histogram.bucket.push_back({from.count(), std::numeric_limits<double>::infinity()});
}

std::string MetricsPage::text() const { return prometheus::TextSerializer().Serialize(families_); }

ClientMetric& MetricsPage::sample(const char* name, const char* help, MetricType type, const Labels& labels) {
  if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
  ClientMetric metric;
  if (!std::string_view(name).starts_with("process_")) metric.label.push_back({"slot", slot_});
  for (const auto& [key, value] : labels) metric.label.push_back({key, value});
  families_.back().metric.push_back(std::move(metric));
  return families_.back().metric.back();
}

}  // namespace walrelay::sidecar
