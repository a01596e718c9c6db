#include "keyshare/custodian/run_setup.hpp"

#include "keyshare/core/hash.hpp"
#include "keyshare/core/jws.hpp"
#include "keyshare/core/lp.hpp"
#include "keyshare/custodian/records.hpp"
#include "keyshare/custodian/run_forms.hpp"
#include "keyshare/quorum/curve.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace pgveil::custodian {
namespace {

using share::Json;

/// One statement: appended to the setup.
Result<void> read_statement(
    const std::string& text, const std::vector<Peer>& custodians, RunSetup& setup
) {
    const std::string place = "statements: number " + std::to_string(setup.names.size() + 1);
    const auto parts = core::parse_jws(text);
    if (!parts.has_value()) {
        return malformed(place + " is no signed statement");
    }
    const auto custodian = std::ranges::find_if(custodians, [&](const Peer& peer) {
        return peer.identity.point().fingerprint_text() == parts->kid;
    });
    if (custodian == custodians.end()) {
        return out_of_state(
            "peer",
            place + " is signed by nobody whom custodian " + custodians.front().name +
                " knows: add that custodian to its \"peers\""
        );
    }
    const auto statement = share::verify_statement(text, custodian->identity);
    if (!statement.has_value()) {
        return malformed(place + ": " + statement.error().message);
    }
    const auto key = quorum::decompressed(statement->member_key);
    if (!key || statement->name != custodian->name ||
        statement->session != decoded(setup.session)) {
        return malformed(
            place + " of custodian " + custodian->name +
            " is of another session or name, or its key is no point"
        );
    }
    setup.statements.push_back(text);
    setup.names.push_back(custodian->name);
    setup.members.push_back(*key);
    return {};
}

Result<void> read_statements(
    const Json& statements, const std::vector<Peer>& custodians, RunSetup& setup
) {
    if (!statements.is_array() || statements.size() > quorum::kMembersMax) {
        return malformed("statements: no list of at most 64 statements");
    }
    for (const Json& each : statements) {
        const std::string text = each.is_string() ? each.get<std::string>() : std::string();
        if (const auto read = read_statement(text, custodians, setup); !read.has_value()) {
            return read;
        }
    }
    return {};
}

Result<void> read_dealers(const Json& dealers, RunSetup& setup) {
    for (const Json& each : dealers) {
        if (!each.is_number_unsigned() || each.get<std::uint64_t>() == 0 ||
            each.get<std::uint64_t>() > quorum::kMembersMax) {
            return malformed("dealers: no list of numbers from 1 to 64");
        }
        setup.dealers.push_back(each.get<std::uint32_t>());
    }
    std::ranges::sort(setup.dealers);
    if (std::ranges::adjacent_find(setup.dealers) != setup.dealers.end()) {
        return malformed("dealers: a number stands there twice");
    }
    return {};
}

Result<void> read_start(const Json& body, RunSetup& setup) {
    share::JsonReader reader(body);
    setup.group = reader.text("group");
    setup.epoch = reader.u32("epoch");
    if (!reader.ok()) {
        return malformed("a reshare has the \"group\" and \"epoch\" that it starts from");
    }
    if (body.contains("from")) {
        auto from = quorum::parse_group(reader.bytes("from"));
        if (!from.has_value() || id_of(*from) != setup.group || from->epoch != setup.epoch) {
            return malformed("from: not this group at this epoch");
        }
        setup.from = *std::move(from);
    }
    return body.contains("dealers") && body["dealers"].is_array()
               ? read_dealers(body["dealers"], setup)
               : Result<void>();
}

}  // namespace

std::string RunSetup::text() const {
    Json out{
        {"session", session},
        {"kind", kind},
        {"threshold", threshold},
        {"statements", statements},
        {"policy", policy_json(policy)}};
    if (kind == kReshare) {
        out["group"] = group;
        out["epoch"] = epoch;
        out["dealers"] = dealers;
    }
    return share::write_json(out);
}

Result<RunSetup> read_setup(const Json& body, const std::vector<Peer>& custodians) {
    share::JsonReader reader(body);
    RunSetup setup;
    setup.session = reader.text("session");
    setup.kind = reader.text("kind");
    setup.threshold = reader.u32("threshold");
    const Json& statements = reader.part("statements");
    const Json& policy = reader.part("policy");
    if (!reader.ok() || !is_session(setup.session) ||
        (setup.kind != kGenerate && setup.kind != kReshare)) {
        return malformed(
            "no object of \"session\" (32 bytes), \"kind\" (\"generate\" or \"reshare\"), "
            "\"threshold\", \"statements\" and \"policy\""
        );
    }
    auto read = parse_policy(policy);
    if (!read.has_value()) {
        return read.error();
    }
    setup.policy = *std::move(read);
    if (const auto checked = read_statements(statements, custodians, setup); !checked.has_value()) {
        return checked.error();
    }
    if (setup.kind == kReshare) {
        if (const auto started = read_start(body, setup); !started.has_value()) {
            return started.error();
        }
    }
    return setup;
}

core::Bytes agreement_of(const std::string& policy, const std::vector<std::string>& names) {
    return share::run_agreement(core::sha256(core::as_bytes(policy)), names);
}

}  // namespace pgveil::custodian
