#pragma once

#include "keyshare/catalogue/key_record.hpp"
#include "keyshare/tpm/tpm.hpp"
#include "keyshare/user/proxy_connection.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::tenant {

using user::Result;

/// One key as the dictionary has it. Nothing in it is believed yet.
struct KeyRow {
    std::string id;                           ///< uuid
    std::string record;                       ///< JWS
    std::optional<tpm::SealedSecret> object;  ///< none: destroyed
};

/// The dictionary of keys: the table pgveil_keys of a database behind a pgveil proxy, which
/// encrypts it (config/examples/key_dictionary.*). A client like any other: libpq, with the shares
/// in PGOPTIONS (`pgveil-user exec`). One thread.
class KeyDictionary {
public:
    static Result<KeyDictionary> connect(const std::string& url);

    Result<std::vector<KeyRow>> all();
    /// Found by equality, without decryption at the database.
    Result<std::vector<KeyRow>> with_label(const std::string& label);
    Result<std::vector<KeyRow>> of_owner(const std::string& owner);
    /// Found by order.
    Result<std::vector<KeyRow>> expiring_before(std::int64_t time_s);

    /// A new row; fails if the label is taken.
    Result<void> add(const KeyRow& row, const catalogue::KeyOrder& order);
    Result<void> change(const KeyRow& row);

    std::string peer() const { return proxy_.peer(); }

private:
    explicit KeyDictionary(user::ProxyConnection proxy) : proxy_(std::move(proxy)) {}

    Result<std::vector<KeyRow>> select(
        const std::string& condition, std::optional<std::string> parameter
    );

    user::ProxyConnection proxy_;
};

/// A fresh random uuid (RFC 9562, version 4).
std::string fresh_uuid(core::RandomSource& random);

}  // namespace pgveil::tenant
