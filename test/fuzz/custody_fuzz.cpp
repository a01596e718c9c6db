// Any bytes as what custodians and their askers read: settings, group and run files, sealed store
// keys, policies, rows of a store, lines of a log, what the other side answers. Refused or read;
// what is read is written back the same.

#include "keyshare/custodian/group_policy.hpp"
#include "keyshare/custodian/records.hpp"
#include "keyshare/custody/asker_settings.hpp"
#include "keyshare/custody/group_file.hpp"
#include "keyshare/custody/kept_key.hpp"
#include "keyshare/custody/questions.hpp"
#include "keyshare/custody/run_state.hpp"
#include "keyshare/envelope/key_file.hpp"
#include "keyshare/envelope/membership.hpp"
#include "keyshare/share/chained_line.hpp"
#include "keyshare/share/shallow_json.hpp"
#include "test/fuzz/patched.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pgveil;

namespace {

void must_hold(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// As custodian/access_log.cpp has it.
constexpr share::ChainForm kLog{"pgveil/1 custodian log", "seq"};

void try_files(std::string_view text) {
    const auto group = custody::parse_group_file("group", text);
    must_hold(!group.has_value() || custody::write_group(*group) == text);
    const auto run = custody::parse_run_file("run", std::string(text));
    must_hold(!run.has_value() || custody::write_run_file(*run) == text);
    const auto key = envelope::parse_key_file(text);
    must_hold(!key.has_value() || envelope::write_key_file(*key) == text);
    static_cast<void>(custody::parse_asker_settings("askers", text).has_value());
    static_cast<void>(custody::parse_identity(text).has_value());
}

void try_words_of_others(std::string_view text) {
    const std::string body(text);
    static_cast<void>(custody::parse_run_view(body, 1).has_value());
    static_cast<void>(custody::answer_in(body).has_value());
    const custody::Refusal refusal = custody::refusal_in({{}, 403, body});
    must_hold(std::ranges::all_of(refusal.message, [](char each) { return each >= ' '; }));
}

void try_policy_and_log(std::string_view text) {
    const auto json = share::parse_shallow_json(text);
    const auto policy = custodian::parse_policy(json);
    if (policy.has_value()) {
        const std::string one_form = custodian::policy_text(*policy);
        const auto again = custodian::parse_policy(share::parse_shallow_json(one_form));
        must_hold(again.has_value() && *again == *policy);
    }
    const auto line = share::parse_chained_line(kLog, text);
    if (line) {
        static_cast<void>(share::chained_hash(kLog, "ada", line->body));
        must_hold(text.find(line->body) != std::string_view::npos);
    }
}

/// Rows of an older version may lack members; what is written for them is read as the same.
template <class Parse>
void must_come_back(Parse parse, core::ByteView bytes) {
    const auto parsed = parse(bytes);
    if (parsed) {
        const core::SecretBytes written = serialize(*parsed);
        const auto again = parse(written.reveal());
        must_hold(again.has_value());
        must_hold(std::ranges::equal(serialize(*again).reveal(), written.reveal()));
    }
}

void try_rows(core::ByteView bytes, const quorum::Group& group) {
    must_come_back(custodian::parse_member, bytes);
    must_come_back(custodian::parse_run, bytes);
    must_come_back(custodian::parse_group_record, bytes);
    const auto kept = custody::parse_kept_key(bytes);
    must_hold(!kept || std::ranges::equal(custody::to_bytes(*kept), bytes));
    const auto member = envelope::parse_membership(bytes, group);
    must_hold(
        !member.has_value() || std::ranges::equal(envelope::serialize(*member).reveal(), bytes)
    );
}

/// Something sound of each kind.
struct Sound {
    envelope::Founding founding = *envelope::found_group();
    std::string group_file = custody::write_group({founding.group, {"ada", "ben", "cleo"}});
    std::string run_file = custody::write_run_file({std::string(43, 'A'), "plan", "{}"});
    std::string policy =
        R"({"requesters":{"proxy":{"purposes":["open"],"per_minute":60}},"administrators":["admin"]})";
    std::string view =
        R"({"done":false,"sent":[{"round":1,"index":1,"message":"AAAA"}],"group":"AAAA","failure":null})";
    std::string line = [] {
        share::ChainLink last;
        return share::make_chained_line(kLog, last, "ada", {{"operation", "partial"}});
    }();
    std::string askers = R"({"custodians":[{"name":"ada","url":"https://ada:7643","identity":")" +
                         custody::identity_text(founding.group.public_key()) +
                         R"("}],"tls":{"ca":"ca.crt","certificate":"own.crt","key":"own.key"}})";
    core::Bytes kept =
        custody::to_bytes({{{}, 1}, {}, founding.group.public_key(), core::Bytes(100, 1)});
    core::Bytes record = [this] {
        custodian::GroupRecord made;
        made.group = founding.group;
        made.index = 1;
        made.names = {"ada", "ben", "cleo"};
        const auto bytes = serialize(made);
        return core::to_bytes(bytes.reveal());
    }();
    core::Bytes member = [this] {
        const auto bytes = envelope::serialize(founding.members.front());
        return core::to_bytes(bytes.reveal());
    }();

    std::string text(std::size_t which) const {
        switch (which % 6) {
            case 0: return group_file;
            case 1: return run_file;
            case 2: return policy;
            case 3: return view;
            case 4: return line;
            default: return askers;
        }
    }

    core::Bytes row(std::size_t which) const {
        return which % 3 == 0 ? kept : which % 3 == 1 ? record : member;
    }
};

}  // namespace

// The first byte says what the rest is: as it stands, or what to change in something sound.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    static const Sound kSound;
    const core::ByteView rest = core::ByteView(bytes, size).subspan(1);
    core::Bytes text = core::to_bytes(rest);
    core::Bytes row = text;
    if (bytes[0] % 2 == 1) {
        text = fuzz::patched(core::to_bytes(core::as_bytes(kSound.text(bytes[0] / 2U))), rest);
        row = fuzz::patched(kSound.row(bytes[0] / 2U), rest);
    }
    try_files(core::as_text(text));
    try_words_of_others(core::as_text(text));
    try_policy_and_log(core::as_text(text));
    try_rows(row, kSound.founding.group);
    return 0;
}
