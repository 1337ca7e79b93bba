// json: a row is a JSON document, of RedisJSON where the server has that module, else a string.
#include "sinks/value_write.h"

namespace walrelay::sinks {

Kind json_kind();

Kind json_kind() {
  using Shape = ParameterShape;
  make_value_scripts();
  std::vector<ParameterDescription> parameters{
      {"key", Shape::template_, true, {}, "The key, as in \"user:{id}\"."},
      {"columns", Shape::columns, false, {}, "Which columns and lets the JSON has; all columns by default."},
      describe_profile(),
      {"bytea", Shape::choice, false, {"hex", "base64"}, "A bytea as \\x and hexadecimal digits, or base64."}};
  describe_lifetime(parameters);
  parameters.push_back({"when", Shape::expression, false, {}, "Only rows for which it is true have a key."});
  parameters.push_back(
      {"track", Shape::choice, false, {"redis"}, "Keep in Redis the key of each row, for a narrow identity."});
  return {{"json",
           "Each row is a JSON document: of RedisJSON (JSON.SET, JSON.MERGE) where the server has it, else a string. "
           "Where a "
           "server gets or loses the module, rebuild.",
           std::move(parameters)},
          true,
          json_mistake,
          [](const BindContext& context) -> std::unique_ptr<Write> {
            using Store = ValueWrite::Store;
            return std::make_unique<JsonWrite>(
                context, context.json_documents == JsonDocuments::none ? Store::string : Store::document);
          }};
}

}  // namespace walrelay::sinks
