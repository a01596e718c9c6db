#include "keyshare/core/invariant.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/share/binary_fields.hpp"
#include "keyshare/share/command.hpp"

#include <algorithm>
#include <utility>

// What of a command is sealed to P's command key.
namespace pgveil::share {
namespace {

constexpr std::string_view kPartsFormat = "pgveil/1 proxy parts";
constexpr std::string_view kPartsOfUsersFormat = "pgveil/1 proxy parts of users";

core::Bytes parts_info(const Command& command) {
    return core::length_prefixed(
        {core::as_bytes("pgveil/1 command"),
         core::as_bytes(command.tenant),
         core::big_endian32(command.command_key_id)}
    );
}

core::Bytes parts_place(const Command& command) {
    return core::length_prefixed(
        {core::as_bytes(command.user_id),
         core::big_endian32(command.epoch),
         core::big_endian64(command.sequence)}
    );
}

core::Bytes seal_fields(FieldWriter writer, const Command& command, const CommandPublicKey& key) {
    core::invariant(
        key.key_id == command.command_key_id,
        "parts are sealed to the command key that the command names"
    );
    return core::hpke_seal(
        key.point, parts_info(command), parts_place(command), std::move(writer).finish().reveal()
    );
}

Result<core::SecretBytes> open_fields(const Command& command, const core::HpkeKeyPair& key) {
    auto opened =
        core::hpke_open(key, parts_info(command), parts_place(command), command.sealed_parts);
    if (!opened.has_value()) {
        return Error{
            ErrorCode::kForged,
            "its sealed proxy parts do not open under the command key it names"};
    }
    return *std::move(opened);
}

Error not_parts() {
    return Error{
        ErrorCode::kMalformed, "its sealed proxy parts have a form this program does not know"};
}

bool are_of(const GroupParts<ProxyPart>& parts, const std::vector<GroupCommitment>& commitments) {
    return std::ranges::equal(
        parts,
        commitments,
        [](const GroupPart<ProxyPart>& part, const GroupCommitment& expected) {
            return part.group == expected.group;
        }
    );
}

Error of_other_groups() {
    return Error{
        ErrorCode::kMalformed, "its sealed proxy parts are for other groups than it names"};
}

}  // namespace

core::Bytes seal_parts(
    const GroupParts<ProxyPart>& parts, const Command& command, const CommandPublicKey& key
) {
    FieldWriter writer(kPartsFormat);
    writer.parts(parts);
    return seal_fields(std::move(writer), command, key);
}

Result<GroupParts<ProxyPart>> open_parts(const Command& command, const core::HpkeKeyPair& key) {
    const auto opened = open_fields(command, key);
    if (!opened.has_value()) {
        return opened.error();
    }
    FieldReader reader(opened->reveal(), kPartsFormat);
    auto parts = reader.parts<ProxyPart>();
    if (!reader.ok() || parts.size() != command.commitments.size()) {
        return not_parts();
    }
    if (!are_of(parts, command.commitments)) {
        return of_other_groups();
    }
    return parts;
}

core::Bytes seal_parts_of_users(
    const PartsOfUsers& parts, const Command& command, const CommandPublicKey& key
) {
    core::invariant(parts.size() == command.users.size(), "every user of a renew_tk has parts");
    FieldWriter writer(kPartsOfUsersFormat);
    for (const GroupParts<ProxyPart>& one : parts) {
        writer.parts(one);
    }
    return seal_fields(std::move(writer), command, key);
}

Result<PartsOfUsers> open_parts_of_users(const Command& command, const core::HpkeKeyPair& key) {
    const auto opened = open_fields(command, key);
    if (!opened.has_value()) {
        return opened.error();
    }
    FieldReader reader(opened->reveal(), kPartsOfUsersFormat);
    PartsOfUsers parts;
    for (const UserRenewal& user : command.users) {
        parts.push_back(reader.parts<ProxyPart>());
        if (!reader.failed() && !are_of(parts.back(), user.commitments)) {
            return of_other_groups();
        }
    }
    if (!reader.ok()) {
        return not_parts();
    }
    return parts;
}

}  // namespace pgveil::share
