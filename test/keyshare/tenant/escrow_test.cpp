// A home in escrow: sealed to a group, rehearsed, recovered, refreshed, and what stops each of
// them.
#include "keyshare/tenant/escrow.hpp"

#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/key_file.hpp"
#include "keyshare/envelope/named_holders.hpp"
#include "keyshare/envelope/protected_share.hpp"
#include "test/keyshare/tenant/tenant_program.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace pgveil::tenant {

namespace {

using testing::HasSubstr;
using testing::Not;
using user::Ended;
using user::exists;

constexpr std::int64_t kEscrowedAt = 1'800'000'000;

/// Of the steps before which a sweep kills: scripts/nightly says 1, and meets every one. Each
/// costs several starts of a process.
std::int64_t stride(std::int64_t otherwise) {
    const char* const said = std::getenv("PGVEIL_CRASH_STRIDE");  // NOLINT(concurrency-mt-unsafe)
    return said == nullptr ? otherwise : std::max<std::int64_t>(std::atoll(said), 1);
}

class Escrow : public TenantProgram {
protected:
    /// Holders of a fresh group in directories of these names, and its key file.
    void found(const std::vector<std::string>& names) {
        auto founding = envelope::found_group();
        core::Bytes closed;
        if (names.size() < envelope::kMembers) {
            const core::SecretBytes code = envelope::make_code(core::system_random());
            const auto copy = core::SecretBytes::copy_of(code.reveal());
            put("code", std::string(core::as_text(copy.reveal())) + "\n");
            put("password", "a password\n");
            closed = *envelope::close_share(
                founding->members.back(),
                founding->group,
                {test_passphrase("a password"), *envelope::normal_code(code.reveal())},
                envelope::kScryptLogNMin,
                core::system_random()
            );
        }
        for (std::size_t at = 0; at < names.size(); ++at) {
            ASSERT_TRUE(envelope::FileHolder::create(
                scratch_ / names[at],
                {names[at], founding->group, std::move(founding->members[at]), closed}
            ));
        }
        put("group.key", envelope::write_key_file(founding->group.public_key()));
    }

    std::vector<std::string> escrow(
        const std::string& verb,
        const std::string& file,
        const std::vector<std::string>& holders,
        const std::vector<std::string>& more = {}
    ) const {
        std::vector<std::string> all = {
            "escrow", verb, scratch_ / file, "--test-scrypt-log2-n", "4"};
        for (const std::string& holder : holders) {
            all.insert(all.end(), {"--holder", scratch_ / holder});
        }
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    std::vector<std::string> create(const std::string& file) const {
        return escrow("create", file, {}, {"--key", scratch_ / "group.key"});
    }

    std::vector<std::string> by_password() const {
        return {"--password-file", scratch_ / "password", "--code-file", scratch_ / "code"};
    }

    std::string epoch_of(const std::string& holder) const {
        return std::to_string((*envelope::FileHolder::open(scratch_ / holder))->group().epoch);
    }

    /// Whether these holders, as they are now, give the home that is in the file.
    bool recovers(const std::string& file, const std::vector<std::string>& names) const {
        const user::Console console("test", 1, 2);
        envelope::NamedHolders holders(console);
        std::vector<std::string> directories;
        for (const std::string& name : names) {
            directories.push_back(scratch_ / name);
        }
        holders.add_directories(directories);
        const auto escrow = read_escrow(scratch_ / file);
        if (!escrow) {
            return false;
        }
        const auto key = envelope::ask_holders(
            escrow->header,
            holders.all(),
            {"grey", kRecoverPurpose, kEscrowedAt},
            [](const std::string&) {}
        );
        return key && open_escrow(*escrow, *key);
    }

    /// Whether the home's note is about this file.
    bool is_noted(const std::string& file) const {
        const auto home = Home::open(scratch_ / "home", test_passphrase());
        const auto note = read_note(scratch_ / "home", home->state());
        const auto escrow = read_escrow(scratch_ / file);
        return escrow && note && note->has_value() &&
               (*note)->file_digest == core::sha256(escrow->bytes);
    }

    void lose_home() const { std::filesystem::rename(scratch_ / "home", scratch_ / "lost"); }

    const std::vector<std::string> three_ = {"provider", "company", "notary"};
};

}  // namespace

TEST_F(Escrow, C6_IsMadeWithThePublicKeyAloneAndShowSaysWhenItIsStale) {
    found(three_);
    for (const std::string& name : three_) {
        std::filesystem::rename(scratch_ / name, scratch_ / (name + ".away"));
    }
    EXPECT_THAT(run({"show"}).output, HasSubstr("escrow: none\n"));
    const Ended made = run(create("home.escrow"));
    ASSERT_EQ(made.code, 0) << made.notes;
    EXPECT_THAT(run({"show"}).output, HasSubstr("home.escrow, the home as it is\n"));
    EXPECT_THAT(run(create("home.escrow")).notes, HasSubstr("exists already"));
    EXPECT_EQ(run({"group", "create", "lab", "--out", scratch_ / "out"}).code, 0);
    EXPECT_THAT(run({"show"}).output, HasSubstr("STALE"));
}

TEST_F(Escrow, C3_AnyTwoOfThreeRecoverTheHomeAndOneDoesNot) {
    found(three_);
    ASSERT_EQ(add_nurse().code, 0);
    ASSERT_EQ(run(create("home.escrow")).code, 0);
    EXPECT_THAT(
        run(escrow("recover", "home.escrow", {"provider", "notary"})).notes,
        HasSubstr("there is a tenant's home")
    );
    lose_home();
    const Ended alone = run(escrow("recover", "home.escrow", {"provider", "provider"}));
    EXPECT_EQ(alone.code, 1);
    EXPECT_THAT(alone.notes, HasSubstr("1 of 2 holders helped"));
    EXPECT_FALSE(exists(scratch_ / "home/home"));
    put("new-passphrase", "another\n");
    auto recover = escrow("recover", "home.escrow", {"provider", "notary"});
    recover.insert(recover.begin(), {"--passphrase-file", scratch_ / "new-passphrase"});
    std::vector<std::string> words = {PGVEIL_TENANT_PROGRAM, "--home", scratch_ / "home"};
    words.insert(words.end(), recover.begin(), recover.end());
    const Ended recovered = user::run_program(words);
    ASSERT_EQ(recovered.code, 0) << recovered.notes;
    EXPECT_THAT(recovered.notes, HasSubstr("pgveil-tenant reconcile"));
    EXPECT_THAT(run({"user", "list"}).notes, HasSubstr("passphrase is wrong"));
    const auto home = Home::open(scratch_ / "home", test_passphrase("another"));
    ASSERT_TRUE(home);
    EXPECT_NE(home->state().restored_at_s, 0);
    EXPECT_EQ(home->state().users.front().user_id, "nurse");
    EXPECT_TRUE(share::check_keys(*home->state().enrolment));
}

TEST_F(Escrow, C3_TheCompanyAloneRecoversWithPasswordAndCode) {
    found({"company", "cloud"});
    ASSERT_EQ(run(create("home.escrow")).code, 0);
    const Ended verified = run(escrow("verify", "home.escrow", {"company"}, by_password()));
    EXPECT_EQ(verified.code, 0) << verified.notes;
    EXPECT_THAT(verified.output, HasSubstr("holder: password, share 3: answered"));
    lose_home();
    put("wrong", "not the password\n");
    auto wrong = by_password();
    wrong[1] = scratch_ / "wrong";
    EXPECT_EQ(run(escrow("recover", "home.escrow", {"company"}, wrong)).code, 1);
    const Ended recovered = run(escrow("recover", "home.escrow", {"company"}, by_password()));
    EXPECT_EQ(recovered.code, 0) << recovered.notes;
}

TEST_F(Escrow, C10_VerifyNamesWhoAnsweredAndAsksNobodyForTheFilesOwnPoint) {
    found(three_);
    ASSERT_EQ(run(create("home.escrow")).code, 0);
    std::filesystem::remove_all(scratch_ / "notary");
    const Ended verified = run(escrow("verify", "home.escrow", three_));
    EXPECT_EQ(verified.code, 0) << verified.notes;
    EXPECT_THAT(
        verified.output,
        AllOf(
            HasSubstr("holder: provider, share 1: answered, and the proof holds\n"),
            HasSubstr("holder: company, share 2: answered, and the proof holds\n"),
            HasSubstr("notary: cannot be asked\n"),
            HasSubstr("parts: 2, needed 2\n"),
            HasSubstr("home: as it is now\n")
        )
    );
    const auto log = (*envelope::FileHolder::open(scratch_ / "company"))->log().verified();
    const auto file = read_escrow(scratch_ / "home.escrow");
    ASSERT_TRUE(file);
    EXPECT_THAT(*log, HasSubstr("\tverify\t"));
    EXPECT_THAT(*log, Not(HasSubstr(core::to_hex(core::sha256(file->header.bytes)))));
}

TEST_F(Escrow, K8_DestroyedSharesBeyondTheThresholdMakeTheHomeUnrecoverable) {
    found(three_);
    ASSERT_EQ(run(create("home.escrow")).code, 0);
    std::filesystem::remove_all(scratch_ / "notary");
    EXPECT_EQ(run(escrow("verify", "home.escrow", three_)).code, 0) << "n - t are not enough";
    std::filesystem::remove_all(scratch_ / "company");
    const Ended verified = run(escrow("verify", "home.escrow", three_));
    EXPECT_EQ(verified.code, 1);
    EXPECT_THAT(verified.notes, HasSubstr("cannot be recovered with these holders: 1 of 2"));
    lose_home();
    EXPECT_EQ(run(escrow("recover", "home.escrow", three_)).code, 1);
    EXPECT_FALSE(exists(scratch_ / "home/home"));
}

TEST_F(Escrow, RefreshMakesAnotherFileAndOldSharesCombineWithNoNewOne) {
    found(three_);
    ASSERT_EQ(run(create("old.escrow")).code, 0);
    std::filesystem::copy(scratch_ / "company", scratch_ / "stolen");
    std::filesystem::permissions(
        static_cast<std::string>(scratch_ / "stolen"), std::filesystem::perms::owner_all
    );
    ASSERT_EQ(run({"group", "create", "lab", "--out", scratch_ / "out"}).code, 0);
    const Ended stale = run(escrow("verify", "old.escrow", three_));
    EXPECT_EQ(stale.code, 1);
    EXPECT_THAT(stale.notes, HasSubstr("is stale: the home has changed since"));
    const Ended refreshed = run(escrow("refresh", "new.escrow", three_));
    ASSERT_EQ(refreshed.code, 0) << refreshed.notes;
    EXPECT_THAT(refreshed.notes, HasSubstr("stale from now on: " + (scratch_ / "old.escrow")));
    EXPECT_EQ(run(escrow("verify", "new.escrow", three_)).code, 0);
    EXPECT_THAT(
        run(escrow("verify", "old.escrow", three_)).notes,
        HasSubstr("is not the file of this home's last escrow")
    );
    const Ended mixed = run(escrow("verify", "new.escrow", {"provider", "stolen"}));
    EXPECT_EQ(mixed.code, 1);
    EXPECT_THAT(mixed.output, HasSubstr("before or after shares were renewed"));
}

TEST_F(Escrow, C5_AFileThatWasAlteredCutOrSealedForSomethingElseIsFound) {
    found(three_);
    ASSERT_EQ(run(create("home.escrow")).code, 0);
    const core::Bytes sound = read_escrow(scratch_ / "home.escrow")->bytes;
    ASSERT_TRUE(parse_escrow(sound));
    const auto error_of = [](core::Bytes bytes) {
        const auto parsed = parse_escrow(std::move(bytes));
        return parsed ? std::string() : parsed.error().message;
    };
    const std::size_t header = parse_escrow(sound)->header.bytes.size();
    for (const std::size_t size : {std::size_t{0}, header - 1, header, header + 16}) {
        EXPECT_NE(error_of(core::to_bytes(core::ByteView(sound).first(size))), "") << size;
    }
    core::Bytes altered = sound;
    altered[header - 40] ^= 1U;  // the signature of the header
    EXPECT_THAT(error_of(altered), HasSubstr("altered"));
    altered = sound;
    altered.back() ^= 1U;  // what only the key or the home's note can tell
    EXPECT_EQ(error_of(altered), "");
    put("altered.escrow", core::as_text(altered));
    EXPECT_THAT(
        run(escrow("verify", "altered.escrow", three_)).notes,
        HasSubstr("is not the file of this home's last escrow")
    );
    lose_home();
    EXPECT_THAT(run(escrow("recover", "altered.escrow", three_)).notes, HasSubstr("chunk 1"));
}

TEST_F(Escrow, C9_APolicyThatForbidsTheOpenerIsFoundBeforeItIsNeeded) {
    found(three_);
    auto for_grey = create("home.escrow");
    for_grey.insert(for_grey.end(), {"--for", "grey"});
    ASSERT_EQ(run(for_grey).code, 0);
    EXPECT_EQ(run(escrow("verify", "home.escrow", three_, {"--as", "grey"})).code, 0);
    const Ended refused = run(escrow("verify", "home.escrow", three_, {"--as", "white"}));
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.notes, HasSubstr("does not name \"white\""));
}

TEST_F(Escrow, ANoteIsThisHomesOrNone) {
    const auto home = Home::open(scratch_ / "home", test_passphrase());
    const auto& key = home->state().identity.signing;
    const core::PublicPoint group = *core::PublicPoint::of_scalar(core::generate_scalar());
    const EscrowNote note =
        note_on(home->state(), "file", core::as_bytes("bytes"), group, kEscrowedAt);
    const core::Bytes signed_bytes = sign_note(note, key);
    const auto read = parse_note(signed_bytes, key.verifying_key(), "clinic");
    ASSERT_TRUE(read);
    EXPECT_EQ(read->state_digest, digest_of(home->state()));
    EXPECT_EQ(read->made_at_s, kEscrowedAt);
    EXPECT_FALSE(parse_note(signed_bytes, key.verifying_key(), "another"));
    const core::Bytes forged = sign_note(note, core::SigningKey::generate());
    EXPECT_FALSE(parse_note(forged, key.verifying_key(), "clinic"));
    for (std::size_t at = 0; at < signed_bytes.size(); ++at) {
        core::Bytes altered = signed_bytes;
        altered[at] ^= 1U;
        EXPECT_FALSE(parse_note(altered, key.verifying_key(), "clinic")) << at;
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// A sanitizer does not bear a preloaded library.

TEST_F(Escrow, CreateKilledAnywhereLeavesAFileThatIsWholeOrNone) {
    found(three_);
    std::int64_t step = 1;
    for (; !HasFailure(); step += stride(4)) {
        const std::string file = "home" + std::to_string(step);
        const Ended first = run_until(step, create(file));
        if (first.code == 0) {
            break;
        }
        ASSERT_EQ(first.code, -1) << first.notes;
        if (!exists(scratch_ / file)) {
            continue;
        }
        EXPECT_TRUE(recovers(file, {"provider", "company"})) << "step " << step;
        if (!is_noted(file)) {
            auto again = create(file);
            again.emplace_back("--force");
            EXPECT_EQ(run(again).code, 0);
            EXPECT_TRUE(is_noted(file));
        }
    }
    EXPECT_GT(step, 4);
}

TEST_F(Escrow, RefreshKilledAnywhereLosesNeitherTheOldFileNorAShare) {
    found(three_);
    std::string last = "escrow0";
    ASSERT_EQ(run(create(last)).code, 0);
    std::int64_t step = 1;
    for (; !HasFailure(); step += stride(24)) {
        const std::string file = "escrow" + std::to_string(step);
        const Ended first = run_until(step, escrow("refresh", file, three_));
        if (first.code == 0) {
            break;
        }
        ASSERT_EQ(first.code, -1) << first.notes;
        EXPECT_TRUE(recovers(last, three_)) << "step " << step;
        auto again = escrow("refresh", file, three_);
        if (exists(scratch_ / file) && !is_noted(file)) {
            again.emplace_back("--force");
        }
        const Ended went_on = run(again);
        EXPECT_EQ(went_on.code, 0) << went_on.notes;
        EXPECT_TRUE(is_noted(file));
        EXPECT_TRUE(recovers(file, {"company", "notary"}));
        last = file;
    }
    EXPECT_GT(step, 10);
}
#endif

}  // namespace pgveil::tenant
