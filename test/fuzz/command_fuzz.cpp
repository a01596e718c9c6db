#include "keyshare/core/bytes.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/share/command.hpp"
#include "keyshare/share/receipt.hpp"
#include "keyshare/share/token_key.hpp"
#include "test/fuzz/patched.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace pgveil;

constexpr std::string_view kTenant = "acme";

const core::SigningKey& signer() {
    static const core::SigningKey kKey = core::SigningKey::generate();
    return kKey;
}

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void check_command(std::string_view jws) {
    const auto command = share::verify_command(jws, signer().verifying_key(), kTenant);
    if (!command.has_value()) {
        require(!command.error().message.empty());
        return;
    }
    require(command->tenant == kTenant);
    const auto again = share::verify_command(
        share::sign_command(*command, signer()), signer().verifying_key(), kTenant
    );
    require(again.has_value() && again->sequence == command->sequence);
    require(again->user_id == command->user_id && again->commitments == command->commitments);
    require(again->sealed_parts == command->sealed_parts);
}

/// The payload of a sound command.
core::Bytes sound_payload() {
    share::Command command;
    command.tenant = kTenant;
    command.user_id = "nurse";
    command.epoch = 1;
    command.sequence = 1;
    command.issued_at_s = 1000;
    command.expires_at_s = 1600;
    command.command_key_id = 1;
    command.sealed_parts = core::Bytes(120, 0x5A);
    share::GroupCommitment commitment;
    commitment.group = "default";
    commitment.user_epoch = 1;
    commitment.app_epoch = 1;
    command.commitments.push_back(commitment);
    return core::parse_jws(share::sign_command(command, signer()))->payload;
}

/// Whatever comes, nothing is believed that the right key has not signed.
void check_unsigned(std::string_view text) {
    require(!share::verify_command(text, signer().verifying_key(), kTenant).has_value());
    require(!share::verify_receipt(text, signer().verifying_key(), kTenant).has_value());
    const auto commands = share::split_commands(text);
    if (commands.has_value()) {
        for (const std::string_view one : *commands) {
            require(!one.empty());
            static_cast<void>(core::parse_jws(one));
            static_cast<void>(core::jws_hash(one));
        }
    }
}

}  // namespace

// The first byte says what the rest is: a text, a payload that is rightly signed as a command, a
// receipt or a statement about a token key, or changes to the payload of a sound command.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const core::ByteView rest = core::ByteView(bytes, size).subspan(1);
    const core::VerifyingKey& key = signer().verifying_key();
    static const core::Bytes kSound = sound_payload();
    switch (bytes[0] % 5) {
        case 0: check_unsigned(core::as_text(rest)); break;
        case 1: check_command(core::sign_jws(signer(), "pgveil-command", rest)); break;
        case 4:
            check_command(core::sign_jws(signer(), "pgveil-command", fuzz::patched(kSound, rest)));
            break;
        case 2:
            static_cast<void>(share::verify_receipt(
                core::sign_jws(signer(), "pgveil-receipt", rest), key, kTenant
            ));
            break;
        default:
            static_cast<void>(share::verify_statement(
                core::sign_jws(signer(), "pgveil-token-key", rest), key, kTenant, 0
            ));
            break;
    }
    return 0;
}
