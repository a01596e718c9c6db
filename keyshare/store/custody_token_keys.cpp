#include "keyshare/share/token_key.hpp"
#include "keyshare/store/custody_impl.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace pgveil::store {
namespace {

constexpr std::size_t kSpentTokenKeysMax = 100;
constexpr std::int64_t kTidySeconds = 30;

}  // namespace

TokenKeyRecord make_token_key(
    std::int64_t now_s, const TokenLimits& limits, core::RandomSource& random
) {
    std::array<std::uint8_t, 4> id{};
    while (core::read_big_endian32(id) == 0) {
        random.fill(id);
    }
    return {
        core::read_big_endian32(id),
        now_s,
        now_s + limits.key_epoch_s,
        std::make_shared<const core::HpkeKeyPair>(core::HpkeKeyPair::generate())};
}

// Whoever gets the statement must be able to make a token of the longest validity with it.
const TokenKeyRecord* ProxyCustody::Impl::usable_token_key(
    const Snapshot& snapshot, std::int64_t now_s
) const {
    const auto found = std::ranges::find_if(snapshot.token_keys, [&](const TokenKeyRecord& key) {
        return key.not_before_s <= now_s + limits_.clock_skew_s &&
               now_s < key.not_after_s - limits_.max_validity_s;
    });
    return found == snapshot.token_keys.end() ? nullptr : &*found;
}

// No token that was rightly made with this key can still be valid, and no transaction finish with
// it.
bool ProxyCustody::Impl::is_due(const TokenKeyRecord& key, std::int64_t now_s) const {
    return now_s >
           key.not_after_s + limits_.max_validity_s + limits_.clock_skew_s + limits_.grace_s;
}

bool ProxyCustody::Impl::must_roll_token_keys(const Snapshot& snapshot, std::int64_t now_s) const {
    return usable_token_key(snapshot, now_s) == nullptr ||
           std::ranges::any_of(snapshot.token_keys, [&](const TokenKeyRecord& key) {
               return is_due(key, now_s);
           });
}

// Moves the keys whose time is over from the living to the spent ones; of these only so many are
// remembered as anybody may still have tokens of.
void ProxyCustody::Impl::destroy_token_keys(
    Snapshot& next, std::vector<Change>& changes, std::int64_t now_s
) const {
    std::erase_if(next.token_keys, [&](const TokenKeyRecord& key) {
        if (!is_due(key, now_s)) {
            return false;
        }
        changes.push_back({token_key_row(key.key_id), std::nullopt});
        changes.push_back(
            {spent_token_key_row(key.key_id), serialize(SpentTokenKey{key.key_id, now_s})}
        );
        next.spent_token_keys.emplace(key.key_id, now_s);
        return true;
    });
    while (next.spent_token_keys.size() > kSpentTokenKeysMax) {
        const auto oldest = std::ranges::min_element(
            next.spent_token_keys, {}, &std::pair<const std::uint32_t, std::int64_t>::second
        );
        changes.push_back({spent_token_key_row(oldest->first), std::nullopt});
        next.spent_token_keys.erase(oldest);
    }
}

Result<void> ProxyCustody::Impl::roll_token_keys(std::int64_t now_s) {
    if (!must_roll_token_keys(*snapshot_.current(), now_s)) {
        return {};
    }
    auto next = copy_snapshot();
    std::vector<Change> changes;
    destroy_token_keys(*next, changes, now_s);
    const bool destroys = !changes.empty();
    if (destroys) {
        make_renewal_due(changes);
    }
    if (usable_token_key(*next, now_s) == nullptr) {
        next->token_keys.push_back(make_token_key(now_s, limits_, core::system_random()));
        const TokenKeyRecord& fresh = next->token_keys.back();
        changes.push_back({token_key_row(fresh.key_id), serialize(fresh)});
    }
    const auto done = commit(std::move(changes), std::move(next));
    return done.has_value() && destroys ? renew_store_key() : done;
}

Result<std::string> ProxyCustody::Impl::token_key_statement(std::int64_t now_s) {
    {
        const std::scoped_lock lock(writer_);
        const auto rolled = in_turn([&] { return roll_token_keys(now_s); });
        if (!rolled.has_value()) {
            return rolled.error();
        }
    }
    const SnapshotPtr snapshot = snapshot_.current();
    const TokenKeyRecord* key = usable_token_key(*snapshot, now_s);
    if (key == nullptr) {
        return Error{
            ErrorCode::kRefused,
            "no token key can be given out: tokens.key_epoch_s must be longer than "
            "tokens.max_validity_s"};
    }
    return share::sign_statement(
        {tenant_, key->public_key(), key->not_before_s, key->not_after_s}, identity_
    );
}

// What is forgotten is noted first: a clock that is set back must not make its tokens new.
Result<void> ProxyCustody::Impl::forget_claims(std::int64_t now_s) {
    nonces_.forget_expired(now_s);
    const TokenSpan forgotten = nonces_.forgotten();
    if (store_.is_shared() || forgotten.expires_s > noted_until_s_) {
        const auto noted = store_.claims().note_forgotten(forgotten, core::system_random());
        if (!noted.has_value()) {
            return noted.error();
        }
        nonces_.restore_forgotten(*noted);
        noted_until_s_ = noted->expires_s;
    }
    return store_.claims().forget_expired(now_s);
}

Result<void> ProxyCustody::Impl::maintain(std::int64_t now_s) {
    opened_.wipe_expired(now_s);
    const auto written = write_pending_locks();
    if (!written.has_value()) {
        return written;
    }
    const std::scoped_lock lock(writer_);
    if (!store_.is_shared()) {
        return look_after(now_s);
    }
    // Idle proxies do not ask for the store each second: their watch does.
    const bool is_due = must_roll_token_keys(*snapshot_.current(), now_s) || is_untidy(now_s);
    const auto done = is_due ? in_turn([&] { return look_after(now_s); }) : Result<void>();
    return done.has_value() ? keep_shared_in_order() : done;
}

bool ProxyCustody::Impl::is_untidy(std::int64_t now_s) const {
    return now_s < tidied_s_ || now_s - tidied_s_ >= kTidySeconds;
}

Result<void> ProxyCustody::Impl::look_after(std::int64_t now_s) {
    const auto rolled = roll_token_keys(now_s);
    if (!rolled.has_value() || !is_untidy(now_s)) {
        return rolled;
    }
    tidied_s_ = now_s;
    const auto forgotten = forget_claims(now_s);
    if (!forgotten.has_value()) {
        return forgotten;
    }
    const auto unlocked = forget_ended_locks(now_s);
    if (!unlocked.has_value()) {
        return unlocked;
    }
    const auto ended = forget_late_former(now_s);
    if (!ended.has_value()) {
        return ended;
    }
    return successor_in_force_ || store_.contains(renewal_row()) ? renew_store_key()
                                                                 : Result<void>();
}

}  // namespace pgveil::store
