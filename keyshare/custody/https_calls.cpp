#include "keyshare/custody/https_calls.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <list>
#include <mutex>
#include <utility>

namespace pgveil::custody {
namespace {

constexpr std::size_t kBodyMax = std::size_t{4} << 20U;

void start_library() {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

struct Call {
    std::size_t id = 0;
    std::string request;
    HttpsReply reply;
    std::array<char, CURL_ERROR_SIZE> said{};
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle{nullptr, curl_easy_cleanup};
};

std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& body = static_cast<Call*>(into)->reply.body;
    const std::size_t more = size * count;
    if (body.size() + more > kBodyMax) {
        return 0;
    }
    body.append(bytes, more);
    return more;
}

}  // namespace

struct HttpsCalls::Impl {
    Impl(TlsFiles tls, std::chrono::milliseconds each) : files(std::move(tls)), limit(each) {
        start_library();
        multi.reset(curl_multi_init());
        headers.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
        core::invariant(multi != nullptr && headers != nullptr, "there is memory for calls");
    }

    void set_up(Call& call, const HttpsCall& what) const;
    std::optional<Finished> take_finished();
    Finished finish(CURL* handle, CURLcode code);

    TlsFiles files;
    std::chrono::milliseconds limit;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi{nullptr, curl_multi_cleanup};
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers{
        nullptr, curl_slist_free_all};
    std::list<Call> calls;
};

void HttpsCalls::Impl::set_up(Call& call, const HttpsCall& what) const {
    CURL* handle = call.handle.get();
    curl_easy_setopt(handle, CURLOPT_URL, what.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(handle, CURLOPT_PROXY, "");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(handle, CURLOPT_CAINFO, files.ca.c_str());
    // Debian's libcurl would believe the system's authorities as well.
    curl_easy_setopt(handle, CURLOPT_CAPATH, static_cast<char*>(nullptr));
    curl_easy_setopt(handle, CURLOPT_SSLCERT, files.certificate.c_str());
    curl_easy_setopt(handle, CURLOPT_SSLKEY, files.key.c_str());
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, call.said.data());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &call);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, &call);
    if (what.is_post) {
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(call.request.size()));
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, call.request.c_str());
    }
}

HttpsCalls::Finished HttpsCalls::Impl::finish(CURL* handle, CURLcode code) {
    Call* call = nullptr;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &call);
    core::invariant(call != nullptr, "a call has a place");
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &call->reply.status);
    if (code != CURLE_OK) {
        call->reply.trouble =
            call->said.front() == '\0' ? curl_easy_strerror(code) : call->said.data();
    }
    curl_multi_remove_handle(multi.get(), handle);
    Finished finished{call->id, std::move(call->reply)};
    calls.remove_if([call](const Call& each) { return &each == call; });
    return finished;
}

std::optional<HttpsCalls::Finished> HttpsCalls::Impl::take_finished() {
    int running = 0;
    curl_multi_perform(multi.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
        if (message->msg == CURLMSG_DONE) {
            return finish(message->easy_handle, message->data.result);
        }
    }
    return std::nullopt;
}

HttpsCalls::HttpsCalls(TlsFiles files, std::chrono::milliseconds limit)
    : impl_(std::make_unique<Impl>(std::move(files), limit)) {}

HttpsCalls::~HttpsCalls() {
    abandon();
}

void HttpsCalls::begin(std::size_t id, const HttpsCall& call) {
    Call& begun = impl_->calls.emplace_back();
    begun.id = id;
    begun.request = call.body;
    begun.handle.reset(curl_easy_init());
    core::invariant(begun.handle != nullptr, "there is memory for a call");
    impl_->set_up(begun, call);
    curl_multi_add_handle(impl_->multi.get(), begun.handle.get());
}

std::optional<HttpsCalls::Finished> HttpsCalls::next(Clock::time_point until) {
    while (!impl_->calls.empty()) {
        auto finished = impl_->take_finished();
        if (finished) {
            return finished;
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0) {
            return std::nullopt;
        }
        curl_multi_poll(
            impl_->multi.get(),
            nullptr,
            0,
            static_cast<int>(std::min<long long>(left, 1000)),
            nullptr
        );
    }
    return std::nullopt;
}

std::size_t HttpsCalls::under_way() const {
    return impl_->calls.size();
}

void HttpsCalls::abandon() {
    for (const Call& call : impl_->calls) {
        curl_multi_remove_handle(impl_->multi.get(), call.handle.get());
    }
    impl_->calls.clear();
}

std::vector<HttpsReply> call_all(HttpsCalls& calls, const std::vector<HttpsCall>& all) {
    core::invariant(calls.under_way() == 0, "calls that belong together begin together");
    for (std::size_t i = 0; i < all.size(); ++i) {
        calls.begin(i, all[i]);
    }
    std::vector<HttpsReply> replies(all.size());
    while (calls.under_way() > 0) {
        auto finished = calls.next(HttpsCalls::Clock::now() + std::chrono::hours(1));
        if (finished) {
            replies[finished->id] = std::move(finished->reply);
        }
    }
    return replies;
}

}  // namespace pgveil::custody
