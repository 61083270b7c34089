// Reading the lines of a bundle.
#include <array>
#include <charconv>
#include <initializer_list>
#include <utility>

#include "base/crc32c.h"
#include "ops/bundle_format.h"
#include "query/js_number.h"
#include "query/json_scan.h"

namespace hypha::bundle {
namespace {

// JavaScript counts exactly to 2^53, and a store goes on from here.
constexpr std::int64_t kMaxVersion = 1LL << 52;
constexpr std::string_view kFormat = "\"hyphadb-bundle\"";
constexpr std::string_view kSealStart = ",\"crc\":\"";
constexpr std::size_t kSealBytes = kSealStart.size() + 8 + 2;

Status Invalid(std::string why) { return {Code::kBundleInvalid, std::move(why)}; }

std::optional<std::int64_t> Integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Digits in one way only: a flipped bit of a letter's case would else be found by nobody but the whole part's checksum.
std::optional<std::uint32_t> ParseHex(std::string_view text) {
  std::uint32_t number = 0;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (text.size() != 8 || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// The object without its seal, which is checked; an object without one as it is.
Status TakeSeal(std::string_view object, std::string_view* unsealed) {
  *unsealed = object;
  if (object.size() < kSealBytes + 1) return Status::Ok();
  const std::string_view seal = object.substr(object.size() - kSealBytes);
  if (!seal.starts_with(kSealStart) || !seal.ends_with("\"}")) return Status::Ok();
  *unsealed = object.substr(0, object.size() - kSealBytes);
  const auto crc = ParseHex(seal.substr(kSealStart.size(), 8));
  if (!crc) return Invalid("its checksum is not eight hexadecimal digits");
  return *crc == Crc32c(*unsealed) ? Status::Ok() : Invalid("it does not match its checksum");
}

enum class Field : std::uint8_t {
  kType,
  kFormatName,
  kVersion,
  kNamespace,
  kKey,
  kValue,
  kValueText,
  kMetadata,
  kMetadataText,
  kCreatedAt,
  kUpdatedAt,
  kExplicit,
  kFields,
  kUnique,
  kLines,
  kBytes,
  kCrc32c,
  kCount
};

constexpr std::array<std::string_view, static_cast<std::size_t>(Field::kCount)> kFieldNames{
    "\"type\"",      "\"format\"",   "\"version\"",      "\"namespace\"", "\"key\"",       "\"value\"",
    "\"valueText\"", "\"metadata\"", "\"metadataText\"", "\"createdAt\"", "\"updatedAt\"", "\"explicit\"",
    "\"fields\"",    "\"unique\"",   "\"lines\"",        "\"bytes\"",     "\"crc32c\""};

constexpr unsigned Bit(Field field) { return 1U << static_cast<unsigned>(field); }
constexpr unsigned Bits(std::initializer_list<Field> fields) {
  unsigned bits = 0;
  for (const Field field : fields) bits |= Bit(field);
  return bits;
}

struct Shape {
  std::string_view name;
  LineType type;
  unsigned required;
  unsigned allowed;  // beside those
};

constexpr std::array kShapes{
    Shape{"\"entry\"", LineType::kEntry, Bits({Field::kNamespace, Field::kKey}),
          Bits({Field::kValue, Field::kValueText, Field::kMetadata, Field::kMetadataText, Field::kCreatedAt,
                Field::kUpdatedAt, Field::kVersion})},
    Shape{"\"namespace\"", LineType::kNamespace, Bits({Field::kNamespace}),
          Bits({Field::kExplicit, Field::kMetadata, Field::kMetadataText, Field::kCreatedAt})},
    Shape{"\"index\"", LineType::kIndex, Bits({Field::kNamespace, Field::kFields}), Bits({Field::kUnique})},
    Shape{"\"delete\"", LineType::kDelete, Bits({Field::kNamespace, Field::kKey}), 0},
    Shape{"\"bundle\"", LineType::kHeader, Bits({Field::kFormatName, Field::kVersion}), Bits({Field::kCreatedAt})},
    Shape{"\"end\"", LineType::kEnd, 0, Bits({Field::kLines, Field::kBytes, Field::kCrc32c})},
};

std::string Unquoted(std::string_view literal) { return std::string(literal.substr(1, literal.size() - 2)); }

// Which fields a line has, and their texts.
class Fields {
 public:
  Status Read(std::string_view object) {
    json::ObjectMembers members(object);
    while (const auto member = members.Next()) {
      std::size_t index = 0;
      while (index < kFieldNames.size() && kFieldNames[index] != member->name) ++index;
      if (index == kFieldNames.size()) return Invalid("it has a member that no line has");
      if ((present_ & (1U << index)) != 0) return Invalid("it has " + Unquoted(kFieldNames[index]) + " twice");
      present_ |= 1U << index;
      texts_[index] = member->value;
    }
    return Status::Ok();
  }

  bool Has(Field field) const { return (present_ & Bit(field)) != 0; }
  std::string_view Text(Field field) const { return texts_[static_cast<std::size_t>(field)]; }
  unsigned present() const { return present_; }

  Status Take(Field field, std::string* out) const {
    if (!Has(field)) return Status::Ok();
    if (json::KindOf(Text(field)) != json::Kind::kString) return Wrong(field, "a string");
    *out = json::DecodeString(Text(field));
    return Status::Ok();
  }
  Status Take(Field field, std::optional<std::int64_t>* out) const {
    if (!Has(field)) return Status::Ok();
    *out = Integer(Text(field));
    return *out ? Status::Ok() : Wrong(field, "an integer");
  }
  Status Take(Field field, bool* out) const {
    if (!Has(field)) return Status::Ok();
    *out = Text(field) == "true";
    return *out || Text(field) == "false" ? Status::Ok() : Wrong(field, "true or false");
  }
  Status TakeCrc(std::optional<std::uint32_t>* out) const {
    if (!Has(Field::kCrc32c)) return Status::Ok();
    const std::string_view text = Text(Field::kCrc32c);
    if (text.size() == 10) *out = ParseHex(text.substr(1, 8));
    return *out ? Status::Ok() : Wrong(Field::kCrc32c, "eight hexadecimal digits");
  }

  static Status Wrong(Field field, const char* expected) {
    return Invalid("its " + Unquoted(kFieldNames[static_cast<std::size_t>(field)]) + " is not " + expected);
  }

 private:
  unsigned present_ = 0;
  std::array<std::string_view, kFieldNames.size()> texts_;
};

// JSON that the line holds as it is in `plain`, or as a string in `quoted`.
Status TakeJson(const Fields& fields, Field plain, Field quoted, std::string* storage,
                std::optional<std::string_view>* out) {
  if (fields.Has(plain) && fields.Has(quoted)) return Invalid("it has one text in two forms");
  if (fields.Has(plain)) *out = fields.Text(plain);
  if (!fields.Has(quoted)) return Status::Ok();
  Status status = fields.Take(quoted, storage);
  if (!status.ok()) return status;
  if (!json::IsValid(*storage)) return Fields::Wrong(quoted, "JSON");
  *out = *storage;
  return Status::Ok();
}

// WTF-8 of a lone surrogate is not UTF-8, and names are.
bool IsName(std::string_view name) {
  if (js::TrimSpace(name).empty()) return false;
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    if (static_cast<unsigned char>(name[i]) == 0xed && static_cast<unsigned char>(name[i + 1]) >= 0xa0) return false;
  }
  return true;
}

Status TakeNames(const Fields& fields, Line* out) {
  for (const auto& [field, name] : {std::pair{Field::kNamespace, &out->ns}, std::pair{Field::kKey, &out->key}}) {
    Status status = fields.Take(field, name);
    if (!status.ok()) return status;
    if (fields.Has(field) && !IsName(*name)) return Fields::Wrong(field, "a non-blank string without lone surrogates");
  }
  return Status::Ok();
}

Status TakeTexts(const Fields& fields, Line* out) {
  std::optional<std::string_view> value;
  Status status = TakeJson(fields, Field::kValue, Field::kValueText, &out->value_text, &value);
  if (status.ok()) {
    status = TakeJson(fields, Field::kMetadata, Field::kMetadataText, &out->metadata_text, &out->metadata);
  }
  if (!status.ok()) return status;
  if (out->metadata == "null") out->metadata.reset();
  if (out->metadata && json::KindOf(*out->metadata) != json::Kind::kObject) {
    return Fields::Wrong(Field::kMetadata, "an object");
  }
  if (out->type == LineType::kEntry && !value) return Invalid("it has no value");
  if (out->type == LineType::kIndex) value = fields.Text(Field::kFields);
  out->value = value.value_or("");
  return Status::Ok();
}

Status TakeNumbers(const Fields& fields, Line* out) {
  for (const auto& [field, number] :
       {std::pair{Field::kCreatedAt, &out->created_at}, std::pair{Field::kUpdatedAt, &out->updated_at},
        std::pair{Field::kVersion, &out->version}, std::pair{Field::kLines, &out->lines},
        std::pair{Field::kBytes, &out->bytes}}) {
    Status status = fields.Take(field, number);
    if (!status.ok()) return status;
  }
  if (out->version && (*out->version < 1 || *out->version > kMaxVersion)) {
    return Fields::Wrong(Field::kVersion, "a positive integer up to 2^52");
  }
  for (const Field field : {Field::kExplicit, Field::kUnique}) {
    Status status = fields.Take(field, &out->flag);
    if (!status.ok()) return status;
  }
  return fields.TakeCrc(&out->crc);
}

Status CheckFormat(std::string_view format, const std::optional<std::int64_t>& version) {
  if (format != kFormat) return Invalid("it is not a bundle of HyphaDB");
  if (!version || *version < 1) return Invalid("it does not say which version of the format it has");
  if (*version == kVersion) return Status::Ok();
  return {Code::kSchemaTooNew, "the bundle has version " + std::to_string(*version) +
                                   " of the format, this HyphaDB knows " + std::to_string(kVersion)};
}

const Shape* FindShape(std::string_view type) {
  for (const auto& shape : kShapes) {
    if (shape.name == type) return &shape;
  }
  return nullptr;
}

// A newer format may have members and seals of its own: only these two are looked at.
Status CheckHeader(std::string_view object) {
  const auto version = json::FindMember(object, "version");
  return CheckFormat(json::FindMember(object, "format").value_or(""), version ? Integer(*version) : std::nullopt);
}

Status ParsePart(std::string_view object, Part* out) {
  const auto text = [&](std::string_view name) { return json::FindMember(object, name).value_or(""); };
  out->name = json::DecodeString(text("name"));
  if (!IsPartName(out->name)) return Invalid("it has a part of another name than part-NNNNNN.jsonl");
  const auto lines = Integer(text("lines"));
  const auto bytes = Integer(text("bytes"));
  const auto crc = text("crc32c").size() == 10 ? ParseHex(text("crc32c").substr(1, 8)) : std::nullopt;
  if (!lines || !bytes || !crc) return Invalid("it has no lines, bytes and crc32c for " + out->name);
  out->totals = {*lines, *bytes, *crc};
  return Status::Ok();
}

}  // namespace

Status ParseLine(std::string_view text, Line* out) {
  if (!json::IsValid(text)) return Invalid("it is not JSON in UTF-8");
  const std::string_view object = json::Trim(text);
  if (json::KindOf(object) != json::Kind::kObject) return Invalid("it is not an object");
  const Shape* shape = FindShape(json::FindMember(object, "type").value_or(""));
  if (shape == nullptr) return Invalid("its type is none that a line may have");
  out->type = shape->type;
  Status status = shape->type == LineType::kHeader ? CheckHeader(object) : Status::Ok();
  std::string_view unsealed;
  if (status.ok()) status = TakeSeal(object, &unsealed);
  Fields fields;
  if (status.ok()) status = fields.Read(unsealed);
  if (!status.ok()) return status;
  if ((shape->required & ~fields.present()) != 0) return Invalid("it lacks a member that a line of its type has");
  if ((fields.present() & ~(shape->required | shape->allowed | Bit(Field::kType))) != 0) {
    return Invalid("it has a member that no line of its type has");
  }
  status = TakeNames(fields, out);
  if (status.ok()) status = TakeTexts(fields, out);
  return status.ok() ? TakeNumbers(fields, out) : status;
}

Status ParseManifest(std::string_view text, Manifest* out) {
  if (!json::IsValid(text)) return Invalid("it is not JSON in UTF-8");
  const std::string_view object = json::Trim(text);
  Status status = CheckHeader(object);
  std::string_view unsealed;
  if (status.ok()) status = TakeSeal(object, &unsealed);
  if (status.ok() && unsealed.size() == object.size()) status = Invalid("its checksum is missing");
  if (!status.ok()) return status;
  out->created_at = Integer(json::FindMember(object, "createdAt").value_or("")).value_or(0);
  const auto parts = json::FindMember(object, "parts");
  if (!parts || json::KindOf(*parts) != json::Kind::kArray) return Invalid("it has no list of parts");
  json::ArrayElements elements(*parts);
  while (const auto element = elements.Next()) {
    Part part;
    status = ParsePart(*element, &part);
    if (status.ok() && part.name != PartName(static_cast<std::int64_t>(out->parts.size()) + 1)) {
      status = Invalid("its parts are not numbered from 1");
    }
    if (!status.ok()) return status;
    out->parts.push_back(std::move(part));
  }
  return Status::Ok();
}

}  // namespace hypha::bundle
