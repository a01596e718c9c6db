#include "keyshare/envelope/commands.hpp"
#include "keyshare/envelope/key_file.hpp"
#include "keyshare/share/tenant.hpp"

#include <array>
#include <ctime>
#include <memory>
#include <utility>

namespace pgveil::envelope {

namespace {

constexpr std::string_view kSuffix = ".pgveil";

Result<std::string> output_of(const OpenArguments& arguments) {
    if (!arguments.out.empty()) {
        return arguments.out;
    }
    if (arguments.file == kStandardStream) {
        return std::string(kStandardStream);
    }
    if (arguments.file.size() > kSuffix.size() && arguments.file.ends_with(kSuffix)) {
        return arguments.file.substr(0, arguments.file.size() - kSuffix.size());
    }
    return user::unusable(
        arguments.file + " has no name ending in .pgveil: say with --out where its content goes"
    );
}

std::string output_of(const SealArguments& arguments) {
    if (!arguments.out.empty()) {
        return arguments.out;
    }
    return arguments.file == kStandardStream ? kStandardStream
                                             : arguments.file + std::string(kSuffix);
}

Result<BodyKey> key_of(
    const user::Console& console, const OpenArguments& arguments, const Header& header
) {
    const auto opener = opener_for(arguments.holders, arguments.requester, arguments.purpose);
    if (!opener) {
        return opener.error();
    }
    NamedHolders holders(console);
    if (auto added = holders.add(arguments.holders, header, *opener); !added) {
        return added.error();
    }
    return ask_holders(header, holders.all(), *opener, [&console](const std::string& text) {
        console.note(text);
    });
}

constexpr const char* kTimeForm = "%Y-%m-%dT%H:%M:%SZ";

}  // namespace

Result<void> seal(const user::Console& console, const SealArguments& arguments) {
    const auto key = read_key_file(arguments.key_file);
    if (!key) {
        return key.error();
    }
    const auto file = make_header(*key, arguments.policy, core::system_random());
    if (!file) {
        return file.error();
    }
    const auto from = FileSource::open(arguments.file);
    if (!from) {
        return from.error();
    }
    const std::string path = output_of(arguments);
    const auto out = open_output(path, user::Audience::kAnybody, arguments.existing);
    if (!out) {
        return out.error();
    }
    if (auto written = (*out)->write(file->header.bytes); !written) {
        return written;
    }
    const auto size = seal_body(**from, **out, *file);
    if (!size) {
        return size.error();
    }
    if (auto finished = (*out)->finish(); !finished) {
        return finished;
    }
    console.note(
        std::to_string(*size) + " bytes sealed to the group " + fingerprint_of(*key) +
        (path == kStandardStream ? "" : " in " + path)
    );
    return {};
}

Result<void> open(const user::Console& console, const OpenArguments& arguments) {
    const auto path = output_of(arguments);
    if (!path) {
        return path.error();
    }
    const auto from = FileSource::open(arguments.file);
    if (!from) {
        return from.error();
    }
    const auto header = read_header(**from);
    if (!header) {
        return user::failed(arguments.file + ": " + header.error().message);
    }
    const auto out = open_output(*path, user::Audience::kOwner, arguments.existing);
    if (!out) {
        return out.error();
    }
    const auto key = key_of(console, arguments, *header);
    if (!key) {
        return key.error();
    }
    const auto size = open_body(**from, **out, *header, *key);
    if (!size) {
        return user::failed(
            arguments.file + ": " + size.error().message +
            (*path == kStandardStream ? "; what was written before is sound but not all of it"
                                      : "; nothing was written")
        );
    }
    return (*out)->finish();
}

Result<void> show(const user::Console& console, const std::string& file) {
    const auto from = FileSource::open(file);
    if (!from) {
        return from.error();
    }
    const auto header = read_header(**from);
    if (!header) {
        return user::failed(file + ": " + header.error().message);
    }
    const Policy& policy = header->policy;
    std::string text = "group: " + share::fingerprint_text(header->group) + "\n";
    for (const std::string& name : policy.who) {
        text += "for: " + name + "\n";
    }
    text += policy.until_s == 0 ? "" : "until: " + time_text(policy.until_s) + "\n";
    text += policy.purpose.empty() ? "" : "purpose: " + policy.purpose + "\n";
    if (!console.print(text)) {
        return user::failed("standard output cannot be written");
    }
    return {};
}

std::string time_text(std::int64_t at_s) {
    const std::time_t at = at_s;
    std::tm parts{};
    ::gmtime_r(&at, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), kTimeForm, &parts)};
}

Result<std::int64_t> parse_time(const std::string& text) {
    const std::string whole = text.find('T') == std::string::npos ? text + "T00:00:00Z" : text;
    std::tm parts{};
    const char* const end = ::strptime(whole.c_str(), kTimeForm, &parts);
    const std::int64_t at_s = ::timegm(&parts);
    // Written again it must be the same: there is no 31st of June.
    if (end == nullptr || *end != '\0' || at_s <= 0 || time_text(at_s) != whole) {
        return user::unusable(
            "\"" + text + "\" is no time: write YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, in UTC"
        );
    }
    return at_s;
}

}  // namespace pgveil::envelope
