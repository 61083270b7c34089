#include "convert.h"

#include <algorithm>
#include <cstring>

#include "env_state.h"

namespace hypha::binding {
namespace {

// One operation in the flat array: kind and flags, namespace (undefined: as before), key, value, metadata, ifVersion.
constexpr std::uint32_t kOpStride = 6;
constexpr unsigned kKindMask = 15;
constexpr unsigned kNoOverwrite = 16;
constexpr unsigned kRecursive = 32;
constexpr unsigned kAll = 64;
constexpr unsigned kUnique = 128;
constexpr unsigned kEditShift = 8;  // two bits
constexpr unsigned kKinds = 14;
constexpr unsigned kOperators = 15;
constexpr unsigned kSources = 8;

constexpr std::size_t kStackText = 2048;

void AppendUnit(std::string& out, char16_t unit) {
  if (unit < 0x80) {
    out.push_back(static_cast<char>(unit));
  } else if (unit < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (unit >> 6)));
    out.push_back(static_cast<char>(0x80 | (unit & 63)));
  } else {
    out.push_back(static_cast<char>(0xE0 | (unit >> 12)));
    out.push_back(static_cast<char>(0x80 | ((unit >> 6) & 63)));
    out.push_back(static_cast<char>(0x80 | (unit & 63)));
  }
}

void AppendPair(std::string& out, char16_t high, char16_t low) {
  const unsigned code = 0x10000U + ((high - 0xD800U) << 10) + (low - 0xDC00U);
  out.push_back(static_cast<char>(0xF0 | (code >> 18)));
  out.push_back(static_cast<char>(0x80 | ((code >> 12) & 63)));
  out.push_back(static_cast<char>(0x80 | ((code >> 6) & 63)));
  out.push_back(static_cast<char>(0x80 | (code & 63)));
}

std::string Utf16ToWtf8(const std::u16string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = i + 1 < text.size() && (text[i] & 0xFC00) == 0xD800 && (text[i + 1] & 0xFC00) == 0xDC00;
    if (pair) {
      AppendPair(out, text[i], text[i + 1]);
      ++i;
    } else {
      AppendUnit(out, text[i]);
    }
  }
  return out;
}

bool IsAscii(std::string_view text) {
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    seen |= word;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080ULL) == 0;
}

Napi::Value Optional(Napi::Env env, std::string_view text) {
  return text.empty() ? env.Undefined() : Napi::Value(env, ToJs(env, text));
}

}  // namespace

// ---- From JavaScript

bool Reader::Fail(const char* expected) {
  if (ok_) Napi::TypeError::New(env_, std::string("hyphadb: expected ") + expected).ThrowAsJavaScriptException();
  ok_ = false;
  return false;
}

napi_value Reader::At(napi_value array, std::uint32_t index) {
  napi_value element = nullptr;
  if (napi_get_element(env_, array, index, &element) == napi_ok) return element;
  // As in an environment that is being terminated: a request of which a part is missing must not run.
  Fail("an element");
  napi_get_undefined(env_, &element);
  return element;
}

std::uint32_t Reader::Length(napi_value array) {
  std::uint32_t length = 0;
  if (napi_get_array_length(env_, array, &length) != napi_ok) Fail("an array");
  return length;
}

bool Reader::IsMissing(napi_value value) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, value, &type);
  return type == napi_undefined || type == napi_null;
}

bool Reader::Text(napi_value value, std::string* out) {
  char buffer[kStackText];
  std::size_t length = 0;
  if (napi_get_value_string_utf8(env_, value, buffer, sizeof buffer, &length) != napi_ok) return Fail("a string");
  if (length < sizeof buffer - 4) {  // else the last character may not have fitted
    out->assign(buffer, length);
    return true;
  }
  napi_get_value_string_utf8(env_, value, nullptr, 0, &length);
  out->resize(length + 1);
  napi_get_value_string_utf8(env_, value, out->data(), length + 1, &length);
  out->resize(length);
  return true;
}

bool Reader::Namespace(napi_value value, std::string* out) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, value, &type);
  if (type != napi_number) return Text(value, out);
  *out = kDefaultNamespace;
  return true;
}

bool Reader::Wtf8(napi_value value, std::string* out) {
  std::size_t length = 0;
  if (napi_get_value_string_utf16(env_, value, nullptr, 0, &length) != napi_ok) return Fail("a string");
  std::u16string units(length + 1, u'\0');
  napi_get_value_string_utf16(env_, value, units.data(), length + 1, &length);
  units.resize(length);
  *out = Utf16ToWtf8(units);
  return true;
}

bool Reader::Number(napi_value value, double* out) {
  return napi_get_value_double(env_, value, out) == napi_ok || Fail("a number");
}

bool Reader::Integer(napi_value value, std::int64_t* out) {
  return napi_get_value_int64(env_, value, out) == napi_ok || Fail("an integer");
}

bool Reader::Boolean(napi_value value, bool* out) {
  return napi_get_value_bool(env_, value, out) == napi_ok || Fail("a boolean");
}

napi_value Reader::Property(napi_value object, const char* name) {
  napi_value value = nullptr;
  if (napi_get_named_property(env_, object, name, &value) == napi_ok) return value;
  Fail("an object");
  napi_get_undefined(env_, &value);
  return value;
}

bool Reader::OptionalText(napi_value value, std::optional<std::string>* out) {
  if (IsMissing(value)) return true;
  out->emplace();
  return Text(value, &**out);
}

bool Reader::OptionalInteger(napi_value value, std::optional<std::int64_t>* out) {
  if (IsMissing(value)) return true;
  out->emplace();
  return Integer(value, &**out);
}

bool Reader::Texts(napi_value array, std::vector<std::string>* out) {
  const std::uint32_t length = Length(array);
  out->resize(length);
  for (std::uint32_t i = 0; ok_ && i < length; ++i) {
    Napi::HandleScope scope(env_);
    Text(At(array, i), &(*out)[i]);
  }
  return ok_;
}

bool Reader::Ops(napi_value flat, std::vector<WriteOp>* out) {
  const std::uint32_t count = Length(flat) / kOpStride;
  out->resize(count);
  for (std::uint32_t i = 0; ok_ && i < count; ++i) {
    Napi::HandleScope scope(env_);
    Op(flat, i * kOpStride, i == 0 ? nullptr : &(*out)[i - 1], &(*out)[i]);
  }
  return ok_;
}

bool Reader::Op(napi_value flat, std::uint32_t at, const WriteOp* previous, WriteOp* op) {
  double bits = 0;
  if (!Number(At(flat, at), &bits)) return false;
  const auto flags = static_cast<unsigned>(bits);
  if ((flags & kKindMask) >= kKinds) return Fail("a kind of write");
  op->kind = static_cast<WriteKind>(flags & kKindMask);
  op->overwrite = (flags & kNoOverwrite) == 0;
  op->recursive = (flags & kRecursive) != 0;
  op->all = (flags & kAll) != 0;
  op->unique = (flags & kUnique) != 0;
  op->edit = static_cast<EditKind>((flags >> kEditShift) & 3);
  const napi_value ns = At(flat, at + 1);
  if (!IsMissing(ns)) {
    Text(ns, &op->ns);
  } else if (previous != nullptr) {
    op->ns = previous->ns;
  }
  if (op->kind == WriteKind::kCreateNamespace || op->kind == WriteKind::kDeleteNamespace ||
      op->kind == WriteKind::kClear || op->kind >= WriteKind::kSavepoint) {
    return ok_ && OptionalText(At(flat, at + 4), &op->metadata);
  }
  if (op->kind == WriteKind::kCreateIndex || op->kind == WriteKind::kDropIndex) {
    return ok_ && Text(At(flat, at + 3), &op->value);
  }
  Text(At(flat, at + 2), &op->key);
  if (op->kind == WriteKind::kSet || op->kind == WriteKind::kEdit) Text(At(flat, at + 3), &op->value);
  OptionalText(At(flat, at + 4), &op->metadata);
  return ok_ && OptionalInteger(At(flat, at + 5), &op->if_version);
}

bool Reader::Sets(unsigned kind_and_flags, std::uint32_t count, napi_value keys, napi_value values,
                  std::vector<WriteOp>* out) {
  std::string all_keys;
  std::string all_values;
  if (!Text(keys, &all_keys) || !Text(values, &all_values)) return false;
  out->resize(count);
  std::string_view keys_left = all_keys;
  std::string_view values_left = all_values;
  const auto take = [&](std::string_view& left) {
    const std::size_t end = count == 1 ? left.size() : std::min(left.find('\0'), left.size());
    const std::string_view piece = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    return piece;
  };
  for (auto& op : *out) {
    op.overwrite = (kind_and_flags & kNoOverwrite) == 0;
    op.key = take(keys_left);
    op.value = take(values_left);
  }
  return true;
}

bool Reader::Wtf8List(napi_value array, std::vector<std::string>* out) {
  const std::uint32_t length = Length(array);
  out->resize(length);
  for (std::uint32_t i = 0; ok_ && i < length; ++i) Wtf8(At(array, i), &(*out)[i]);
  return ok_;
}

// ['and' | 'or' | 'not', child, ...] or ['term', source, path, operator, operand]; lib/filter.js bounds the depth.
bool Reader::Filter(napi_value node, FilterNode* out) {
  const std::uint32_t length = Length(node);
  std::string kind;
  if (!ok_ || length == 0 || !Text(At(node, 0), &kind)) return Fail("a filter node");
  if (kind == "term") {
    out->kind = FilterNode::Kind::kTerm;
    return TermOf(node, &out->term);
  }
  out->kind = kind == "or" ? FilterNode::Kind::kOr : kind == "not" ? FilterNode::Kind::kNot : FilterNode::Kind::kAnd;
  out->children.resize(length - 1);
  for (std::uint32_t i = 1; ok_ && i < length; ++i) Filter(At(node, i), &out->children[i - 1]);
  return ok_;
}

bool Reader::TermOf(napi_value node, Term* out) {
  std::int64_t source = 0;
  std::int64_t op = 0;
  if (!Integer(At(node, 1), &source) || !Wtf8List(At(node, 2), &out->path) || !Integer(At(node, 3), &op)) return false;
  if (source < 0 || source >= kSources || op < 0 || op >= kOperators) return Fail("a filter term");
  out->source = static_cast<Source>(source);
  out->op = static_cast<Operator>(op);
  return OperandOf(At(node, 4), &out->operand);
}

bool Reader::OperandOf(napi_value value, Operand* out) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env_, value, &type);
  switch (type) {
    case napi_undefined: out->tag = Operand::Tag::kUndefined; return true;
    case napi_null: out->tag = Operand::Tag::kNull; return true;
    case napi_boolean:
      out->tag = Operand::Tag::kBoolean;
      return napi_get_value_bool(env_, value, &out->boolean) == napi_ok;
    case napi_number: out->tag = Operand::Tag::kNumber; return Number(value, &out->number);
    case napi_string: out->tag = Operand::Tag::kString; return Wtf8(value, &out->text);
    default: break;
  }
  out->tag = Operand::Tag::kList;
  const std::uint32_t length = Length(value);
  out->list.resize(length);
  for (std::uint32_t i = 0; ok_ && i < length; ++i) {
    Napi::HandleScope scope(env_);
    OperandOf(At(value, i), &out->list[i]);
  }
  return ok_;
}

// [[source, path, descending], ...]
bool Reader::Sort(napi_value array, std::vector<SortKey>* out) {
  const std::uint32_t length = Length(array);
  out->resize(length);
  for (std::uint32_t i = 0; ok_ && i < length; ++i) {
    const napi_value key = At(array, i);
    std::int64_t source = 0;
    std::int64_t descending = 0;
    if (!Integer(At(key, 0), &source) || !Wtf8List(At(key, 1), &(*out)[i].path) || !Integer(At(key, 2), &descending)) {
      return false;
    }
    if (source < 0 || source >= kSources) return Fail("a sort key");
    (*out)[i].source = static_cast<Source>(source);
    (*out)[i].descending = descending != 0;
  }
  return ok_;
}

// ---- To JavaScript

napi_value ToJs(napi_env env, std::string_view utf8) {
  napi_value text = nullptr;
  if (IsAscii(utf8)) {
    napi_create_string_latin1(env, utf8.data(), utf8.size(), &text);
  } else {
    napi_create_string_utf8(env, utf8.data(), utf8.size(), &text);
  }
  return text;
}

Napi::Value ErrorRecord(Napi::Env env, const Status& status) {
  Napi::Object record = Napi::Object::New(env);
  // No std::string: this also tells that there is no memory.
  const std::string_view name = Describe(status.code()).name;
  const std::string_view text = status.text();
  record.Set("code", Napi::String::New(env, name.data(), name.size()));
  record.Set("message", Napi::String::New(env, text.data(), text.size()));
  if (status.sqlite_code() != 0) record.Set("sqliteCode", Napi::Number::New(env, status.sqlite_code()));
  if (status.attempts() != 0) record.Set("attempts", Napi::Number::New(env, status.attempts()));
  return record;
}

double NumberOf(const WriteOutcome& outcome) {
  return static_cast<double>(outcome.version != 0 ? outcome.version : outcome.changed);
}

Napi::Value OutcomesToJs(Napi::Env env, const std::vector<WriteOutcome>& outcomes) {
  auto numbers = Napi::Float64Array::New(env, outcomes.size());
  if (numbers.IsEmpty()) return {};  // the environment is being terminated
  std::vector<std::size_t> failed;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    numbers[i] = NumberOf(outcomes[i]);
    if (!outcomes[i].status.ok()) failed.push_back(i);
  }
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0U, numbers);
  if (failed.empty()) return result;
  Napi::Array errors = Napi::Array::New(env, failed.size() * 2);
  for (std::uint32_t i = 0; i < failed.size(); ++i) {
    errors.Set(2 * i, Napi::Number::New(env, static_cast<double>(failed[i])));
    errors.Set(2 * i + 1, ErrorRecord(env, outcomes[failed[i]].status));
  }
  result.Set(1U, errors);
  return result;
}

Napi::Value EntryToJs(Napi::Env env, const Entry& entry) {
  Napi::Array result = Napi::Array::New(env, 5);
  result.Set(0U, Napi::Value(env, ToJs(env, entry.value)));
  result.Set(1U, Optional(env, entry.metadata));
  result.Set(2U, Napi::Number::New(env, static_cast<double>(entry.created_at)));
  result.Set(3U, Napi::Number::New(env, static_cast<double>(entry.updated_at)));
  result.Set(4U, Napi::Number::New(env, static_cast<double>(entry.version)));
  return result;
}

namespace {

// Chunks made into strings at once; more would hold the loop.
constexpr std::size_t kChunksAtOnce = 8;

Napi::Value ChunksToJs(Napi::Env env, JsonChunks chunks) {
  const std::size_t now = std::min(chunks.size(), kChunksAtOnce);
  Napi::Array result = Napi::Array::New(env, now);
  for (std::uint32_t i = 0; i < now; ++i) result.Set(i, Napi::Value(env, ToJs(env, chunks[i])));
  if (chunks.size() == now) return result;
  chunks.erase(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(now));
  result.Set(static_cast<std::uint32_t>(now), Napi::Number::New(env, EnvState::Of(env)->KeepChunks(std::move(chunks))));
  return result;
}

}  // namespace

// [chunks of the values present, '1' or '0' for each key asked]
Napi::Value ManyToJs(Napi::Env env, ManyReply reply) {
  std::string present(reply.present.size(), '0');
  for (std::size_t i = 0; i < present.size(); ++i) {
    if (reply.present[i]) present[i] = '1';
  }
  Napi::Array result = Napi::Array::New(env, 2);
  result.Set(0U, ChunksToJs(env, std::move(reply.values)));
  result.Set(1U, Napi::Value(env, ToJs(env, present)));
  return result;
}

namespace {

struct ReplyVisitor {
  Napi::Env env;

  Napi::Value operator()(const std::optional<Entry>& entry) const {
    return entry ? EntryToJs(env, *entry) : env.Undefined();
  }
  Napi::Value operator()(ManyReply& reply) const { return ManyToJs(env, std::move(reply)); }
  Napi::Value operator()(std::int64_t number) const { return Napi::Number::New(env, static_cast<double>(number)); }
  Napi::Value operator()(const std::string& text) const { return {env, ToJs(env, text)}; }
  Napi::Value operator()(JsonChunks& chunks) const { return ChunksToJs(env, std::move(chunks)); }
  // [chunks, examined, index | undefined, explanation | undefined, cursor | undefined]
  Napi::Value operator()(QueryReply& reply) const {
    Napi::Array result = Napi::Array::New(env, 5);
    result.Set(0U, ChunksToJs(env, std::move(reply.chunks)));
    result.Set(1U, Napi::Number::New(env, static_cast<double>(reply.examined)));
    result.Set(2U, Optional(env, reply.index));
    result.Set(3U, Optional(env, reply.explanation));
    result.Set(4U, Optional(env, reply.cursor));
    return result;
  }
  Napi::Value operator()(const std::optional<NamespaceInfo>& info) const {
    if (!info) return env.Undefined();
    Napi::Array result = Napi::Array::New(env, 3);
    result.Set(0U, Napi::Boolean::New(env, info->is_explicit));
    result.Set(1U, Optional(env, info->metadata));
    result.Set(2U, Napi::Number::New(env, static_cast<double>(info->created_at)));
    return result;
  }
};

}  // namespace

Napi::Value ReplyToJs(Napi::Env env, ReadReply reply) { return std::visit(ReplyVisitor{env}, reply); }

}  // namespace hypha::binding
