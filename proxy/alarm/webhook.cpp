#include "proxy/alarm/webhook.hpp"

#include <curl/curl.h>
#include <memory>
#include <string_view>
#include <utility>

namespace pgveil::alarm {

namespace {

constexpr std::size_t kWaitingMax = 100;
constexpr long kTimeoutMs = 5000;
constexpr long kFirstError = 300;  // redirections are not followed

std::size_t ignore(const char* /*bytes*/, std::size_t size, std::size_t count, void* /*unused*/) {
    return size * count;
}

}  // namespace

Webhook::Webhook(std::string url, std::function<void(std::string_view reason)> report)
    : url_(std::move(url)), report_(std::move(report)), thread_([this] { run(); }) {}

Webhook::~Webhook() {
    {
        const std::lock_guard guard(mutex_);
        is_ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void Webhook::send(std::string json) {
    {
        const std::lock_guard guard(mutex_);
        if (waiting_.size() < kWaitingMax) {
            waiting_.push_back(std::move(json));
            changed_.notify_one();
            return;
        }
    }
    report_("too many wait");
}

void Webhook::run() {
    std::unique_lock guard(mutex_);
    while (true) {
        changed_.wait(guard, [this] { return is_ending_ || !waiting_.empty(); });
        if (is_ending_) {
            return;
        }
        const std::string json = std::move(waiting_.front());
        waiting_.pop_front();
        guard.unlock();
        const std::string problem = post(json);
        if (!problem.empty()) {
            report_(problem);
        }
        guard.lock();
    }
}

/// Why it was not taken; empty: it was.
std::string Webhook::post(const std::string& json) const {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> call(
        curl_easy_init(), curl_easy_cleanup
    );
    const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
        curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all
    );
    if (call == nullptr || headers == nullptr) {
        return "no memory";
    }
    curl_easy_setopt(call.get(), CURLOPT_URL, url_.c_str());
    curl_easy_setopt(call.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(call.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(call.get(), CURLOPT_POSTFIELDS, json.c_str());
    curl_easy_setopt(call.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(json.size()));
    curl_easy_setopt(call.get(), CURLOPT_TIMEOUT_MS, kTimeoutMs);
    curl_easy_setopt(call.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(call.get(), CURLOPT_WRITEFUNCTION, ignore);
    const CURLcode code = curl_easy_perform(call.get());
    if (code != CURLE_OK) {
        return curl_easy_strerror(code);
    }
    long status = 0;
    curl_easy_getinfo(call.get(), CURLINFO_RESPONSE_CODE, &status);
    return status < kFirstError ? std::string() : "HTTP status " + std::to_string(status);
}

}  // namespace pgveil::alarm
