#include "keyshare/store/opened_tokens.hpp"

#include "keyshare/core/hash.hpp"

#include <utility>

namespace pgveil::store {

void OpenedTokens::Slot::wipe() noexcept {
    if (place_) {
        const std::scoped_lock lock(place_->mutex);
        place_->token.reset();
    }
}

OpenedTokenPtr OpenedTokens::find(const Slot& slot, core::ByteView text) {
    if (!slot.place_) {
        return nullptr;
    }
    OpenedTokenPtr token;
    {
        const std::scoped_lock lock(slot.place_->mutex);
        token = slot.place_->token;
    }
    return token != nullptr && token->text == core::sha256(text) ? token : nullptr;
}

void OpenedTokens::keep(Slot& slot, OpenedTokenPtr token, std::uint64_t wipes_before) {
    if (!slot.place_ || is_over(*slot.place_)) {
        slot.place_ = std::make_shared<Place>();
        const std::scoped_lock lock(mutex_);
        places_.push_back(slot.place_);
    }
    // wipe_of() counts first and looks into the places then: it finds what is put here before.
    const std::scoped_lock lock(slot.place_->mutex);
    if (wipes_ == wipes_before) {
        slot.place_->token = std::move(token);
    }
}

template <class Predicate>
void OpenedTokens::wipe_if(Predicate is_over) {
    const std::scoped_lock lock(mutex_);
    std::erase_if(places_, [&is_over](const std::weak_ptr<Place>& known) {
        const std::shared_ptr<Place> place = known.lock();
        if (place == nullptr) {
            return true;
        }
        const std::scoped_lock inner(place->mutex);
        if (place->token != nullptr && is_over(place->token->contents)) {
            place->token.reset();
        }
        return false;
    });
}

void OpenedTokens::wipe_of(std::string_view user_id) {
    ++wipes_;
    wipe_if([user_id](const share::TokenContents& token) { return token.user_id == user_id; });
}

bool OpenedTokens::is_over(Place& place) {
    const std::scoped_lock lock(place.mutex);
    return place.is_over;
}

void OpenedTokens::wipe_all() {
    ++wipes_;
    const std::scoped_lock lock(mutex_);
    for (const std::weak_ptr<Place>& known : places_) {
        if (const std::shared_ptr<Place> place = known.lock()) {
            const std::scoped_lock inner(place->mutex);
            place->token.reset();
            place->is_over = true;
        }
    }
    places_.clear();
}

void OpenedTokens::wipe_expired(std::int64_t now_s) {
    wipe_if([now_s](const share::TokenContents& token) { return token.expires_at_s <= now_s; });
}

}  // namespace pgveil::store
