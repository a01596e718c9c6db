#include "proxy/log/log.hpp"

#include <atomic>
#include <memory>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace pgveil::log {

namespace {

/// The members of a JSON line up to the first that as_json() makes: its opening brace is here.
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)";

std::unique_ptr<spdlog::logger> make_logger() {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_unique<spdlog::logger>("pgveil", std::move(sink));
    logger->flush_on(spdlog::level::debug);
    return logger;
}

/// One logger for each format: a pattern is not changed while others write.
struct Loggers {
    Loggers() {
        text->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
        json->set_pattern(kJsonPattern, spdlog::pattern_time_type::utc);
    }

    std::unique_ptr<spdlog::logger> text = make_logger();
    std::unique_ptr<spdlog::logger> json = make_logger();
    std::atomic<bool> is_json = false;
};

/// Never destroyed: threads may still write when the process ends.
Loggers& loggers() {
    static auto* const kLoggers = new Loggers();  // NOLINT(cppcoreguidelines-owning-memory)
    return *kLoggers;
}

spdlog::level::level_enum level_of(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::kError: return spdlog::level::err;
        case config::LogLevel::kWarn: return spdlog::level::warn;
        case config::LogLevel::kInfo: break;
        case config::LogLevel::kDebug: return spdlog::level::debug;
    }
    return spdlog::level::info;
}

void write(spdlog::level::level_enum level, std::string_view text, Fields fields) {
    Loggers& all = loggers();
    const bool is_json = all.is_json;
    spdlog::logger& logger = is_json ? *all.json : *all.text;
    if (logger.should_log(level)) {
        logger.log(level, is_json ? as_json(text, fields).substr(1) : as_text(text, fields));
    }
}

}  // namespace

void set_up(const config::LogSettings& settings) {
    Loggers& all = loggers();
    all.text->set_level(level_of(settings.level));
    all.json->set_level(level_of(settings.level));
    all.is_json = settings.format == config::LogFormat::kJson;
}

void error(std::string_view text, Fields fields) {
    write(spdlog::level::err, text, fields);
}

void warn(std::string_view text, Fields fields) {
    write(spdlog::level::warn, text, fields);
}

void info(std::string_view text, Fields fields) {
    write(spdlog::level::info, text, fields);
}

void debug(std::string_view text, Fields fields) {
    write(spdlog::level::debug, text, fields);
}

}  // namespace pgveil::log
