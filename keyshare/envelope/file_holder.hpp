#pragma once

#include "keyshare/core/descriptor.hpp"
#include "keyshare/envelope/access_log.hpp"
#include "keyshare/envelope/holder.hpp"
#include "keyshare/envelope/membership.hpp"

#include <memory>
#include <string>

namespace pgveil::envelope {

/// All that a holder's directory keeps, in one file, so that one rename changes all of it.
struct Custody {
    std::string name;  ///< of the holder, as is_group_name
    quorum::Group group;
    Membership own;
    core::Bytes protected_share;  ///< close_share(); empty where the third has its own directory
};

core::SecretBytes serialize(const Custody& custody);
Result<Custody> parse_custody(core::ByteView bytes);

/// A holder whose share lies in a directory of mode 0700: files `holder` (0600), `log`, and, while
/// shares are being renewed, `next`. Whoever can read the directory has the share. One thread.
class FileHolder final : public Holder {
public:
    /// Makes the directory, or takes an empty one of ours; refuses one that holds a share.
    static Result<void> create(const std::string& directory, const Custody& custody);

    static Result<std::unique_ptr<FileHolder>> open(const std::string& directory);

    const std::string& name() const override { return custody_.name; }

    const quorum::Group& group() const override { return custody_.group; }

    std::uint32_t index() const override { return custody_.own.share.index; }

    /// Checked and logged, in this order, before there is an answer. Without a log there is none.
    Result<core::Bytes> answer(const Question& question, std::int64_t now_s) override;

    /// The password-protected share, which whoever asks gets, because it opens with password and
    /// code only; logged as an access.
    Result<core::Bytes> hand_out_protected(const Access& access);

    const Custody& custody() const { return custody_; }

    AccessLog& log() { return log_; }

    /// First half of a renewal: puts what comes next beside what is in force.
    Result<void> prepare(const Custody& next);
    /// Second half: what was prepared is in force. Only when every holder has prepared.
    Result<void> switch_over();
    /// Finishes a renewal that a crash cut short after `group` was in force at another holder.
    Result<void> catch_up_with(const quorum::Group& group);

private:
    FileHolder(std::string directory, Custody custody)
        : directory_(std::move(directory)),
          custody_(std::move(custody)),
          log_(directory_ + "/log", custody_.name) {}

    std::string directory_;
    Custody custody_;
    AccessLog log_;
};

}  // namespace pgveil::envelope
