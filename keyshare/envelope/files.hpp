#pragma once

#include "keyshare/core/descriptor.hpp"
#include "keyshare/envelope/body.hpp"
#include "keyshare/user/private_file.hpp"

#include <memory>
#include <string>

namespace pgveil::envelope {

/// The name of standard input, as a file to read, and of standard output, as one to write.
inline constexpr const char* kStandardStream = "-";

/// A file or pipe that is read from front to back. One thread.
class FileSource final : public Source {
public:
    /// kStandardStream: standard input.
    static Result<std::unique_ptr<FileSource>> open(const std::string& path);

    Result<std::size_t> read(core::MutableByteView out) override;

private:
    FileSource(core::Descriptor file, std::string name)
        : file_(std::move(file)), name_(std::move(name)) {}

    core::Descriptor file_;
    std::string name_;
};

/// Where a result is written. A file has its name only once finish() has succeeded. Until then it
/// has none, so that nothing is left of it after a kill; where the file system knows no such files
/// it is a temporary one beside its name, which the destructor removes. One thread.
class Output : public Sink {
public:
    /// Syncs what was written and gives it its name.
    virtual Result<void> finish() = 0;
};

/// What happens to a file that has the name already.
enum class Existing { kKeep, kReplace };

/// kStandardStream: standard output, where everything is out as soon as it is written; refused if
/// that is a terminal. A name that is taken is refused at once, unless it may be replaced.
Result<std::unique_ptr<Output>> open_output(
    const std::string& path, user::Audience audience, Existing existing
);

}  // namespace pgveil::envelope
