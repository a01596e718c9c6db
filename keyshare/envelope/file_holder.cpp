#include "keyshare/envelope/file_holder.hpp"

#include "keyshare/core/lp.hpp"
#include "keyshare/share/names.hpp"
#include "keyshare/user/private_file.hpp"

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <system_error>

namespace pgveil::envelope {

namespace {

constexpr std::string_view kCustodyTitle = "pgveil envelope holder 1";
constexpr std::size_t kFileMax = std::size_t{64} * 1024;
constexpr const char* kInForce = "/holder";
constexpr const char* kNext = "/next";

Result<Custody> read_custody(const std::string& path) {
    const auto bytes = user::read_private_file(path, kFileMax);
    if (!bytes) {
        return bytes.error();
    }
    auto custody = parse_custody(bytes->reveal());
    if (!custody) {
        return user::unusable(path + ": " + custody.error().message);
    }
    return custody;
}

Access access_of(const Question& question, std::int64_t now_s) {
    return {
        .at_s = now_s,
        .request = core::to_hex(question.request.id),
        .requester = question.request.requester,
        .purpose = question.request.purpose,
        .file = core::to_hex(core::sha256(question.header)),
        .result = "answered"};
}

}  // namespace

core::SecretBytes serialize(const Custody& custody) {
    const core::Bytes group = quorum::serialize(custody.group);
    const core::SecretBytes own = serialize(custody.own);
    return core::secret_length_prefixed(
        {core::as_bytes(kCustodyTitle),
         core::as_bytes(custody.name),
         group,
         own.reveal(),
         custody.protected_share}
    );
}

Result<Custody> parse_custody(core::ByteView bytes) {
    const user::Error malformed = user::unusable("this is no holder's share of this version");
    const auto parts = core::split_length_prefixed(bytes, 5);
    if (!parts || core::as_text((*parts)[0]) != kCustodyTitle ||
        !share::is_group_name(core::as_text((*parts)[1]))) {
        return malformed;
    }
    auto group = quorum::parse_group((*parts)[2]);
    if (!group) {
        return malformed;
    }
    auto own = parse_membership((*parts)[3], *group);
    if (!own) {
        return malformed;
    }
    return Custody{
        std::string(core::as_text((*parts)[1])),
        *std::move(group),
        *std::move(own),
        core::to_bytes((*parts)[4])};
}

Result<void> FileHolder::create(const std::string& directory, const Custody& custody) {
    if (auto made = user::make_private_directory(directory); !made) {
        return made;
    }
    const core::SecretBytes bytes = serialize(custody);
    return user::create_file(directory + kInForce, bytes.reveal(), user::Audience::kOwner);
}

Result<std::unique_ptr<FileHolder>> FileHolder::open(const std::string& directory) {
    auto custody = read_custody(directory + kInForce);
    if (!custody) {
        return custody.error();
    }
    return std::unique_ptr<FileHolder>(new FileHolder(directory, *std::move(custody)));
}

Result<core::Bytes> FileHolder::answer(const Question& question, std::int64_t now_s) {
    Access access = access_of(question, now_s);
    const auto allowed = check_question(question, custody_.group, now_s);
    if (!allowed) {
        access.result = "refused: " + allowed.error().message;
    }
    if (auto logged = log_.add(access); !logged) {
        return logged.error();
    }
    if (!allowed) {
        return allowed.error();
    }
    auto answer =
        quorum::answer(custody_.group, custody_.own.share, custody_.own.key, question.request);
    if (!answer) {
        return user::failed(answer.error().message);
    }
    return *std::move(answer);
}

Result<core::Bytes> FileHolder::hand_out_protected(const Access& access) {
    if (custody_.protected_share.empty()) {
        return user::unusable(
            "no password opens files of this group: its third share has a holder of its own"
        );
    }
    if (auto logged = log_.add(access); !logged) {
        return logged.error();
    }
    return custody_.protected_share;
}

Result<void> FileHolder::prepare(const Custody& next) {
    const core::SecretBytes bytes = serialize(next);
    return user::replace_private_file(directory_ + kNext, bytes.reveal());
}

Result<void> FileHolder::switch_over() {
    auto next = read_custody(directory_ + kNext);
    if (!next) {
        return next.error();
    }
    // Written anew rather than renamed alone: replace_private_file syncs, and what was in force is
    // gone from its name in one step.
    const core::SecretBytes bytes = serialize(*next);
    if (auto replaced = user::replace_private_file(directory_ + kInForce, bytes.reveal());
        !replaced) {
        return replaced;
    }
    if (std::remove((directory_ + kNext).c_str()) != 0) {
        return user::failed(
            directory_ + kNext + " cannot be removed: " + std::generic_category().message(errno)
        );
    }
    custody_ = *std::move(next);
    return {};
}

Result<void> FileHolder::catch_up_with(const quorum::Group& group) {
    if (custody_.group == group || !user::exists(directory_ + kNext)) {
        return {};
    }
    const auto next = read_custody(directory_ + kNext);
    if (!next || next->group != group) {
        return {};
    }
    return switch_over();
}

}  // namespace pgveil::envelope
