// What an index is over, its text in SQL, and its row in the catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypha/types.h"

namespace hypha {

struct IndexDefinition {
  std::int64_t id = 0;
  std::int64_t ns_id = 0;
  std::vector<IndexField> fields;
  bool unique = false;
};

// '$."a"."b"' as a SQL literal: the one place where a user's bytes enter SQL text. Each name is a JSON string, in which
// no control character stays unescaped, and each single quote is doubled.
std::string QuotePath(const std::vector<std::string>& path);

// The names that QuotePath() wrote, from the unquoted text; nothing if it is not of that form.
std::optional<std::vector<std::string>> ParsePath(std::string_view path);

// A name of WTF-8 as a JSON string of valid UTF-8: a lone surrogate becomes an escape.
std::string JsonName(std::string_view name);

// The indexed expression: hypha_extract(...), byte for byte the same in the index and in the queries that use it.
std::string IndexExpression(const IndexField& field);

// The statements that make the index: one, or two for a unique one, of which the second guards the values.
std::vector<std::string> CreateStatements(const IndexDefinition& index);
std::vector<std::string> DropStatements(const IndexDefinition& index);
std::string IndexName(std::int64_t id);

// The fields as JSON: [{"field": "a"}, {"path": ["a", "b"]}, {"metadata": "x"}].
std::string FieldsToJson(const std::vector<IndexField>& fields);
std::optional<std::vector<IndexField>> FieldsFromJson(std::string_view json);

}  // namespace hypha
