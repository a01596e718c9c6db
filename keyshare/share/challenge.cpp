#include "keyshare/share/challenge.hpp"

#include "keyshare/core/bytes.hpp"
#include "keyshare/share/text_form.hpp"

#include <algorithm>

namespace pgveil::share {
namespace {

constexpr std::string_view kChallengePrefix = "pgvc1.";

}  // namespace

Nonce Challenges::give(core::RandomSource& random, std::int64_t now_s) {
    Given fresh;
    random.fill(fresh.challenge);
    fresh.given_at_s = now_s;
    given_.at(next_) = fresh;
    next_ = (next_ + 1) % kKept;
    return fresh.challenge;
}

const Challenges::Given* Challenges::find(const Nonce& challenge) const {
    const auto found = std::ranges::find_if(given_, [&challenge](const auto& given) {
        return given && given->challenge == challenge;
    });
    return found == given_.end() ? nullptr : &**found;
}

std::optional<std::int64_t> Challenges::given_at_s(const Nonce& challenge) const {
    const Given* const given = find(challenge);
    return given == nullptr ? std::nullopt : std::optional(given->given_at_s);
}

bool Challenges::is_open_to(const Nonce& challenge, const Digest& token) const {
    const Given* const given = find(challenge);
    return given != nullptr && (!given->answer || *given->answer == token);
}

void Challenges::spend(const Nonce& challenge, const Digest& token) {
    for (auto& given : given_) {
        if (given && given->challenge == challenge && !given->answer) {
            given->answer = token;
        }
    }
}

std::string challenge_text(const Nonce& challenge) {
    const core::SecretBytes text = to_text_form(kChallengePrefix, challenge);
    return std::string(core::as_text(text.reveal()));
}

Result<Nonce> parse_challenge(std::string_view text) {
    const auto bytes = from_text_form(kChallengePrefix, core::as_bytes(text));
    Nonce challenge{};
    if (!bytes.has_value() || bytes->size() != challenge.size()) {
        return Error{
            ErrorCode::kMalformed, "not a challenge: give what SELECT pgveil.challenge() returned"};
    }
    std::ranges::copy(bytes->reveal(), challenge.begin());
    return challenge;
}

}  // namespace pgveil::share
