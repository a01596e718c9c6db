#include "proxy/audit/line.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hash.hpp"
#include "keyshare/core/lp.hpp"

#include <algorithm>

namespace pgveil::audit {
namespace {

constexpr std::string_view kBeforeHash = R"(,"hash":")";
constexpr std::string_view kBehindHash = R"("})";
constexpr std::size_t kHashText = 43;
constexpr std::size_t kTail = kBeforeHash.size() + kHashText + kBehindHash.size();
/// A line of ours is far smaller; deep nesting of a foreign one stays bounded.
constexpr std::size_t kLineMax = std::size_t{1} << 20U;

std::optional<share::Digest> digest_of(std::string_view text) {
    const auto bytes = core::base64url_decode(text);
    share::Digest digest{};
    if (!bytes.has_value() || bytes->size() != digest.size()) {
        return std::nullopt;
    }
    std::copy(bytes->begin(), bytes->end(), digest.begin());
    return digest;
}

}  // namespace

share::Digest hash_of(std::string_view tenant, std::string_view body) {
    return core::sha256(core::length_prefixed(
        {core::as_bytes("pgveil/1 audit line"), core::as_bytes(tenant), core::as_bytes(body)}
    ));
}

std::string make_line(Link& last, std::string_view tenant, const share::Json& fields) {
    share::Json whole = share::Json::object();
    whole["n"] = last.sequence + 1;
    whole["prev"] = share::json_digest(last.hash);
    whole.update(fields);
    std::string line = share::write_json(whole);
    line.pop_back();
    last = {last.sequence + 1, hash_of(tenant, line)};
    line.append(kBeforeHash).append(share::json_digest(last.hash)).append(kBehindHash);
    return line;
}

std::string Line::text(const char* member) const {
    const auto found = fields.find(member);
    return found != fields.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<Line> parse_line(std::string_view text) {
    if (text.size() <= kTail || text.size() > kLineMax || !text.ends_with(kBehindHash)) {
        return std::nullopt;
    }
    Line line;
    line.body = text.substr(0, text.size() - kTail);
    const std::string_view tail = text.substr(line.body.size());
    const auto hash = digest_of(tail.substr(kBeforeHash.size(), kHashText));
    line.fields = share::Json::parse(text.begin(), text.end(), nullptr, false);
    if (!tail.starts_with(kBeforeHash) || !hash || !line.fields.is_object()) {
        return std::nullopt;
    }
    const auto number = line.fields.find("n");
    const auto previous = digest_of(line.text("prev"));
    if (number == line.fields.end() || !number->is_number_unsigned() ||
        number->get<std::uint64_t>() == 0 || !previous ||
        line.text("hash") != share::json_digest(*hash)) {
        return std::nullopt;
    }
    line.sequence = number->get<std::uint64_t>();
    line.previous = *previous;
    line.hash = *hash;
    return line;
}

}  // namespace pgveil::audit
