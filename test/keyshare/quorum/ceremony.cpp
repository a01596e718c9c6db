#include "test/keyshare/quorum/ceremony.hpp"

#include "keyshare/core/random.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>

namespace pgveil::quorum::testing {
namespace {

std::vector<MemberKey> fresh_keys(std::uint32_t count) {
    std::vector<MemberKey> out;
    while (out.size() < count) {
        out.push_back(MemberKey::generate());
    }
    return out;
}

std::vector<core::PublicPoint> points_of(const std::vector<MemberKey>& keys) {
    std::vector<core::PublicPoint> out;
    for (const MemberKey& key : keys) {
        out.push_back(key.point());
    }
    return out;
}

template <class T>
T expect(Result<T> result) {
    if (!result.has_value()) {
        throw std::runtime_error(result.error().message);
    }
    return *std::move(result);
}

}  // namespace

core::Bytes fresh_session() {
    core::Bytes out(16);
    core::system_random().fill(out);
    return out;
}

Ceremony::Ceremony(Size size)
    : keys(fresh_keys(size.second)), setup{fresh_session(), size.first, points_of(keys), {}} {}

void Ceremony::open() {
    for (const MemberKey& key : keys) {
        OpenedRun opened = expect(open_run(setup, key));
        pledges.push_back(std::move(opened.pledge));
        dealings.push_back(std::move(opened.dealing));
    }
}

Result<AcceptedRun> Ceremony::accept(std::uint32_t index) const {
    return accept_dealings(setup, key(index), pledges, dealings);
}

void Ceremony::accept_all() {
    for (std::uint32_t index = 1; index <= keys.size(); ++index) {
        AcceptedRun accepted = expect(accept(index));
        transcript = std::move(accepted.transcript);
        group = std::move(accepted.group);
        shares.push_back(std::move(accepted.share));
        signatures.push_back(core::to_bytes(accepted.signature));
    }
}

void Ceremony::run() {
    open();
    accept_all();
    certificate = expect(certify(transcript, signatures));
}

Change::Change(const Group& from, Size size)
    : keys(fresh_keys(size.second)), setup{fresh_session(), from, size.first, points_of(keys)} {}

Change& Change::deal(
    const std::vector<MemberKey>& old_keys, const std::vector<KeyShare>& old_shares
) {
    for (std::size_t i = 0; i < old_keys.size(); ++i) {
        dealings.push_back(expect(deal_again(setup, old_keys[i], old_shares[i])));
    }
    return *this;
}

Result<AcceptedReshare> Change::accept(std::uint32_t index) const {
    return accept_again(setup, keys[index - 1], dealings);
}

void Change::accept_all() {
    for (std::uint32_t index = 1; index <= keys.size(); ++index) {
        AcceptedReshare accepted = expect(accept(index));
        transcript = std::move(accepted.transcript);
        group = std::move(accepted.group);
        shares.push_back(std::move(accepted.share));
        signatures.push_back(core::to_bytes(accepted.signature));
    }
    certificate = expect(certify_again(transcript, signatures));
}

Sealed seal_to(const Group& group) {
    const core::Scalar secret = core::generate_scalar();
    return {*core::PublicPoint::of_scalar(secret), *core::ecdh_x(secret, group.public_key())};
}

std::vector<Partial> partials_of(
    const Group& group,
    const std::vector<KeyShare>& shares,
    const std::vector<std::uint32_t>& indices,
    const core::PublicPoint& point,
    core::ByteView context
) {
    std::vector<Partial> out;
    for (const std::uint32_t index : indices) {
        out.push_back(expect(make_partial(group, shares[index - 1], point, context)));
    }
    return out;
}

bool opens(
    const Group& group,
    const std::vector<KeyShare>& shares,
    const std::vector<std::uint32_t>& indices
) {
    const Sealed sealed = seal_to(group);
    const core::Bytes context{1, 2, 3};
    const auto combined = combine(
        group, sealed.point, context, partials_of(group, shares, indices, sealed.point, context)
    );
    return combined.has_value() && same_bytes(x_of(*combined).reveal(), sealed.expected.reveal());
}

std::vector<std::uint32_t> first_members(std::uint32_t count) {
    std::vector<std::uint32_t> out(count);
    std::iota(out.begin(), out.end(), 1U);
    return out;
}

std::vector<std::uint32_t> some_members(std::uint32_t count, std::uint32_t of) {
    std::vector<std::uint32_t> out = first_members(of);
    std::random_device seed;
    std::mt19937 generator(seed());
    std::shuffle(out.begin(), out.end(), generator);
    out.resize(count);
    return out;
}

bool same_bytes(core::ByteView left, core::ByteView right) {
    return std::ranges::equal(left, right);
}

}  // namespace pgveil::quorum::testing
