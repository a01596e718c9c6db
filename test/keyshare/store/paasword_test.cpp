#include "keyshare/core/gcm.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/hierarchy.hpp"
#include "keyshare/share/proxy_bootstrap.hpp"
#include "keyshare/share/triple.hpp"
#include "test/keyshare/store/world.hpp"
#include "test/support/aes256.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

// The flaws of the PaaSword paper (docs/PAASWORD.md): each attack succeeds on the paper's way,
// which is written down here as small as it goes, and fails on ours.
namespace pgveil::store::test {
namespace {

using share::DenialKind;

constexpr std::string_view kPaperType = "paper";

core::Bytes paper_info() {
    return core::to_bytes(core::as_bytes("paper"));
}

/// EncP(share || time).
core::Bytes paper_seal(core::ByteView part, std::int64_t now_s, const core::PublicPoint& proxy) {
    const core::SecretBytes both =
        core::secret_length_prefixed({part, core::big_endian64(static_cast<std::uint64_t>(now_s))});
    return core::hpke_seal(proxy, paper_info(), {}, both.reveal());
}

/// P as the paper has it: one key pair for ever, SigT(EncP(TKp || time)) that names nobody, a
/// window of time and nothing else that makes a message old.
class PaperProxy {
public:
    explicit PaperProxy(core::VerifyingKey tenant) : tenant_(std::move(tenant)) {}

    /// AddUser and ChangeKey: A says for whom.
    bool set_user(const std::string& user_id, std::string_view signed_share, std::int64_t now_s) {
        const auto sealed = core::verify_jws(tenant_, kPaperType, signed_share);
        auto part = sealed.has_value() ? open<share::ProxyPart>(*sealed, now_s) : std::nullopt;
        if (!part) {
            return false;
        }
        parts_.insert_or_assign(user_id, *std::move(part));
        return true;
    }

    /// WithdrawUser: nobody signs it.
    void withdraw(const std::string& user_id) { parts_.erase(user_id); }

    /// A request: TK of what is presented, by whatever login.
    std::optional<share::TenantKey> rebuild(
        const std::string& user_id,
        core::ByteView sealed_user_part,
        const share::AppPart& app,
        std::int64_t now_s
    ) const {
        const auto user = open<share::UserPart>(sealed_user_part, now_s);
        const auto found = parts_.find(user_id);
        return user && found != parts_.end()
                   ? std::optional(share::combine(*user, app, found->second))
                   : std::nullopt;
    }

    core::HpkeKeyPair key = core::HpkeKeyPair::generate();

private:
    static constexpr std::int64_t kWindowSeconds = 600;

    template <class Part>
    std::optional<Part> open(core::ByteView sealed, std::int64_t now_s) const {
        const auto opened = core::hpke_open(key, paper_info(), {}, sealed);
        if (!opened.has_value()) {
            return std::nullopt;
        }
        const auto fields = core::split_length_prefixed(opened->reveal(), 2);
        if (!fields) {
            return std::nullopt;
        }
        const auto time_s = static_cast<std::int64_t>(core::read_big_endian64((*fields)[1]));
        auto part = Part::from((*fields)[0]);
        return time_s + kWindowSeconds > now_s ? std::optional(*std::move(part)) : std::nullopt;
    }

    core::VerifyingKey tenant_;
    std::map<std::string, share::ProxyPart> parts_;
};

bool is_key(const std::optional<share::TenantKey>& one, const share::TenantKey& other) {
    return one && core::equal_in_constant_time(one->reveal(), other.reveal());
}

/// The paper's roles beside ours: the tenant of the fixture and its TK.
class PaaSword : public World {
protected:
    share::Triple triple() const { return share::split(tk_, core::system_random()); }

    std::string signed_part(const share::Triple& triple, std::int64_t now_s = kNow) const {
        const core::Bytes sealed = paper_seal(triple.proxy.reveal(), now_s, paper_.key.point);
        return core::sign_jws(identity_.signing, kPaperType, sealed);
    }

    core::Bytes token_of(const share::Triple& triple, std::int64_t now_s = kNow) const {
        return paper_seal(triple.user.reveal(), now_s, paper_.key.point);
    }

    share::TenantKey tk_ = core::random_secret<share::TenantKey>(core::system_random());
    PaperProxy paper_{identity_.signing.verifying_key()};
};

TEST_F(PaaSword, P6_AShareOfOneUserIsNotAttachedToAnother) {
    const share::Triple clerk = triple();
    ASSERT_TRUE(paper_.set_user("nurse", signed_part(clerk), kNow));  // A's own choice of a name
    EXPECT_TRUE(is_key(paper_.rebuild("nurse", token_of(clerk), clerk.app, kNow), tk_));

    const Holdings ours = make_user("clerk");
    const core::SecretBytes app = app_text(ours);
    EXPECT_FALSE(custody_->add_user("nurse", &app, ours.command, kNow).has_value());
    EXPECT_TRUE(custody_->add_user("clerk", &app, ours.command, kNow).has_value());
}

TEST_F(PaaSword, P6_AnOldChangeKeyIsNotReplayed) {
    const share::Triple stolen = triple();
    const share::Triple next = triple();
    const std::string first = signed_part(stolen);
    ASSERT_TRUE(paper_.set_user("nurse", first, kNow));
    ASSERT_TRUE(paper_.set_user("nurse", signed_part(next), kNow));
    EXPECT_FALSE(is_key(paper_.rebuild("nurse", token_of(stolen), stolen.app, kNow), tk_));
    ASSERT_TRUE(paper_.set_user("nurse", first, kNow + 60));  // within the window
    EXPECT_TRUE(is_key(paper_.rebuild("nurse", token_of(stolen), stolen.app, kNow), tk_));

    const Holdings old = add_user("nurse");
    const Holdings changed = change_key("nurse");
    const auto replayed = custody_->add_user("nurse", nullptr, old.command, kNow + 60);
    EXPECT_TRUE(replayed.has_value());  // the receipt of then, and nothing else
    EXPECT_FALSE(works(old));
    EXPECT_TRUE(works(changed));
}

TEST_F(PaaSword, P6_AWithdrawalIsSignedAndCannotBeHeldBackUnnoticed) {
    const share::Triple nurse = triple();
    ASSERT_TRUE(paper_.set_user("nurse", signed_part(nurse), kNow));
    // The tenant withdraws nurse, A does not pass it on: later commands are taken all the same.
    EXPECT_TRUE(paper_.set_user("clerk", signed_part(triple()), kNow));
    EXPECT_TRUE(is_key(paper_.rebuild("nurse", token_of(nurse), nurse.app, kNow), tk_));
    paper_.withdraw("nurse");  // and anybody else can
    EXPECT_FALSE(paper_.rebuild("nurse", token_of(nurse), nurse.app, kNow));

    const Holdings ours = add_user("nurse");
    const std::string held_back = withdraw("nurse");
    const Holdings clerk = make_user("clerk");
    EXPECT_FALSE(custody_->apply(clerk.command, kNow).has_value());
    EXPECT_FALSE(custody_->withdraw_user("nurse", clerk.command, kNow).has_value());
    EXPECT_TRUE(works(ours));
    EXPECT_TRUE(custody_->apply(held_back + "," + clerk.command, kNow).has_value());
    EXPECT_FALSE(works(ours));
}

TEST_F(PaaSword, P7_ATokenIsNotReplayedByAnotherLogin) {
    const share::Triple nurse = triple();
    ASSERT_TRUE(paper_.set_user("nurse", signed_part(nurse), kNow));
    const core::Bytes token_text = token_of(nurse);
    for (int who = 0; who < 2; ++who) {  // nothing ties it to anybody
        EXPECT_TRUE(is_key(paper_.rebuild("nurse", token_text, nurse.app, kNow + 300), tk_));
    }

    const Holdings ours = add_user("nurse");
    const core::SecretBytes text = token(ours), app = app_text(ours);
    Attempt attempt{"nurse", &text, &app};
    ASSERT_TRUE(rebuild(attempt).has_value());
    attempt.login = "thief";
    EXPECT_EQ(denial_of(attempt), DenialKind::kTokenTaken);
}

TEST_F(PaaSword, P7_RecordedTokensAndALaterKeyOfTheProxyDoNotGiveTKu) {
    const share::Triple nurse = triple();
    const core::Bytes recorded = token_of(nurse);
    constexpr std::int64_t kYear = 365 * 86400;
    const auto opened = core::hpke_open(paper_.key, paper_info(), {}, recorded);
    ASSERT_TRUE(opened.has_value());  // a year later, with the disk of the proxy
    EXPECT_EQ((*core::split_length_prefixed(opened->reveal(), 2))[0].size(), 32U);

    const Holdings ours = add_user("nurse");
    const core::SecretBytes text = token(ours), app = app_text(ours);
    ASSERT_TRUE(rebuild({"nurse", &text, &app}).has_value());
    ASSERT_TRUE(custody_->maintain(kNow + kYear).has_value());
    EXPECT_EQ(denial_of({"nurse", &text, &app}), DenialKind::kTokenKeyDestroyed);
}

TEST_F(PaaSword, P1_AFlippedBitIsNoticedAndItsShareNamed) {
    const share::Triple nurse = triple();
    ASSERT_TRUE(paper_.set_user("nurse", signed_part(nurse), kNow));
    core::Bytes app_bytes = core::to_bytes(nurse.app.reveal());
    app_bytes[0] ^= 0x10U;
    const auto flipped = paper_.rebuild(
        "nurse", token_of(nurse), *share::AppPart::from(core::ByteView(app_bytes)), kNow
    );
    ASSERT_TRUE(flipped);  // another key, and no word about which share is wrong
    EXPECT_EQ(flipped->reveal()[0] ^ tk_.reveal()[0], 0x10U);

    Holdings ours = add_user("nurse");
    const core::SecretBytes text = token(ours);
    core::Bytes part = core::to_bytes(ours.app_share.groups[0].part.reveal());
    part[0] ^= 0x10U;
    ours.app_share.groups[0].part = *share::AppPart::from(core::ByteView(part));
    const core::SecretBytes app = app_text(ours);
    EXPECT_EQ(denial_of({"nurse", &text, &app}), DenialKind::kAppShareWrong);
}

// The provider of A makes the one-time password in the paper, and is first.
TEST_F(PaaSword, P5_WhoKnowsTheOneTimePasswordAloneGetsNoKey) {
    const share::TenantIdentity thief = share::TenantIdentity::generate();
    const auto hello_of = [](const share::TenantIdentity& who) {
        return share::TenantBootstrap::begin("acme", {"default"}, who)->request();
    };
    const core::SigningKey proxy_key = core::SigningKey::generate();
    const share::ProxyBootstrap::Proxy proxy{"acme", proxy_key, core::system_random(), kNow};
    // With the password as the only proof, as in the paper, the first is taken for the tenant.
    auto by_password = share::ProxyBootstrap::order("verifier", std::nullopt);
    EXPECT_TRUE(by_password.on_hello(hello_of(thief), proxy).has_value());
    EXPECT_FALSE(by_password.on_hello(hello_of(identity_), proxy).has_value());

    auto ours = share::ProxyBootstrap::order("verifier", share::fingerprint_of(identity_));
    EXPECT_FALSE(ours.on_hello(hello_of(thief), proxy).has_value());
    EXPECT_TRUE(ours.on_hello(hello_of(identity_), proxy).has_value());
}

// In the paper P makes the tenant's signing key, and can sign in his name.
TEST_F(PaaSword, P5_TheProxyCannotSignForTheTenant) {
    const core::SigningKey made_by_proxy = core::SigningKey::generate();  // and handed over
    PaperProxy paper(made_by_proxy.verifying_key());
    const core::Bytes sealed = paper_seal(triple().proxy.reveal(), kNow, paper.key.point);
    EXPECT_TRUE(paper.set_user("ghost", core::sign_jws(made_by_proxy, kPaperType, sealed), kNow));

    const auto holds = [](const core::SecretBytes& state, core::ByteView secret) {
        return std::search(
                   state.reveal().begin(), state.reveal().end(), secret.begin(), secret.end()
               ) != state.reveal().end();
    };
    const core::SigningKey proxy_key = core::SigningKey::generate();
    const share::ProxyBootstrap::Proxy proxy{"acme", proxy_key, core::system_random(), kNow};
    auto ours = share::ProxyBootstrap::order("verifier", std::nullopt);
    const auto run = share::TenantBootstrap::begin("acme", {"default"}, identity_);
    ASSERT_TRUE(ours.on_hello(run->request(), proxy).has_value());
    const core::SecretBytes known = ours.save();
    EXPECT_TRUE(holds(known, identity_.signing.verifying_key().point().bytes()));  // the control
    EXPECT_FALSE(holds(known, identity_.signing.scalar().reveal()));
}

using Block = support::AesBlock;

Block sum(const Block& one, const Block& other) {
    Block out{};
    std::ranges::transform(one, other, out.begin(), std::bit_xor<>());
    return out;
}

/// The product in GCM's field (SP 800-38D section 6.3).
Block product(const Block& one, Block other) {
    Block out{};
    for (unsigned bit = 0; bit < 128; ++bit) {
        if (((one.at(bit / 8) >> (7 - bit % 8)) & 1U) != 0) {
            out = sum(out, other);
        }
        const bool carries = (other[15] & 1U) != 0;
        for (std::size_t at = 15; at > 0; --at) {
            other.at(at) = static_cast<std::uint8_t>(other.at(at) >> 1U | other.at(at - 1) << 7U);
        }
        other[0] = static_cast<std::uint8_t>(other[0] >> 1U ^ (carries ? 0xE1 : 0));
    }
    return out;
}

/// Its inverse: the power 2^128 - 2.
Block inverse(const Block& one) {
    Block square = one;
    Block out{0x80};  // 1
    for (int bit = 1; bit < 128; ++bit) {
        square = product(square, square);
        out = product(out, square);
    }
    return out;
}

/// What one key brings into a tag over one block: H, and L * H + E(J0).
struct TagParts {
    Block hash_key;
    Block rest;
};

TagParts tag_parts(core::ByteView key) {
    const auto rounds = support::expand_key(key);
    const Block hash_key = support::encrypt(rounds, {});
    const Block lengths{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128};
    const Block counter{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return {hash_key, sum(product(lengths, hash_key), support::encrypt(rounds, counter))};
}

// A ciphertext of GCM may open under two keys; the paper's check of TK is that one opens.
TEST_F(PaaSword, P4_TwoKeysDoNotPassOneCheck) {
    const share::TenantKey other = core::random_secret<share::TenantKey>(core::system_random());
    const TagParts first = tag_parts(tk_.reveal());
    const TagParts second = tag_parts(other.reveal());
    const Block squares =
        sum(product(first.hash_key, first.hash_key), product(second.hash_key, second.hash_key));
    const Block text = product(sum(first.rest, second.rest), inverse(squares));
    const Block tag = sum(product(text, product(first.hash_key, first.hash_key)), first.rest);
    core::Bytes both(text.begin(), text.end());
    core::append(both, tag);
    const core::Bytes nonce(core::kGcmNonceSize);
    EXPECT_TRUE(core::Aes256Gcm(tk_.reveal()).open(nonce, {}, both).has_value());
    EXPECT_TRUE(core::Aes256Gcm(other.reveal()).open(nonce, {}, both).has_value());

    const share::TenantKeyPlace place{"acme", "default", 1};
    EXPECT_NE(share::key_check_of(tk_, place), share::key_check_of(other, place));
}

}  // namespace
}  // namespace pgveil::store::test
