#pragma once

#include "proxy/wire/error.hpp"
#include "proxy/wire/output.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The startup parameter `options`: a command line for the server process.
namespace pgveil::wire {

/// Splits as the server's pg_split_opts does: words end at white space; a backslash takes the next
/// character as it is; there are no quotes.
std::vector<WipedText> split_options(std::string_view options);

/// One switch after the server's getopt has taken the words apart (`-cn=v`, `-c n=v`, `--n=v`,
/// clusters such as `-ec n=v`).
struct OptionSwitch {
    char letter = 0;   ///< 'c' and '-' set a parameter; others (`-d 5`, `-F`, ...) pass as they are
    std::string name;  ///< of the parameter, `-` read as `_`, case kept: names compare case-blind
    WipedText value;   ///< of the parameter, or the switch's argument
    bool has_value = false;  ///< `-c name` without `=` has none: an error at the server (42601)

    bool sets_parameter() const noexcept { return letter == 'c' || letter == '-'; }
};

/// All switches in order. kUnknownSwitch where the server would refuse the command line: an unknown
/// letter, a missing argument, a word that is no switch.
Result<std::vector<OptionSwitch>> parse_options(std::string_view options);

/// A text that parse_options reads as exactly these switches.
WipedText join_options(std::span<const OptionSwitch> switches);

}  // namespace pgveil::wire
