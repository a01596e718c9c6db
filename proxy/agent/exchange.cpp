#include "proxy/agent/exchange.hpp"

#include "keyshare/core/invariant.hpp"

#include <algorithm>

namespace pgveil::agent {

using wire::BackendType;
using wire::FrontendType;

void Exchange::on_client(FrontendType type) {
    switch (type) {
        case FrontendType::kQuery:
        case FrontendType::kFunctionCall:
            unanswered_.push_back(Sent::kQuery);
            batch_open_ = false;
            return;
        case FrontendType::kSync:
            if (!copying_) {
                unanswered_.push_back(Sent::kSync);
                batch_open_ = false;
            }
            return;
        case FrontendType::kCopyDone:
        case FrontendType::kCopyFail:
            if (!copying_ && (batch_open_ || !unanswered_.empty())) {
                unanswered_.push_back(Sent::kCopyEnd);  // the answer to its COPY is still to come
            }
            copying_ = false;
            return;
        case FrontendType::kParse:
        case FrontendType::kBind:
        case FrontendType::kDescribe:
        case FrontendType::kExecute:
        case FrontendType::kClose: batch_open_ = true; return;
        case FrontendType::kCopyData:
        case FrontendType::kFlush:
        case FrontendType::kPasswordMessage:
        case FrontendType::kTerminate:
        case FrontendType::kUnknown: return;
    }
}

void Exchange::on_own_request() {
    core::invariant(may_insert(), "the agent speaks between two requests of its client only");
    unanswered_.push_back(Sent::kOwn);
}

bool Exchange::on_upstream(BackendType type) {
    const bool is_own = answers_own();
    if (type == BackendType::kCopyInResponse) {
        on_copy_in();
    } else if (type == BackendType::kErrorResponse) {
        copying_ = false;
    } else if (type == BackendType::kReadyForQuery) {
        drop_copy_ends();
        if (!unanswered_.empty()) {
            unanswered_.pop_front();
        }
        drop_copy_ends();
        logged_in_ = true;
    }
    // These come whenever they like, and are the client's.
    const bool is_asynchronous = type == BackendType::kNotificationResponse ||
                                 type == BackendType::kParameterStatus ||
                                 type == BackendType::kNoticeResponse;
    return is_own && !is_asynchronous;
}

/// What the client had sent behind its COPY was read over up to the end of its data. Where it has
/// not sent that yet, the session is in copy-in mode now.
void Exchange::on_copy_in() {
    const bool is_simple = !unanswered_.empty() && unanswered_.front() == Sent::kQuery;
    const auto behind = unanswered_.begin() + (is_simple ? 1 : 0);
    const auto end_of_copy = std::find(behind, unanswered_.end(), Sent::kCopyEnd);
    copying_ = end_of_copy == unanswered_.end();
    unanswered_.erase(behind, copying_ ? end_of_copy : end_of_copy + 1);
    batch_open_ = batch_open_ || (copying_ && !is_simple);
}

void Exchange::drop_copy_ends() {
    while (!unanswered_.empty() && unanswered_.front() == Sent::kCopyEnd) {
        unanswered_.pop_front();
    }
}

bool Exchange::would_begin(FrontendType type) const {
    if (!logged_in_ || batch_open_ || copying_) {
        return false;
    }
    switch (type) {
        case FrontendType::kQuery:
        case FrontendType::kFunctionCall:
        case FrontendType::kParse:
        case FrontendType::kBind:
        case FrontendType::kDescribe:
        case FrontendType::kExecute:
        case FrontendType::kClose: return true;
        case FrontendType::kSync:
        case FrontendType::kCopyData:
        case FrontendType::kCopyDone:
        case FrontendType::kCopyFail:
        case FrontendType::kFlush:
        case FrontendType::kPasswordMessage:
        case FrontendType::kTerminate:
        case FrontendType::kUnknown: return false;
    }
    return false;
}

}  // namespace pgveil::agent
