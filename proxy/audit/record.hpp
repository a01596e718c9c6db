#pragma once

#include "keyshare/share/json_fields.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// proxy/audit/: who did what with protected columns, as a chain of signed lines.
///   Record              what one line says                     (here)
///   Line, Link          its bytes, and how lines hang together (line.hpp)
///   Chain               makes the next line                    (chain.hpp)
///   Verification        finds what is wrong, purely            (verification.hpp)
///   show, export        lines for people and programs          (listing.hpp)
///   segment_files       the folder with its files              (segment_files.hpp)
///   Writer              the thread that writes them            (writer.hpp)
namespace pgveil::audit {

/// One event. Empty texts and zero counts are left out of its line. Nothing in it is a value of a
/// row, a constant of a statement, a share or a token.
struct Record {
    std::int64_t at_ms = 0;  ///< Unix time
    std::string event;       ///< "statement", "refused", "call", "console", "bootstrap"
    std::string session;
    std::string user;         ///< with whose share: verified
    std::string claimed;      ///< without `user`: who the session claims to be, not verified
    std::string role;         ///< of the database, or of the console
    std::string application;  ///< as the client calls itself
    std::string database;
    std::string statement;             ///< fingerprint_of its text
    std::vector<std::string> columns;  ///< protected ones that it uses
    std::uint64_t opened = 0;          ///< rows whose values were opened for the client
    std::uint64_t affected = 0;        ///< rows, as the server's command tag counts them
    std::string what;                  ///< of a call, of the console, of the bootstrap: which
    std::string result;                ///< "ok", an SQLSTATE, or "unanswered"
};

/// The fields of its line, in their order, without number and hashes.
share::Json fields_of(const Record& record);

/// "2026-01-31T12:00:00.000Z".
std::string time_text(std::int64_t unix_ms);
/// The other way; -1 for any other text.
std::int64_t time_of(std::string_view text);

/// What a client calls itself, or says who it is: shortened to 64 bytes, printable ASCII only, and
/// nothing that looks like a share or token.
std::string harmless(std::string_view name);

/// Of a statement's text with placeholders for its constants: the first 16 bytes of its SHA-256, in
/// hexadecimal digits.
std::string fingerprint_of(std::string_view with_placeholders);

}  // namespace pgveil::audit
