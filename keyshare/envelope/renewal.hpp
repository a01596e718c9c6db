#pragma once

#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/membership.hpp"
#include "keyshare/user/terminal.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// What the commands that make shares, for a new group or the next epoch of one, have in common.
namespace pgveil::envelope {

/// NAME=DIRECTORY of the command line.
struct Named {
    std::string name;
    std::string directory;
};

/// Each with a name and a directory of its own.
Result<std::vector<Named>> parse_names(const std::vector<std::string>& texts);

/// Before the first file is written: a group that is half there opens nothing.
Result<void> require_vacant(const std::vector<Named>& places, std::vector<std::string> paths);

/// The third share, closed, and the code that opens it with the password.
struct Closed {
    core::Bytes share;
    core::SecretBytes code;  ///< as it is printed
};

/// With the password and a fresh code.
Result<Closed> close_third(const Founding& founding, core::SecretBytes password, unsigned log_n);

/// To standard output: it is shown once.
Result<void> print_code(const user::Console& console, core::SecretBytes code);

using FileHolders = std::vector<std::unique_ptr<FileHolder>>;

/// The holders of one group at one epoch: who fell behind in a renewal catches up.
Result<FileHolders> open_all(const std::vector<std::string>& directories);

/// Who takes the place of a holder that is lost.
struct Newcomer {
    Named place;
    std::uint32_t index = 0;  ///< of the lost one
};

/// Every holder has what comes next, and the newcomer, if there is one, its directory, before it is
/// in force at the first. The error says what is in force then.
Result<void> hand_over(
    const FileHolders& holders,
    Founding founding,
    const core::Bytes& closed,
    const Newcomer* newcomer = nullptr
);

}  // namespace pgveil::envelope
