#include "keyshare/core/arena.hpp"
#include "keyshare/core/base64url.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/core/password.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/core/siv.hpp"
#include "keyshare/core/xaes.hpp"
#include "test/keyshare/core/memory_scan.hpp"
#include "test/keyshare/core/subprocess.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace pgveil::core {
namespace {

using testing::Hits;
using testing::in_child;
using testing::Needle;
using testing::needles_of_aes_rounds;
using testing::needles_of_key;
using testing::scan;

using Needles = std::vector<Needle>;

void add(Needles& needles, const Needles& more) {
    needles.insert(needles.end(), more.begin(), more.end());
}

// What a scenario saw: needles alive (positive control), then the same needles after every object
// died.
struct Seen {
    Hits alive;
    Hits dead;
};

using Scenario = std::function<Seen()>;

std::string verdict(const Seen& seen, bool in_arena) {
    std::string said;
    const std::size_t alive = seen.alive.in_arena + seen.alive.elsewhere;
    if (alive == 0) {
        said += "the scan is blind; ";
    }
    if (in_arena && seen.alive.elsewhere != 0) {
        said += std::to_string(seen.alive.elsewhere) + " copies outside the arena while alive; ";
    }
    if (seen.dead.in_arena + seen.dead.elsewhere != 0) {
        said += std::to_string(seen.dead.in_arena) + " in the arena and " +
                std::to_string(seen.dead.elsewhere) + " elsewhere after death; ";
    }
    return said;
}

// Scans in one thread have nothing for ThreadSanitizer, whose shadow memory makes them take
// minutes.
#if defined(__SANITIZE_THREAD__)
constexpr bool kIsTooSlow = true;
#else
constexpr bool kIsTooSlow = false;
#endif

class Residue : public ::testing::Test {
protected:
    void SetUp() override {
        if (kIsTooSlow) {
            GTEST_SKIP() << "not under ThreadSanitizer";
        }
    }
};

void expect_no_residue_in_arenas(const Scenario& scenario) {
    for (const ArenaMode mode : {ArenaMode::kMlock, ArenaMode::kMemfdSecret}) {
        const auto body = [&]() -> std::string {
            const auto report = install_arena({.mode = mode});
            return report.has_value() ? verdict(scenario(), true) : report.error().message;
        };
        EXPECT_EQ(in_child(body), "") << name_of(mode);
    }
}

// For what our own types promise without an arena too; libcrypto alone frees some blocks unwiped.
void expect_no_residue_anywhere(const Scenario& scenario) {
    EXPECT_EQ(in_child([&] { return verdict(scenario(), false); }), "") << "plain heap";
    expect_no_residue_in_arenas(scenario);
}

using Key = Secret<struct ResidueKey>;

TEST_F(Residue, OfSecretsThatWereCopiedMovedGrownAndShrunk) {
    expect_no_residue_anywhere([] {
        Seen seen;
        Needles needles;
        {
            Key key = random_secret<Key>(system_random());
            needles = needles_of_key(key.reveal());
            const Key moved = std::move(key);
            const Key copy = moved.duplicate();
            SecretBytes grown;
            for (int i = 0; i < 20; ++i) {
                grown.append(copy.reveal());
            }
            grown.resize_down(40);
            SecretBytes assigned = SecretBytes::copy_of(copy.reveal());
            assigned = std::move(grown);
            const SecretBytes message = secret_length_prefixed({moved.reveal(), as_bytes("x")});
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

void expect_no_residue_of_xaes(AesLibrary library) {
    expect_no_residue_in_arenas([library] {
        Seen seen;
        Needles needles;
        {
            const Key key = random_secret<Key>(system_random());
            needles = needles_of_key(key.reveal());
            add(needles, needles_of_aes_rounds(key.reveal()));
            Xaes256Gcm xaes(key.reveal(), library);
            XaesNonces nonces;
            const XaesNonce nonce = nonces.next(system_random());
            const Bytes sealed = xaes.seal(nonce, {}, Bytes(100));
            const auto opened = xaes.open(nonce, {}, sealed);
            const auto once =
                xaes_open(key.reveal(), {}, xaes_seal(key.reveal(), {}, Bytes(9), system_random()));
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfXaesKeysAndRoundKeysInNettle) {
    expect_no_residue_of_xaes(AesLibrary::kNettle);
}

TEST_F(Residue, OfXaesKeysAndRoundKeysInLibcrypto) {
    expect_no_residue_of_xaes(AesLibrary::kLibcrypto);
}

void expect_round_keys_die_with_the_context(AesLibrary library) {
    expect_no_residue_in_arenas([library] {
        Seen seen;
        Needles rounds;
        {
            Key key = random_secret<Key>(system_random());
            rounds = needles_of_aes_rounds(key.reveal());
            Aes256Gcm gcm(key.reveal(), library);
            key = Key();
            seen.alive = scan(rounds);
        }
        seen.dead = scan(rounds);
        return seen;
    });
}

TEST_F(Residue, OfRoundKeysWhileNettlesContextLivesIsFoundEvenWhenTheKeyItselfIsGone) {
    expect_round_keys_die_with_the_context(AesLibrary::kNettle);
}

TEST_F(Residue, OfRoundKeysWhileLibcryptosContextLivesIsFoundEvenWhenTheKeyItselfIsGone) {
    expect_round_keys_die_with_the_context(AesLibrary::kLibcrypto);
}

TEST_F(Residue, OfSivKeysAndRoundKeys) {
    expect_no_residue_in_arenas([] {
        Seen seen;
        Needles needles;
        {
            const auto key = random_secret<Secret<struct ResidueSiv, 64>>(system_random());
            for (const std::size_t half : {0U, 32U}) {
                add(needles, needles_of_key(ByteView(key.reveal()).subspan(half, 32)));
                add(needles, needles_of_aes_rounds(ByteView(key.reveal()).subspan(half, 32)));
            }
            AesSiv siv(key.reveal());
            const Bytes sealed = siv.seal({as_bytes("place")}, Bytes(50));
            const auto opened = siv.open({as_bytes("place")}, sealed);
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfPlaintextsThatWereOpenedOrFailedToOpen) {
    expect_no_residue_in_arenas([] {
        Seen seen;
        Needles needles;
        {
            const Key key = random_secret<Key>(system_random());
            const auto siv_key = random_secret<Secret<struct ResidueSiv, 64>>(system_random());
            const Key plaintext = random_secret<Key>(system_random());
            needles = needles_of_key(plaintext.reveal());
            Bytes sealed = xaes_seal(key.reveal(), {}, plaintext.reveal(), system_random());
            const auto opened = xaes_open(key.reveal(), {}, sealed);
            sealed.back() ^= 1U;
            const auto refused = xaes_open(key.reveal(), {}, sealed);
            AesSiv siv(siv_key.reveal());
            const Bytes deterministic = siv.seal({}, plaintext.reveal());
            const auto opened_too = siv.open({}, deterministic);
            const auto refused_too = siv.open({as_bytes("elsewhere")}, deterministic);
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfHpkeScalarAndOpenedShare) {
    expect_no_residue_in_arenas([] {
        Seen seen;
        Needles needles;
        {
            const HpkeKeyPair recipient = HpkeKeyPair::generate();
            const Key share = random_secret<Key>(system_random());
            needles = needles_of_key(recipient.scalar.reveal());
            add(needles, needles_of_key(share.reveal()));
            const Bytes message = hpke_seal(recipient.point, {}, {}, share.reveal());
            const auto opened = hpke_open(recipient, {}, {}, message);
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfSigningScalars) {
    expect_no_residue_in_arenas([] {
        Seen seen;
        Needles needles;
        {
            const SigningKey key = SigningKey::generate();
            needles = needles_of_key(key.scalar().reveal());
            const auto again = SigningKey::from_scalar(key.scalar());
            const std::string signed_text = sign_jws(*again, "test", as_bytes("payload"));
            const bool fits = verify_jws(key.verifying_key(), "test", signed_text).has_value();
            seen.alive = fits ? scan(needles) : Hits{};
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfDerivedKeysAndPasswords) {
    expect_no_residue_in_arenas([] {
        Seen seen;
        Needles needles;
        {
            const Key root = random_secret<Key>(system_random());
            const Key derived = derive<Key>(root.reveal(), as_bytes("pgveil/1 column"));
            const auto from_password = pbkdf2_sha256(root.reveal(), as_bytes("salt"), 10, 32);
            const auto slow =
                scrypt(root.reveal(), as_bytes("salt"), {.n = 1024, .r = 8, .p = 1}, 32);
            add(needles, needles_of_key(root.reveal()));
            add(needles, needles_of_key(derived.reveal()));
            add(needles, needles_of_key(from_password->reveal()));
            add(needles, needles_of_key(slow->reveal()));
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfTheTextFormOfASecret) {
    expect_no_residue_anywhere([] {
        Seen seen;
        Needles needles;
        {
            const Key key = random_secret<Key>(system_random());
            const SecretBytes text = base64url_encode_secret(key.reveal());
            const auto back = base64url_decode_secret(as_text(text.reveal()));
            needles = needles_of_key(key.reveal());
            add(needles, needles_of_key(text.reveal()));
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

TEST_F(Residue, OfConsumedRandomBytesWhileTheSourceLives) {
    expect_no_residue_anywhere([] {
        Seen seen;
        Needles needles;
        BatchedRandom random;
        {
            const Key key = random_secret<Key>(random);
            needles = needles_of_key(key.reveal());
            seen.alive = scan(needles);
        }
        seen.dead = scan(needles);
        return seen;
    });
}

}  // namespace
}  // namespace pgveil::core
