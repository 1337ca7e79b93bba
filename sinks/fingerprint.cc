#include "sinks/fingerprint.h"

#include "sinks/digest.h"

namespace walrelay::sinks {
namespace {

// Texts one behind another, so that no two lists of texts give the same.
class Words {
 public:
  Words& add(const std::string& word) {
    text_ += std::to_string(word.size()) + ":" + word;
    return *this;
  }
  template <typename Number>
  Words& number(Number number) {
    return add(std::to_string(number));
  }
  Words& list(const std::vector<std::string>& words) {
    number(words.size());
    for (const std::string& word : words) add(word);
    return *this;
  }
  template <typename Pairs>
  Words& pairs(const Pairs& pairs) {
    number(pairs.size());
    for (const auto& [name, value] : pairs) add(name).add(value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add(const Parameter& parameter, Words& words) {
  words.add(parameter.text).number(parameter.duration.count()).number(parameter.number).number(int{parameter.flag});
  words.list(parameter.include).list(parameter.exclude).pairs(parameter.rename);
  const Lifetime& life = parameter.lifetime;
  words.number(life.constant.count()).add(life.at).add(life.unit).number(life.add.count());
  words.number(life.jitter).number(int{life.on_change});
  const Explode& explode = parameter.explode;
  words.add(explode.column).add(explode.field).add(explode.value).add(explode.where);
}

}  // namespace

std::string fingerprint(const MappingSpec& spec) {
  Words words;
  words.add(spec.table).add(spec.tables).pairs(spec.let);
  words.number(static_cast<int>(spec.identity.form)).list(spec.identity.columns).number(spec.writes.size());
  for (const WriteSpec& write : spec.writes) {
    words.add(write.kind).number(write.parameters.size());
    for (const auto& [name, parameter] : write.parameters) {
      words.add(name);
      add(parameter, words);
    }
  }
  return sha1(words.text());
}

std::map<std::string, std::string> fingerprints(const MappingSet& mappings) {
  if (mappings.default_mapping()) return {{"", "default"}};
  std::map<std::string, std::string> all;
  for (const MappingSpec& spec : mappings.specs()) all.emplace(spec.name, fingerprint(spec));
  return all;
}

Retired retired(const MappingSet& before, const MappingSet& now) {
  const auto present = fingerprints(now);
  if (before.default_mapping()) return {!now.default_mapping(), {}};
  Retired gone;
  for (const MappingSpec& spec : before.specs()) {
    const auto same = present.find(spec.name);
    if (same == present.end() || same->second != fingerprint(spec)) gone.specs.push_back(spec);
  }
  gone.any = !gone.specs.empty();
  return gone;
}

}  // namespace walrelay::sinks
