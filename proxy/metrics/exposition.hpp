#pragma once

#include "proxy/metrics/histogram.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pgveil::metrics {

struct Label {
    std::string_view name;
    std::string_view value;
};

enum class FamilyType { kCounter, kGauge, kHistogram };

/// Writes Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats"): a family,
/// then its samples; each name is used for one family only.
class Exposition {
public:
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

    void family(std::string_view name, FamilyType type, std::string_view help);

    /// A sample of the family begun last.
    void sample(std::uint64_t value, std::initializer_list<Label> labels = {});

    /// A family of one sample.
    void counter(std::string_view name, std::string_view help, std::uint64_t value);
    void gauge(std::string_view name, std::string_view help, std::uint64_t value);

    /// A family of one histogram, in seconds.
    void histogram(std::string_view name, std::string_view help, const Histogram::Reading& reading);

    const std::string& text() const { return text_; }

private:
    void line(std::string_view suffix, std::initializer_list<Label> labels, std::string_view value);

    std::string text_;
    std::string name_;  ///< of the family begun last
};

}  // namespace pgveil::metrics
