#include "keyshare/catalogue/key_message.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/tenant/key_commands.hpp"
#include "keyshare/tenant/key_texts.hpp"
#include "keyshare/user/fresh_token.hpp"

#include <utility>

// What keys for encryption are for.
namespace pgveil::tenant {

namespace {

Result<KnownKey> known_key(const Context& context, const KeyArguments& arguments) {
    auto desk = KeyDesk::open(context, arguments.dictionary);
    return desk ? desk->find(arguments.label) : desk.error();
}

}  // namespace

Result<void> encrypt_to_key(const Context& context, const KeyArguments& arguments) {
    const auto known = known_key(context, arguments);
    if (!known) {
        return known.error();
    }
    const catalogue::KeyRecord& record = known->record;
    if (record.order.design.use != attest::KeyUse::kAgreement) {
        return user::failed(
            "key \"" + record.order.label + "\" is for signing: order one with --use encryption"
        );
    }
    if (const auto usable = catalogue::check_usable(record, user::seconds_now());
        !usable.has_value()) {
        return user::failed(usable.error().message);
    }
    const auto content = user::read_private_file(arguments.file, catalogue::kMessageContentMax);
    if (!content) {
        return content.error();
    }
    context.console.print(catalogue::to_text(core::seal_to_point(
        catalogue::kMessagePurpose, record.point, content->reveal(), core::system_random()
    )));
    return {};
}

/// Also with a key past its end: for what it has protected before.
Result<void> decrypt_with_key(const Context& context, const KeyArguments& arguments) {
    const auto message = read_text_as(arguments.file, &catalogue::parse_message);
    if (!message) {
        return message.error();
    }
    const auto known = known_key(context, arguments);
    if (!known) {
        return known.error();
    }
    if (message->key != known->record.point.fingerprint()) {
        return user::failed(
            arguments.file + " is encrypted to another key than \"" + arguments.label + "\""
        );
    }
    const auto object = object_of(*known);
    if (!object) {
        return object.error();
    }
    auto place = open_tpm(arguments.tpm);
    if (!place) {
        return place.error();
    }
    const auto agreed = place->tpm.agree(*object, message->point);
    if (!agreed.has_value()) {
        return user::failed(agreed.error().message);
    }
    const auto content = core::open_agreed(catalogue::kMessagePurpose, *message, agreed->reveal());
    if (!content.has_value()) {
        return user::failed(
            arguments.file + " does not open: it was altered, or the TPM has another key"
        );
    }
    return context.console.print_secret(content->reveal())
               ? Result<void>()
               : user::failed("standard output cannot be written");
}

}  // namespace pgveil::tenant
