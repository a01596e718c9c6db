#include "keyshare/core/bytes.hpp"
#include "keyshare/quorum/complaint.hpp"
#include "keyshare/quorum/dealing.hpp"
#include "keyshare/quorum/dkg.hpp"
#include "keyshare/quorum/exchange.hpp"
#include "keyshare/quorum/generation_run.hpp"
#include "keyshare/quorum/reshare.hpp"
#include "keyshare/quorum/reshare_run.hpp"
#include "keyshare/quorum/reshare_transcript.hpp"
#include "test/fuzz/patched.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using namespace pgveil;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

// What is accepted has one form.
template <class T>
void check_one_form(const quorum::Result<T>& parsed, core::ByteView bytes) {
    if (parsed.has_value()) {
        const auto again = serialize(*parsed);
        if constexpr (requires { again.reveal(); }) {
            require(std::ranges::equal(again.reveal(), bytes));
        } else {
            require(std::ranges::equal(again, bytes));
        }
    }
}

void check_forms(core::ByteView bytes) {
    check_one_form(quorum::parse_group(bytes), bytes);
    check_one_form(quorum::parse_key_share(bytes), bytes);
    check_one_form(quorum::parse_partial(bytes), bytes);
    check_one_form(quorum::parse_dealing(bytes, 2, 2), bytes);
    check_one_form(quorum::parse_transcript(bytes), bytes);
    check_one_form(quorum::parse_certificate(bytes), bytes);
    check_one_form(quorum::parse_request(bytes), bytes);
    check_one_form(quorum::parse_reshare_transcript(bytes), bytes);
    check_one_form(quorum::parse_reshare_certificate(bytes), bytes);
    check_one_form(quorum::parse_generation_run(bytes), bytes);
    check_one_form(quorum::parse_reshare_run(bytes), bytes);
}

// A run of 2 of 2, as far as member 1 sees it.
struct Stage {
    Stage() {
        for (const quorum::MemberKey& key : keys) {
            setup.members.push_back(key.point());
        }
        for (const quorum::MemberKey& key : keys) {
            auto opened = quorum::open_run(setup, key);
            pledges.push_back(opened->pledge);
            dealings.push_back(opened->dealing);
        }
        complaint = core::Bytes(160);
        for (const quorum::MemberKey& key : keys) {
            auto accepted = quorum::accept_dealings(setup, key, pledges, dealings);
            signatures.push_back(core::to_bytes(accepted->signature));
            transcript = accepted->transcript;
            group = accepted->group;
            shares.push_back(std::move(accepted->share));
        }
    }

    std::vector<quorum::MemberKey> keys = [] {
        std::vector<quorum::MemberKey> out;
        out.push_back(quorum::MemberKey::generate());
        out.push_back(quorum::MemberKey::generate());
        return out;
    }();
    quorum::DkgSetup setup{core::Bytes(16, 7), 2, {}, {}};
    std::vector<core::Bytes> pledges, dealings, signatures;
    core::Bytes transcript, complaint;
    quorum::Group group;
    std::vector<quorum::KeyShare> shares;
};

// The same with a few bytes of one message changed: refused, or as if they had not been.
void check_patched(core::ByteView patches) {
    static const Stage kStage;
    auto pledges = kStage.pledges;
    pledges[1] = fuzz::patched(pledges[1], patches);
    static_cast<void>(quorum::check_pledges(kStage.setup, pledges));
    auto dealings = kStage.dealings;
    dealings[1] = fuzz::patched(dealings[1], patches);
    const auto accepted =
        quorum::accept_dealings(kStage.setup, kStage.keys[0], kStage.pledges, dealings);
    require(accepted.has_value() == (dealings == kStage.dealings));
    static_cast<void>(quorum::certify(fuzz::patched(kStage.transcript, patches), kStage.signatures)
    );
    static_cast<void>(quorum::judge(
        kStage.setup, kStage.pledges, kStage.dealings[1], fuzz::patched(kStage.complaint, patches)
    ));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const core::ByteView input(bytes, size);
    check_forms(input);
    check_patched(input);
    return 0;
}
