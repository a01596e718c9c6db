#include "proxy/metrics/exposition.hpp"

#include <array>
#include <charconv>

namespace pgveil::metrics {

namespace {

constexpr double kNanosecondsPerSecond = 1e9;

std::string_view name_of(FamilyType type) {
    switch (type) {
        case FamilyType::kCounter: return "counter";
        case FamilyType::kGauge: return "gauge";
        case FamilyType::kHistogram: break;
    }
    return "histogram";
}

/// Help texts leave quotes as they are.
void append_escaped(std::string& text, std::string_view raw, bool in_quotes) {
    for (const char letter : raw) {
        if (letter == '\n') {
            text.append("\\n");
            continue;
        }
        if (letter == '\\' || (in_quotes && letter == '"')) {
            text.push_back('\\');
        }
        text.push_back(letter);
    }
}

std::string seconds_text(nanoseconds time) {
    std::array<char, 32> digits{};
    const double seconds = static_cast<double>(time.count()) / kNanosecondsPerSecond;
    const auto written = std::to_chars(digits.begin(), digits.end(), seconds);
    return {digits.begin(), written.ptr};
}

}  // namespace

void Exposition::family(std::string_view name, FamilyType type, std::string_view help) {
    name_ = name;
    text_.append("# HELP ").append(name).push_back(' ');
    append_escaped(text_, help, false);
    text_.append("\n# TYPE ").append(name).append(" ").append(name_of(type)).push_back('\n');
}

void Exposition::line(
    std::string_view suffix, std::initializer_list<Label> labels, std::string_view value
) {
    text_.append(name_).append(suffix);
    char before = '{';
    for (const Label& label : labels) {
        text_.push_back(before);
        text_.append(label.name).append("=\"");
        append_escaped(text_, label.value, true);
        text_.push_back('"');
        before = ',';
    }
    text_.append(before == ',' ? "} " : " ").append(value).push_back('\n');
}

void Exposition::sample(std::uint64_t value, std::initializer_list<Label> labels) {
    line("", labels, std::to_string(value));
}

void Exposition::counter(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, FamilyType::kCounter, help);
    sample(value);
}

void Exposition::gauge(std::string_view name, std::string_view help, std::uint64_t value) {
    family(name, FamilyType::kGauge, help);
    sample(value);
}

void Exposition::histogram(
    std::string_view name, std::string_view help, const Histogram::Reading& reading
) {
    family(name, FamilyType::kHistogram, help);
    std::uint64_t up_to_here = 0;
    for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
        up_to_here += reading.counts.at(i);
        const std::string bound = seconds_text(Histogram::kBounds.at(i));
        line("_bucket", {{"le", bound}}, std::to_string(up_to_here));
    }
    const std::string all = std::to_string(reading.count());
    line("_bucket", {{"le", "+Inf"}}, all);
    line("_sum", {}, seconds_text(reading.sum));
    line("_count", {}, all);
}

}  // namespace pgveil::metrics
