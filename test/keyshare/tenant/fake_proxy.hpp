#pragma once

#include "keyshare/core/hpke.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/data_key.hpp"
#include "keyshare/share/proxy_bootstrap.hpp"
#include "keyshare/share/receipt.hpp"
#include "keyshare/share/rewrap.hpp"
#include "keyshare/tenant/home_state.hpp"
#include "keyshare/user/error.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgveil::tenant {

inline constexpr std::int64_t kTestNow = 1'800'000'000;

/// The proxy as the tenant's program sees it: bootstrap answers and receipts, without a store.
class FakeProxy {
public:
    Result<std::string> bootstrap_step(std::string_view step, const std::string& argument) {
        const share::ProxyBootstrap::Proxy self{
            "clinic", identity_, core::system_random(), kTestNow};
        if (step == "hello") {
            return answer(bootstrap_.on_hello(argument, self));
        }
        if (step == "contribute") {
            return answer(bootstrap_.on_contribution(argument, self));
        }
        const auto closed = step == "adopt" ? bootstrap_.on_adoption(argument, self)
                                            : bootstrap_.on_confirmation(argument, self);
        if (!closed) {
            return user::failed(closed.error().message);
        }
        if (*closed) {
            bootstrap_.set_close_receipt(
                sign(0, bootstrap_.confirmation_hash(), share::Outcome::kApplied)
            );
        }
        return bootstrap_.close_receipt();
    }

    /// The receipts of all commands in the argument of an SQL call.
    std::string receipts(
        std::string_view commands, share::Outcome outcome = share::Outcome::kApplied
    ) {
        const core::VerifyingKey tenant(*bootstrap_.tenant_signing_key());
        std::vector<std::string> texts;
        const auto split = share::split_commands(commands);
        EXPECT_TRUE(split);
        for (const std::string_view jws : *split) {
            const auto command = share::verify_command(jws, tenant, "clinic");
            EXPECT_TRUE(command);
            ++store_version_;
            if (outcome == share::Outcome::kApplied && !command->wraps.empty()) {
                keyring_ = next_keyring(*command);
            }
            texts.push_back(sign(command->sequence, *core::jws_hash(jws), outcome));
            newest_ = texts.back();
        }
        return share::join_commands(texts);
    }

    /// What it answers to a call without commands.
    const std::string& newest_receipt() const {
        return newest_.empty() ? bootstrap_.close_receipt() : newest_;
    }

    /// The proxy takes these rows in place of those that a command brings.
    void replace_wraps(std::vector<share::KeyringRow> rows) { wraps_ = std::move(rows); }

    share::Keyring keyring() const { return keyring_ ? *keyring_ : bootstrap_.keyring(); }

    core::PublicPoint identity() const { return identity_.verifying_key().point(); }

private:
    static Result<std::string> answer(const share::Result<std::string>& result) {
        if (!result) {
            return user::failed(result.error().message);
        }
        return *result;
    }

    share::Keyring next_keyring(const share::Command& command) const {
        const auto& rows = wraps_ ? *wraps_ : command.wraps;
        if (command.operation == share::Operation::kRetireDataKey) {
            return share::with_successor(keyring(), rows.front());
        }
        return command.operation == share::Operation::kRenewTk
                   ? share::with_rewrapped(keyring(), rows)
                   : share::with_rows(keyring(), rows);
    }

    std::string sign(std::uint64_t sequence, const share::Digest& hash, share::Outcome outcome) {
        share::Receipt receipt{
            .tenant = "clinic",
            .sequence = sequence,
            .hash = hash,
            .outcome = outcome,
            .reason = outcome == share::Outcome::kRefused ? "no such user" : "",
            .at_s = kTestNow,
            .store_version = store_version_,
            .keyring = keyring(),
            .next_command_key = {.key_id = 1, .point = command_key_.point}};
        return share::sign_receipt(receipt, identity_);
    }

    core::SigningKey identity_ = core::SigningKey::generate();
    core::HpkeKeyPair command_key_ = core::HpkeKeyPair::generate();
    share::ProxyBootstrap bootstrap_ =
        share::ProxyBootstrap::order("SCRAM-SHA-256$...", std::nullopt);
    std::uint64_t store_version_ = 1;
    std::string newest_;
    std::optional<share::Keyring> keyring_;
    std::optional<std::vector<share::KeyringRow>> wraps_;
};

}  // namespace pgveil::tenant
