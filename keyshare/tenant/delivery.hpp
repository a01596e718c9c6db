#pragma once

#include "keyshare/tenant/commands.hpp"
#include "keyshare/tenant/home.hpp"

#include <cstdint>
#include <string>

namespace pgveil::tenant {

/// Opens the home with the passphrase asked for, and requires that its bootstrap is done.
Result<Home> open_enrolled(const Context& context);

/// Writes the pending commands as an SQL file into `out`, sends them through the proxy at `url`,
/// and files what comes back; each only when named. Says what became of each command; an expired or
/// refused one is an error, after everything was filed.
Result<void> deliver(Home& home, const user::Console& console, const Delivery& delivery);

/// Files P's answer in the home and saves it; then as deliver().
Result<void> take_receipts(Home& home, const user::Console& console, const std::string& text);

/// "2026-01-31T12:00:00Z".
std::string time_text(std::int64_t seconds);

}  // namespace pgveil::tenant
