// TZif files (RFC 9636): the 64-bit block and the footer; the 32-bit block is skipped.
#include "sql/types/time_zone.hpp"

#include <algorithm>
#include <utility>

namespace pgveil::types {

namespace {

constexpr std::size_t kHeaderSize = 44;
constexpr std::size_t kCountsOffset = 20;
constexpr std::size_t kTypeSize = 6;
constexpr std::uint32_t kCountMax = 65536;

struct Counts {
    std::uint32_t isutcnt = 0;
    std::uint32_t isstdcnt = 0;
    std::uint32_t leapcnt = 0;
    std::uint32_t timecnt = 0;
    std::uint32_t typecnt = 0;
    std::uint32_t charcnt = 0;

    std::size_t block_size(std::size_t time_size) const {
        return std::size_t{timecnt} * (time_size + 1) + std::size_t{typecnt} * kTypeSize + charcnt +
               std::size_t{leapcnt} * (time_size + 4) + isstdcnt + isutcnt;
    }
};

}  // namespace

/// Reads one file. Every take_ checks the size first; a short file leaves is_good() false.
class TzifReader {
public:
    explicit TzifReader(core::ByteView file) : rest_(file) {}

    std::optional<TimeZone> read(std::string name);

private:
    core::ByteView take(std::size_t size);
    std::optional<Counts> take_header();
    bool take_block(const Counts& counts, TimeZone& zone);
    static std::optional<LocalTimeType> read_type(core::ByteView entry, core::ByteView names);
    bool take_footer(TimeZone& zone);

    core::ByteView rest_;
    bool is_short_ = false;
};

core::ByteView TzifReader::take(std::size_t size) {
    if (rest_.size() < size) {
        is_short_ = true;
        return {};
    }
    const core::ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
}

std::optional<Counts> TzifReader::take_header() {
    const core::ByteView header = take(kHeaderSize);
    if (is_short_ || !core::as_text(header).starts_with("TZif") || header[4] < '2') {
        return std::nullopt;
    }
    const auto count = [&](std::size_t index) {
        return core::read_big_endian32(header.subspan(kCountsOffset + index * 4));
    };
    const Counts counts = {count(0), count(1), count(2), count(3), count(4), count(5)};
    const std::uint32_t most = std::max(
        {counts.isutcnt,
         counts.isstdcnt,
         counts.leapcnt,
         counts.timecnt,
         counts.typecnt,
         counts.charcnt}
    );
    return most > kCountMax ? std::nullopt : std::optional(counts);
}

std::optional<LocalTimeType> TzifReader::read_type(core::ByteView entry, core::ByteView names) {
    const std::size_t name_at = entry[5];
    if (name_at >= names.size()) {
        return std::nullopt;
    }
    const std::string_view name = core::as_text(names.subspan(name_at));
    const std::size_t size = name.find('\0');
    if (size == std::string_view::npos) {
        return std::nullopt;
    }
    const auto seconds = static_cast<std::int32_t>(core::read_big_endian32(entry));
    return LocalTimeType{seconds, entry[4] != 0, std::string(name.substr(0, size))};
}

bool TzifReader::take_block(const Counts& counts, TimeZone& zone) {
    const core::ByteView times = take(std::size_t{counts.timecnt} * 8);
    const core::ByteView indexes = take(counts.timecnt);
    const core::ByteView types = take(std::size_t{counts.typecnt} * kTypeSize);
    const core::ByteView names = take(counts.charcnt);
    take(std::size_t{counts.isstdcnt} + counts.isutcnt);
    if (is_short_ || counts.typecnt == 0 || counts.leapcnt != 0) {
        return false;
    }
    for (std::size_t index = 0; index < counts.typecnt; ++index) {
        std::optional<LocalTimeType> type = read_type(types.subspan(index * kTypeSize), names);
        if (!type) {
            return false;
        }
        zone.types_.push_back(std::move(*type));
    }
    for (std::size_t index = 0; index < counts.timecnt; ++index) {
        const auto unix_s =
            static_cast<std::int64_t>(core::read_big_endian64(times.subspan(index * 8)));
        const bool is_ordered =
            zone.transitions_.empty() || zone.transitions_.back().unix_s < unix_s;
        if (!is_ordered || indexes[index] >= counts.typecnt) {
            return false;
        }
        zone.transitions_.push_back({unix_s, indexes[index]});
    }
    return true;
}

bool TzifReader::take_footer(TimeZone& zone) {
    const std::string_view footer = core::as_text(rest_);
    if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') {
        return false;
    }
    const std::string_view rule = footer.substr(1, footer.size() - 2);
    if (rule.empty()) {
        return true;
    }
    zone.rule_ = PosixRule::parse(rule);
    return zone.rule_.has_value();
}

std::optional<TimeZone> TzifReader::read(std::string name) {
    TimeZone zone;
    zone.name_ = std::move(name);
    const std::optional<Counts> old_counts = take_header();
    if (!old_counts) {
        return std::nullopt;
    }
    take(old_counts->block_size(4));
    const std::optional<Counts> counts = take_header();
    if (!counts || !take_block(*counts, zone) || !take_footer(zone)) {
        return std::nullopt;
    }
    return zone;
}

Result<TimeZone> TimeZone::parse_tzif(std::string name, core::ByteView file) {
    std::optional<TimeZone> zone = TzifReader(file).read(name);
    if (!zone) {
        return unsupported_form("the time zone file of \"" + name + "\" cannot be read");
    }
    return std::move(*zone);
}

}  // namespace pgveil::types
