#include "keyshare/share/chained_line.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/shallow_json.hpp"

#include <algorithm>

namespace pgveil::share {
namespace {

constexpr std::string_view kBeforeHash = R"(,"hash":")";
constexpr std::string_view kBehindHash = R"("})";
constexpr std::size_t kHashText = 43;
constexpr std::size_t kTail = kBeforeHash.size() + kHashText + kBehindHash.size();
/// A line of ours is far smaller; deep nesting of a foreign one stays bounded.
constexpr std::size_t kLineMax = std::size_t{1} << 20U;

std::optional<Digest> hash_in(std::string_view text) {
    const auto bytes = core::base64url_decode(text);
    Digest digest{};
    if (!bytes.has_value() || bytes->size() != digest.size()) {
        return std::nullopt;
    }
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

}  // namespace

Digest chained_hash(const ChainForm& form, std::string_view owner, std::string_view body) {
    return core::sha256(core::length_prefixed(
        {core::as_bytes(form.domain), core::as_bytes(owner), core::as_bytes(body)}
    ));
}

std::string make_chained_line(
    const ChainForm& form, ChainLink& last, std::string_view owner, const Json& fields
) {
    Json whole = Json::object();
    whole[form.number] = last.sequence + 1;
    whole["prev"] = json_digest(last.hash);
    whole.update(fields);
    std::string line = write_json(whole);
    line.pop_back();
    last = {last.sequence + 1, chained_hash(form, owner, line)};
    line.append(kBeforeHash).append(json_digest(last.hash)).append(kBehindHash);
    return line;
}

std::string ChainedLine::text(const char* member) const {
    const auto found = fields.find(member);
    return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<ChainedLine> parse_chained_line(const ChainForm& form, std::string_view text) {
    if (text.size() <= kTail || text.size() > kLineMax || !text.ends_with(kBehindHash)) {
        return std::nullopt;
    }
    ChainedLine line;
    line.body = text.substr(0, text.size() - kTail);
    const std::string_view tail = text.substr(line.body.size());
    const auto hash = hash_in(tail.substr(kBeforeHash.size(), kHashText));
    line.fields = parse_shallow_json(text);
    if (!tail.starts_with(kBeforeHash) || !hash || !line.fields.is_object()) {
        return std::nullopt;
    }
    const auto number = line.fields.find(form.number);
    const auto previous = hash_in(line.text("prev"));
    if (number == line.fields.end() || !number->is_number_unsigned() ||
        number->get<std::uint64_t>() == 0 || !previous || line.text("hash") != json_digest(*hash)) {
        return std::nullopt;
    }
    line.sequence = number->get<std::uint64_t>();
    line.previous = *previous;
    line.hash = *hash;
    return line;
}

}  // namespace pgveil::share
