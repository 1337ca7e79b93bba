// What a page of a sweep asks PostgreSQL (sweep.h).
#include <simdjson.h>

#include <algorithm>
#include <tuple>

#include "sidecar/sweep_answers.h"
#include "sinks/place.h"

namespace walrelay::sidecar {

using Members = sinks::OwnedKeys::Members;

namespace {

constexpr std::size_t kReadings = 16;           // of one key; with more of them nothing is concluded
constexpr std::size_t kQuestionsAtOnce = 1000;  // in one statement

}  // namespace

// The writes that could have made the place.
std::vector<std::pair<std::size_t, std::size_t>> Sweep::makers(const std::string& place) const {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  const std::size_t between = place.find(sinks::kPlaceSeparator);
  const std::string_view key = std::string_view(place).substr(0, between);
  for (std::size_t o = 0; o < owners_.size(); ++o) {
    const auto& owned = owners_[o]->writer->owned();
    for (std::size_t w = 0; w < owned.size(); ++w) {
      const bool whole = owned[w].members == Members::none;
      if (whole == (between == std::string::npos) && owned[w].owns(key)) found.emplace_back(o, w);
    }
  }
  return found;
}

// One list for each write of each table that is asked, short enough for one statement. Places that are read alike (the
// members of one key, say) are one question.
std::vector<std::vector<Sweep::Question>> Sweep::question(Page& page) {
  using Texts = std::vector<std::pair<std::size_t, std::string>>;
  std::map<std::pair<std::size_t, std::size_t>, std::map<Texts, Question>> open;
  std::vector<sinks::KeyReading> readings;
  for (std::size_t d = 0; d < page.size(); ++d) {
    Doubt& doubt = page[d];
    if (!simdjson::validate_utf8(doubt.place)) continue;  // PostgreSQL has no such text
    const auto all = makers(doubt.place);
    const auto swept = std::find_if(all.begin(), all.end(),
                                    [this](const auto& maker) { return owners_[maker.first]->swept[maker.second]; });
    if (swept == all.end()) continue;
    std::tie(doubt.owner, doubt.write) = *swept;
    for (const auto& [o, w] : all) {
      readings.clear();
      if (!owners_[o]->writer->readings(w, doubt.place, kReadings, readings)) doubt.undecided = true;
      for (auto& reading : readings) {
        Question& question = open[{o, w}][reading.columns];
        question.owner = o;
        question.write = w;
        question.doubts.push_back(d);
        question.reading = std::move(reading);
      }
    }
  }
  std::vector<std::vector<Question>> lists;
  for (auto& [site, questions] : open) {
    auto* list = &lists.emplace_back();
    for (auto& [texts, question] : questions) {
      if (list->size() >= kQuestionsAtOnce) list = &lists.emplace_back();
      list->push_back(std::move(question));
    }
  }
  return lists;
}

}  // namespace walrelay::sidecar
