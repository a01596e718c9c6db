// Prints every secret of one user's requests, for the tests that look for them in a process.
//
// It has what no part of a running system has together: the tenant's home, the user's key file and
// the application's share. Standard output gets one JSON object a line, {"kind", "name", "hex"};
// standard input gives stored values, "schema.table.column HEX" a line, whose one-time keys are
// wanted too.
#include "config/policy.hpp"
#include "keyshare/core/gcm.hpp"
#include "keyshare/core/hkdf.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/share/app_share.hpp"
#include "keyshare/share/hierarchy.hpp"
#include "keyshare/share/triple.hpp"
#include "keyshare/tenant/home.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/private_file.hpp"
#include "keyshare/user/user_file.hpp"
#include "sql/field/envelope.hpp"
#include "sql/field/seal.hpp"
#include "test/support/aes256.hpp"

#include <algorithm>
#include <array>
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace pgveil::support {
namespace {

struct Arguments {
    std::string home, passphrase_file;
    std::string user_key, user_passphrase_file;
    std::string app_share;
    std::string policy;
};

/// A file that is missing or wrong ends the program: it serves tests only.
template <class Result>
auto must(Result result) {
    if (!result.has_value()) {
        throw std::runtime_error(result.error().message);
    }
    return *std::move(result);
}

void print(std::string_view kind, const std::string& name, core::ByteView secret) {
    std::cout << nlohmann::json{{"kind", kind}, {"name", name}, {"hex", core::to_hex(secret)}}
              << '\n';
}

/// Round keys 0 and 1 are the key itself.
void print_round_keys(const std::string& name, core::ByteView key) {
    const RoundKeys keys = expand_key(key);
    for (std::size_t round = 2; round < keys.size(); ++round) {
        print("round key", name + ", round " + std::to_string(round), keys.at(round));
    }
}

void print_aes_key(std::string_view kind, const std::string& name, core::ByteView key) {
    print(kind, name, key);
    print_round_keys(name, key);
}

/// The key that one XAES message is really sealed under.
void print_one_time_key(const std::string& name, core::ByteView key, core::ByteView message) {
    print_aes_key("one-time key", name, xaes_derived_key(key, message));
}

/// From it all that comes of `key` can be made.
void print_extracted(std::string_view kind, const std::string& name, core::ByteView key) {
    print(kind, name, core::hkdf_extract_sha256({}, key).reveal());
}

core::SecretBytes passphrase_in(const std::string& file) {
    user::SecretSource source;
    source.file = file;
    return must(user::read_secret(source, "passphrase", user::Asking::kKnown));
}

share::UserKey user_key_in(const std::string& path, const core::SecretBytes& passphrase) {
    const auto text = must(user::read_private_file(path, user::kUserFileSizeMax));
    return must(must(user::UserFile::parse(text.reveal(), path)).open(&passphrase));
}

share::AppShare app_share_in(const std::string& path) {
    auto text = must(user::read_private_file(path, share::kShareTextSizeMax + 1));
    text.resize_down(text.size() - (text.reveal().back() == '\n' ? 1 : 0));
    return must(share::parse_app_share(text.reveal()));
}

template <class Parts>
const auto& part_of(const Parts& parts, const std::string& group) {
    const auto found =
        std::ranges::find_if(parts, [&](const auto& one) { return one.group == group; });
    if (found == parts.end()) {
        throw std::runtime_error("this user has no share of group " + group);
    }
    return found->part;
}

void print_shares(
    const share::GroupKey& group, const share::UserKey& user, const share::AppShare& app
) {
    const share::UserPart& user_part = part_of(user.groups, group.group);
    const share::AppPart& app_part = part_of(app.groups, group.group);
    const auto whole = must(share::ProxyPart::from(group.key.reveal()));
    print("TK", group.group, group.key.reveal());
    print_extracted("extracted TK", group.group, group.key.reveal());
    print("TKu", group.group, user_part.reveal());
    print("TKa", group.group, app_part.reveal());
    // The third part is TK without the other two.
    print("TKp", group.group, share::combine(user_part, app_part, whole).reveal());
}

/// One DEK and what lies between it and TK.
struct OpenedRow {
    const share::KeyringRow* row;
    share::DataKey key;
};

OpenedRow open_row(
    const std::string& tenant, const share::GroupKey& group, const share::KeyringRow& row
) {
    const share::TenantKeyPlace place{tenant, row.group, row.tk_epoch};
    const std::string name = row.group + " key id " + std::to_string(row.key_id);
    const auto zero_key = share::zero_key_of(group.key, place);
    const auto kek = share::wrapping_key_of(group.key, place);
    const auto wrap_place = share::DataKeyPlace{place, row.dek_epoch, row.key_id};
    auto dek = must(share::unwrap_data_key(kek, wrap_place, row.wrap));
    print_aes_key("zero key", name, zero_key.reveal());
    print_one_time_key("the zero of " + name, zero_key.reveal(), row.zero);
    print_aes_key("KEK", name, kek.reveal());
    print_one_time_key("the wrap of " + name, kek.reveal(), row.wrap);
    print("DEK", name, dek.reveal());
    print_extracted("extracted DEK", name, dek.reveal());
    return {&row, std::move(dek)};
}

/// Column keys by "schema.table.column" and key id.
using ColumnKeys = std::map<std::pair<std::string, std::uint32_t>, core::SecretBytes>;

core::SecretBytes column_key(
    const std::string& tenant, const field::ProtectedColumn& column, const OpenedRow& dek
) {
    const share::ColumnKeyPlace place{
        tenant,
        column.group,
        dek.row->key_id,
        column.context,
        config::name_of(column.scheme),
        field::key_purpose(column.scheme)};
    return share::column_key_of(dek.key, place, field::key_size(column.scheme));
}

void print_column_key(const field::ProtectedColumn& column, const core::SecretBytes& key) {
    const std::string name = column.qualified_name();
    const std::array<const char*, 4> parts = {
        " (S2V)", " (counter mode)", " (order, chain)", " (order, bits)"};
    constexpr std::size_t kPart = 32;
    if (key.size() == kPart) {
        return print_aes_key("column key", name, key.reveal());
    }
    for (std::size_t i = 0; i * kPart < key.size(); ++i) {
        print_aes_key("column key", name + parts.at(i), key.reveal().subspan(i * kPart, kPart));
    }
}

void print_keys_of(
    const std::string& tenant,
    const field::ProtectedColumn& column,
    const std::vector<OpenedRow>& deks,
    ColumnKeys& keys
) {
    for (const OpenedRow& dek : deks) {
        if (dek.row->group == column.group) {
            auto key = column_key(tenant, column, dek);
            print_column_key(column, key);
            keys.emplace(std::pair(column.qualified_name(), dek.row->key_id), std::move(key));
        }
    }
}

ColumnKeys print_column_keys(
    const std::string& tenant, const config::Policy& policy, const std::vector<OpenedRow>& deks
) {
    ColumnKeys keys;
    for (const config::TablePolicy& table : policy.tables()) {
        for (const config::ColumnPolicy& entry : table.columns) {
            const auto column = field::protected_column(table.schema, table.name, entry);
            print_keys_of(tenant, *column, deks, keys);
        }
    }
    return keys;
}

/// Randomized values only: the others are sealed under the column key itself.
void print_value_keys(const ColumnKeys& keys, std::istream& values) {
    std::string column;
    std::string hex;
    while (values >> column >> hex) {
        const core::Bytes bytes = must(core::from_hex(hex));
        const auto envelope = field::parse_envelope(bytes);
        const bool is_known = envelope.has_value() && keys.contains({column, envelope->key_id});
        if (!is_known) {
            throw std::runtime_error(column + ": a value under no key of this policy");
        }
        if (keys.at({column, envelope->key_id}).size() == core::kAes256KeySize) {
            const auto& key = keys.at({column, envelope->key_id});
            print_one_time_key("a value of " + column, key.reveal(), envelope->body);
        }
    }
}

void open_rows(
    const share::Enrolment& enrolment, const share::GroupKey& group, std::vector<OpenedRow>& deks
) {
    for (const share::KeyringRow& row : enrolment.keyring.rows) {
        if (row.group == group.group && row.tk_epoch == group.tk_epoch) {
            deks.push_back(open_row(enrolment.tenant, group, row));
        }
    }
}

void probe(const Arguments& arguments) {
    const auto policy = must(config::load_policy(arguments.policy));
    const auto passphrase = passphrase_in(arguments.passphrase_file);
    const auto home = must(tenant::Home::open(arguments.home, passphrase));
    if (!home.state().enrolment) {
        throw std::runtime_error(arguments.home + " has no proxy yet");
    }
    const share::Enrolment& enrolment = *home.state().enrolment;
    const auto user =
        user_key_in(arguments.user_key, passphrase_in(arguments.user_passphrase_file));
    const auto app = app_share_in(arguments.app_share);
    std::vector<OpenedRow> deks;
    for (const share::GroupKey& group : enrolment.groups) {
        print_shares(group, user, app);
        open_rows(enrolment, group, deks);
    }
    print_value_keys(print_column_keys(enrolment.tenant, *policy, deks), std::cin);
}

}  // namespace
}  // namespace pgveil::support

int main(int argc, char** argv) {
    CLI::App app("Prints every secret of one user's requests, for tests", "key_probe");
    pgveil::support::Arguments arguments;
    app.add_option("--home", arguments.home)->required();
    app.add_option("--passphrase-file", arguments.passphrase_file)->required();
    app.add_option("--user-key", arguments.user_key)->required();
    app.add_option("--user-passphrase-file", arguments.user_passphrase_file)->required();
    app.add_option("--app-share", arguments.app_share)->required();
    app.add_option("--policy", arguments.policy)->required();
    try {
        app.parse(argc, argv);
        pgveil::support::probe(arguments);
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        std::cerr << "key_probe: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
