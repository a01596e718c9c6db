#pragma once

#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/home.hpp"

#include <cstdint>
#include <string>

namespace pgveil::tenant {

/// Opens the home with the passphrase asked for, and requires that its bootstrap is done.
Result<Home> open_enrolled(const Context& context);

/// The same, and that the proxy's TPM has attested it, if this home asks for that.
Result<Home> open_attested(const Context& context);

/// As open_enrolled for an order whose command goes to `delivery`: refused where that names no
/// place. Makes its directory.
Result<Home> open_to_send(const Context& context, const Delivery& delivery);

/// Writes the pending commands as an SQL file into `out`, sends them through the proxy at `url`,
/// and files what comes back; each only when named. Says what became of each command; an expired or
/// refused one is an error, after everything was filed.
Result<void> deliver(Home& home, const user::Console& console, const Delivery& delivery);

/// Files P's answer in the home and saves it. Says what became of the commands that it answers, as
/// deliver() does, and how many wait still.
Result<void> take_receipts(Home& home, const user::Console& console, const std::string& text);

/// "2026-01-31T12:00:00Z".
std::string time_text(std::int64_t seconds);

}  // namespace pgveil::tenant
