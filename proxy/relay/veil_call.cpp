#include "proxy/relay/veil_call.hpp"

#include "keyshare/core/invariant.hpp"

namespace pgveil::relay {

namespace {

using analysis::VeilCall;

const core::SecretBytes* value_of(
    const VeilCall& call, std::size_t index, const CallArguments* arguments
) {
    if (index >= call.arguments.size()) {
        return nullptr;
    }
    const VeilCall::Argument& argument = call.arguments[index];
    if (const auto* const literal = std::get_if<core::SecretBytes>(&argument)) {
        return literal;
    }
    const auto* const number = std::get_if<std::uint32_t>(&argument);
    if (number == nullptr || arguments == nullptr) {
        return nullptr;
    }
    const auto found = arguments->find(*number);
    return found == arguments->end() || !found->second ? nullptr : &*found->second;
}

std::string_view text_of(const core::SecretBytes* value) {
    return value == nullptr ? std::string_view() : core::as_text(value->reveal());
}

bool has_app_share(const VeilCall& call) {
    return call.function == VeilCall::Function::kAddUser ||
           call.function == VeilCall::Function::kChangeKey;
}

store::Result<std::string> run(
    store::ProxyCustody& custody,
    const VeilCall& call,
    const CallArguments* arguments,
    std::int64_t now_s
) {
    const auto argument = [&](std::size_t index) {
        return value_of(call, index, arguments);
    };
    switch (call.function) {
        case VeilCall::Function::kAddUser:
            return custody.add_user(text_of(argument(0)), argument(1), text_of(argument(2)), now_s);
        case VeilCall::Function::kChangeKey:
            return custody.change_key(
                text_of(argument(0)), argument(1), text_of(argument(2)), now_s
            );
        case VeilCall::Function::kWithdrawUser:
            return custody.withdraw_user(text_of(argument(0)), text_of(argument(1)), now_s);
        case VeilCall::Function::kApply: return custody.apply(text_of(argument(0)), now_s);
        case VeilCall::Function::kTokenKey: return custody.token_key_statement(now_s);
        case VeilCall::Function::kChallenge: break;  // of the session, see answer()
    }
    core::invariant(false, "every call is carried out");
    return store::Error{store::ErrorCode::kFailed, "no such call"};
}

}  // namespace

boost::system::result<std::string, Refusal> answer(
    SessionState& state, const VeilCall& call, const CallArguments* arguments
) {
    if (call.function == VeilCall::Function::kChallenge) {
        return share::challenge_text(state.parameters.challenges().give(
            *state.environment->random, state.environment->now_s()
        ));
    }
    auto receipt = run(*state.environment->custody, call, arguments, state.environment->now_s());
    if (!receipt.has_value()) {
        return refusal(receipt.error());
    }
    return std::move(*receipt);
}

std::optional<Refusal> check_call(
    const SessionState& state, const VeilCall& call, const CallArguments* arguments
) {
    if (call.function == VeilCall::Function::kTokenKey ||
        call.function == VeilCall::Function::kChallenge) {
        return std::nullopt;
    }
    if (state.transaction != wire::TransactionStatus::kIdle) {
        return refusal(Reason::kCallInTransaction, "a pgveil command");
    }
    if (has_app_share(call) && !state.facts.client_is_tls &&
        value_of(call, 1, arguments) != nullptr) {
        return refusal(Reason::kSharesInClear, "the app share");
    }
    return std::nullopt;
}

}  // namespace pgveil::relay
