#include "keyshare/core/base64url.hpp"
#include "test/keyshare/store/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <sqlite3.h>

// Whatever is altered or comes from another tenant is refused, and the message says which thing it
// is. Each test begins with its positive control: unaltered, the same thing works.
namespace pgveil::store::test {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

class Tamper : public World {
protected:
    void SetUp() override {
        World::SetUp();
        nurse_ = add_user("nurse");
    }

    /// Calls `judge` with every text that differs in one byte; sealed binary and signed texts
    /// alike.
    static void each_flip(
        const std::string& text,
        std::size_t from,
        const std::function<void(const std::string&)>& judge
    ) {
        for (std::size_t at = from; at < text.size() && !HasFailure(); ++at) {
            SCOPED_TRACE("character " + std::to_string(at));
            std::string altered = text;
            altered[at] = altered[at] == 'A' ? 'B' : 'A';
            judge(altered);
        }
    }

    /// The same for the bits of what "prefix.base64url" carries.
    static void each_bit(
        const std::string& text, const std::function<void(const core::SecretBytes&)>& judge
    ) {
        const std::size_t dot = text.find('.') + 1;
        const auto body = core::base64url_decode(text.substr(dot));
        ASSERT_TRUE(body.has_value());
        for (std::size_t bit = 0; bit < body->size() * 8 && !HasFailure(); ++bit) {
            SCOPED_TRACE("bit " + std::to_string(bit));
            core::Bytes altered(body->begin(), body->end());
            altered[bit / 8] = static_cast<std::uint8_t>(altered[bit / 8] ^ (1U << (bit % 8)));
            const std::string whole = text.substr(0, dot) + core::base64url_encode(altered);
            judge(core::SecretBytes::copy_of(core::as_bytes(whole)));
        }
    }

    std::string said(const core::SecretBytes& token, const core::SecretBytes& app) const {
        const auto verdict = rebuild({"nurse", &token, &app});
        return verdict.has_value() ? "keys were given" : verdict.error().message;
    }

    static std::string text_of(const core::SecretBytes& secret) {
        return std::string(core::as_text(secret.reveal()));
    }

    std::optional<Holdings> nurse_;
};

TEST_F(Tamper, EveryBitOfATokenIsNamedAsTheToken) {
    const core::SecretBytes good = token(*nurse_), app = app_text(*nurse_);
    ASSERT_TRUE(rebuild({"nurse", &good, &app}).has_value());
    each_bit(text_of(good), [&](const core::SecretBytes& altered) {
        EXPECT_THAT(said(altered, app), HasSubstr("the user token"));
    });
}

TEST_F(Tamper, EveryBitOfAnAppShareIsNamedAsTheApplicationShare) {
    const core::SecretBytes good = token(*nurse_), app = app_text(*nurse_);
    ASSERT_TRUE(rebuild({"nurse", &good, &app}).has_value());
    each_bit(text_of(app), [&](const core::SecretBytes& altered) {
        EXPECT_THAT(said(good, altered), HasSubstr("the application share"));
    });
}

TEST_F(Tamper, EveryByteOfACommandIsNamedAsTheCommandAndNothingIsConsumed) {
    const std::string command = withdraw("nurse");
    each_flip(command, 0, [&](const std::string& altered) {
        if (altered == command) {
            return;
        }
        const auto answer = custody_->apply(altered, kNow);
        ASSERT_FALSE(answer.has_value());
        EXPECT_THAT(answer.error().message, HasSubstr("command"));
    });
    EXPECT_EQ(custody_->report().last_sequence, 1U);
    EXPECT_TRUE(custody_->apply(command, kNow).has_value());
}

TEST_F(Tamper, EveryByteOfAReceiptIsNamedAsTheReceipt) {
    const std::string command = withdraw("nurse");
    const std::string receipt = *custody_->apply(command, kNow);
    const core::VerifyingKey identity(enrolment_->proxy_identity);
    ASSERT_TRUE(share::verify_receipt_of(receipt, command, identity, "acme").has_value());
    each_flip(receipt, 0, [&](const std::string& altered) {
        if (altered == receipt) {
            return;
        }
        const auto verdict = share::verify_receipt_of(altered, command, identity, "acme");
        ASSERT_FALSE(verdict.has_value());
        EXPECT_THAT(verdict.error().message, HasSubstr("receipt"));
    });
}

// The "0" of a group lies inside its keyring row.
TEST_F(Tamper, EveryByteOfAKeyringRowInTheDatabaseIsNamedAsTheRow) {
    const auto good = custody_->mirror_rows();
    ASSERT_TRUE(custody_->check_zero_from_database(good)->accepted);
    const auto refused = [&](const std::vector<share::MirrorRow>& rows) {
        const auto verdict = custody_->check_zero_from_database(rows);
        ASSERT_TRUE(verdict.has_value());
        EXPECT_FALSE(verdict->accepted);
        EXPECT_THAT(verdict->reason, HasSubstr("keyring"));
        EXPECT_EQ(verdict->rewrite.size(), good.size());
    };
    each_flip(good[0].row, 0, [&](const std::string& altered) {
        if (altered != good[0].row) {
            auto rows = good;
            rows[0].row = altered;
            refused(rows);
        }
    });
    auto rows = good;
    rows[0].version += 1;
    refused(rows);
    rows = good;
    rows[0].key_id += 1;
    refused(rows);
    rows = good;
    rows[0].group = "other";
    refused(rows);
}

TEST_F(Tamper, TheSignedKeyringRowsOfAnotherZeroAreRefused) {
    auto other = enrolment_->keyring;
    other.rows[0].zero = other.rows[1].zero;
    const auto verdict = custody_->check_zero_from_database(
        share::make_mirror(other, "acme", core::SigningKey::generate())
    );
    ASSERT_TRUE(verdict.has_value());
    EXPECT_FALSE(verdict->accepted);
}

/// The share store's file, altered while it is closed.
class TamperStore : public Tamper {
protected:
    using Rows = std::map<std::pair<std::string, std::string>, core::Bytes>;

    void on_file(const std::string& sql, const core::Bytes* blob, Rows* rows) const {
        sqlite3* raw = nullptr;
        ASSERT_EQ(sqlite3_open((folder_ / "store.db").c_str(), &raw), SQLITE_OK);
        sqlite3_exec(raw, "PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
        sqlite3_stmt* statement = nullptr;
        ASSERT_EQ(sqlite3_prepare_v2(raw, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
        if (blob != nullptr) {
            sqlite3_bind_blob(
                statement, 1, blob->data(), static_cast<int>(blob->size()), SQLITE_STATIC
            );
        }
        while (sqlite3_step(statement) == SQLITE_ROW) {
            const auto* sealed =
                static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, 2));
            const auto text = [&](int column) {
                const auto* bytes =
                    static_cast<const char*>(sqlite3_column_blob(statement, column));
                return std::string(
                    bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column))
                );
            };
            (*rows)[{text(0), bytes_or_nothing(statement)}] =
                core::Bytes(sealed, sealed + sqlite3_column_bytes(statement, 2));
        }
        sqlite3_finalize(statement);
        sqlite3_close(raw);
    }

    static std::string bytes_or_nothing(sqlite3_stmt* statement) {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, 1));
        return bytes == nullptr
                   ? std::string()
                   : std::string(
                         bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, 1))
                     );
    }

    /// What somebody meets who opens the store and uses nurse's shares; empty if all works.
    std::string trouble(const core::SecretBytes& token, const core::SecretBytes& app) {
        custody_.reset();
        auto opened = ProxyCustody::open(options(), seal());
        if (!opened.has_value()) {
            return opened.error().message;
        }
        custody_ = *std::move(opened);
        const auto zero = custody_->check_zero_from_database(custody_->mirror_rows());
        const auto verdict = rebuild({"nurse", &token, &app});
        if (!verdict.has_value()) {
            return verdict.error().message;
        }
        const auto receipt = custody_->apply(nurse_->command, kNow);
        return zero.has_value() && receipt.has_value() ? std::string() : receipt.error().message;
    }
};

TEST_F(TamperStore, EveryAlteredRowIsNamedAsTheShareStore) {
    const core::SecretBytes good = token(*nurse_), app = app_text(*nurse_);
    ASSERT_EQ(trouble(good, app), "");
    custody_.reset();
    Rows rows;
    on_file("SELECT tab, key, sealed FROM sealed_row", nullptr, &rows);
    ASSERT_GE(rows.size(), 7U);
    constexpr std::size_t kStride = 5;  // every part of every row: nonce, ciphertext, tag
    for (const auto& [name, sealed] : rows) {
        const std::string where =
            " WHERE tab = '" + name.first + "' AND key = '" + name.second + "'";
        for (std::size_t at = 0; at < sealed.size() + kStride - 1; at += kStride) {
            SCOPED_TRACE(name.first + " byte " + std::to_string(at));
            core::Bytes altered = sealed;
            altered[std::min(at, sealed.size() - 1)] ^= 1U;
            on_file("UPDATE sealed_row SET sealed = ?" + where, &altered, nullptr);
            EXPECT_THAT(trouble(good, app), HasSubstr("the share store"));
            custody_.reset();
        }
        on_file("UPDATE sealed_row SET sealed = ?" + where, &sealed, nullptr);
    }
    EXPECT_EQ(trouble(good, app), "");
}

TEST_F(TamperStore, AnAlteredFirstUseOfATokenIsNamedAsTheShareStore) {
    const core::SecretBytes good = token(*nurse_), app = app_text(*nurse_);
    ASSERT_EQ(trouble(good, app), "");
    custody_.reset();
    on_file("UPDATE token_claim SET nonce = 'AAAAAAAAAAAAAAAAAAAAAA'", nullptr, nullptr);
    EXPECT_THAT(trouble(good, app), HasSubstr("the share store"));
}

/// Everything of another tenant and its proxy, made the same way.
class Foreign : public World {};

TEST_F(Foreign, NothingOfAnotherTenantIsTaken) {
    const Holdings mine = add_user("nurse");
    const core::SecretBytes my_token = token(mine), my_app = app_text(mine);
    ASSERT_TRUE(rebuild({"nurse", &my_token, &my_app}).has_value());
    const auto here = custody_;
    const auto mine_enrolled = share::parse_enrolment(share::serialize(*enrolment_).reveal());

    // The other one: its own store, seal, identity and tenant, and a user of the same name.
    const CustodyOptions theirs{folder_ / "theirs.db", "rival", {}};
    ASSERT_TRUE(ProxyCustody::order(theirs, *seal("theirs.key"), {}, kNow).has_value());
    custody_ = *ProxyCustody::open(theirs, seal("theirs.key"));
    identity_ = share::TenantIdentity::generate();
    auto run = *share::TenantBootstrap::begin("rival", {"default", "medical"}, identity_);
    bootstrap(run);
    enrolment_ = run.take_enrolment();
    read_zero();
    const Holdings other = add_user("nurse");
    ASSERT_TRUE(works(other));
    const core::SecretBytes other_token = token(other), other_app = app_text(other);
    const auto other_rows = custody_->mirror_rows();
    const std::string other_withdraw = withdraw("nurse");
    const std::string other_receipt = *custody_->apply(other_withdraw, kNow);
    custody_ = here;

    const auto said = [&](const core::SecretBytes& token, const core::SecretBytes& app) {
        return rebuild({"nurse", &token, &app}).error().message;
    };
    EXPECT_THAT(said(other_token, my_app), HasSubstr("the user token"));
    EXPECT_THAT(
        said(my_token, other_app), HasSubstr("the application share is of tenant \"rival\"")
    );
    const auto command = custody_->apply(other_withdraw, kNow);
    ASSERT_FALSE(command.has_value());
    EXPECT_THAT(command.error().message, HasSubstr("the command does not carry the signature"));
    EXPECT_FALSE(share::verify_receipt(
                     other_receipt, core::VerifyingKey(mine_enrolled->proxy_identity), "acme"
    )
                     .has_value());
    EXPECT_FALSE(custody_->check_zero_from_database(other_rows)->accepted);
    EXPECT_EQ(
        ProxyCustody::open({folder_ / "theirs.db", "acme", {}}, seal("theirs.key")).error().code,
        ErrorCode::kRefused
    );
    EXPECT_EQ(ProxyCustody::open(theirs, seal("other.key")).error().code, ErrorCode::kBroken);
}

}  // namespace
}  // namespace pgveil::store::test
