#include "keyshare/custody/coordination.hpp"

#include "keyshare/core/base64url.hpp"
#include "keyshare/core/random.hpp"
#include "keyshare/custody/run_seats.hpp"
#include "keyshare/custody/run_state.hpp"
#include "keyshare/share/json_fields.hpp"
#include "keyshare/share/member_statement.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

namespace pgveil::custody {
namespace {

using Clock = HttpsCalls::Clock;

constexpr long kOk = 200;
constexpr long kFirstRefusal = 400;
constexpr auto kBetweenLooks = std::chrono::milliseconds(100);

std::string fresh_session() {
    core::Bytes bytes(share::kStatementSessionSize);
    core::system_random().fill(bytes);
    return core::base64url_encode(bytes);
}

/// One run, seen from the coordinator.
class Coordination {
public:
    Coordination(
        const AskerSettings& settings,
        const RunPlan& plan,
        std::vector<Seat> seats,
        std::string path,
        CoordinationTimes times
    )
        : plan_(&plan),
          seats_(std::move(seats)),
          path_(std::move(path)),
          times_(times),
          calls_(settings.tls, times.limit) {}

    Result<PinnedGroup> run() {
        auto prepared = prepare();
        if (prepared.has_value()) {
            prepared = collect_statements();
        }
        if (prepared.has_value()) {
            prepared = carry();
        }
        if (prepared.has_value()) {
            return collect_group();
        }
        if (prepared.error().code == ErrorCode::kCheating) {
            static_cast<void>(abandon());
        }
        return prepared.error();
    }

    Result<void> prepare();
    Result<void> abandon();

private:
    Result<void> collect_statements();
    Result<void> read_member_keys();
    Result<void> carry();
    HttpsCall next_call(const Seat& seat, std::vector<RunMessage>& carried) const;
    Result<bool> absorb(Seat& seat, const HttpsReply& reply, std::vector<RunMessage> carried);
    Error accusation(const Seat& by, const Refusal& refusal) const;
    Error without_progress() const;
    bool members_are_done() const;
    Result<PinnedGroup> collect_group();
    Result<void> dismiss_leavers(const std::string& description);
    std::vector<HttpsReply> call_members(const std::string& path, const std::string& body);
    std::vector<HttpsReply> call_abandon(const share::Json& body);

    const RunPlan* plan_;
    std::vector<Seat> seats_;
    std::string path_;
    CoordinationTimes times_;
    HttpsCalls calls_;
    RunFile file_;
    std::vector<core::PublicPoint> member_keys_;
};

/// The file of the run that is going on, or of a new one.
Result<void> Coordination::prepare() {
    const std::string plan = plan_text(*plan_);
    if (std::filesystem::exists(path_)) {
        const auto text = read_file(path_);
        auto file = text.has_value() ? parse_run_file(path_, *text) : text.error();
        if (!file.has_value()) {
            return file.error();
        }
        if (file->plan == plan) {
            file_ = *std::move(file);
            return {};
        }
        if (!is_finished_by(*file, *plan_)) {
            return Error{
                ErrorCode::kSettings,
                path_ +
                    " belongs to a run with other members, threshold or policy that was not "
                    "finished: repeat that command, or give the run up with --abandon"};
        }
    }
    file_ = {fresh_session(), plan, {}};
    return save_file(path_, write_run_file(file_));
}

std::vector<HttpsReply> Coordination::call_members(
    const std::string& path, const std::string& body
) {
    std::vector<HttpsCall> calls;
    for (const Seat& seat : seats_) {
        if (seat.index > 0) {
            calls.push_back({seat.custodian.url + path, body, !body.empty()});
        }
    }
    return call_all(calls_, calls);
}

/// All members have to say one, before anything begins.
Result<void> Coordination::collect_statements() {
    if (file_.begin.empty()) {
        const auto replies =
            call_members("/v1/members", share::Json{{"session", file_.session}}.dump());
        std::vector<std::string> statements;
        for (std::size_t i = 0; i < replies.size(); ++i) {
            share::JsonReader reader{std::string_view(replies[i].body)};
            statements.push_back(reader.text("statement"));
            if (replies[i].status != kOk || !replies[i].trouble.empty() || !reader.ok()) {
                return Error{
                    ErrorCode::kUnreachable,
                    said_by(seats_[i], replies[i]) +
                        ". All members are needed to make a group; repeat the command when it is "
                        "there"};
            }
        }
        file_.begin = begin_body(file_.session, *plan_, statements);
        const auto read = read_member_keys();
        return read.has_value() ? save_file(path_, write_run_file(file_)) : read;
    }
    return read_member_keys();
}

Result<void> Coordination::read_member_keys() {
    const auto statements = statements_in(file_.begin);
    if (statements.size() != plan_->members.size()) {
        return Error{ErrorCode::kSettings, path_ + " has not one statement for each member"};
    }
    for (std::size_t i = 0; i < statements.size(); ++i) {
        auto key = member_key_in(statements[i], file_.session, seats_[i]);
        if (!key.has_value()) {
            return key.error();
        }
        member_keys_.push_back(*key);
    }
    return {};
}

HttpsCall Coordination::next_call(const Seat& seat, std::vector<RunMessage>& carried) const {
    const std::string runs = seat.custodian.url + "/v1/runs";
    if (!seat.has_begun) {
        return {runs, file_.begin, true};
    }
    for (const Seat& other : seats_) {
        for (const RunMessage& message : other.sent) {
            if (&other != &seat && !seat.has.contains(message)) {
                carried.push_back(message);
            }
        }
    }
    const std::string run = runs + "/" + file_.session;
    return carried.empty() ? HttpsCall{run, {}, false}
                           : HttpsCall{run + "/messages", messages_body(carried), true};
}

/// A member said who cheats; it may cheat itself, so people hear who said it.
Error Coordination::accusation(const Seat& by, const Refusal& refusal) const {
    std::string named;
    // Of other members than before, a number does not say in which of the two groups.
    const bool is_clear = !plan_->from || plan_->from->members == plan_->members;
    for (const Seat& seat : seats_) {
        if (is_clear && refusal.member != 0 && seat.index == refusal.member) {
            named = "custodian " + seat.custodian.name + " cheats, says ";
        }
    }
    return {
        refusal.member == 0 ? ErrorCode::kRefused : ErrorCode::kCheating,
        named + "custodian " + by.custodian.name + " (" + by.custodian.url +
            "): " + refusal.message};
}

/// True: the run came further.
Result<bool> Coordination::absorb(
    Seat& seat, const HttpsReply& reply, std::vector<RunMessage> carried
) {
    if (may_pass(reply)) {
        seat.trouble = refusal_in(reply).message;
        return false;
    }
    if (reply.status >= kFirstRefusal) {
        return accusation(seat, refusal_in(reply));
    }
    auto view = parse_run_view(reply.body, seat.index);
    if (!view) {
        seat.trouble = "what it says is no state of a run";
        return false;
    }
    if (view->failure || view->is_abandoned) {
        return accusation(
            seat, view->failure ? *view->failure : Refusal{{}, "the run was given up there", 0}
        );
    }
    const bool is_further = !seat.has_begun || view->is_done || !carried.empty() ||
                            view->sent.size() > seat.sent.size();
    seat.trouble.clear();
    seat.has_begun = true;
    seat.is_done = view->is_done;
    seat.sent = std::move(view->sent);
    seat.has.insert(carried.begin(), carried.end());
    return is_further;
}

Error Coordination::without_progress() const {
    std::string message =
        "the run does not go on; what is there is kept, and the same command "
        "goes on with it. Not finished:";
    for (const Seat& seat : seats_) {
        if (!seat.is_done) {
            message += "\n  " + seat.custodian.name + " (" + seat.custodian.url +
                       "): " + (seat.trouble.empty() ? "waits for the others" : seat.trouble);
        }
    }
    return {ErrorCode::kUnreachable, std::move(message)};
}

bool Coordination::members_are_done() const {
    return std::all_of(seats_.begin(), seats_.end(), [](const Seat& seat) {
        return seat.index == 0 || seat.is_done;
    });
}

Result<void> Coordination::carry() {
    auto last = Clock::now();
    while (true) {
        std::vector<HttpsCall> calls;
        std::vector<Seat*> called;
        std::vector<std::vector<RunMessage>> carried;
        for (Seat& seat : seats_) {
            if (!seat.is_done && !(seat.index == 0 && members_are_done())) {
                called.push_back(&seat);
                calls.push_back(next_call(seat, carried.emplace_back()));
            }
        }
        if (calls.empty()) {
            return {};
        }
        const auto replies = call_all(calls_, calls);
        bool is_further = false;
        for (std::size_t i = 0; i < called.size(); ++i) {
            const auto absorbed = absorb(*called[i], replies[i], std::move(carried[i]));
            if (!absorbed.has_value()) {
                return absorbed.error();
            }
            is_further = is_further || *absorbed;
        }
        if (is_further) {
            last = Clock::now();
        } else if (Clock::now() - last > times_.patience) {
            return without_progress();
        } else {
            std::this_thread::sleep_for(kBetweenLooks);
        }
    }
}

Result<PinnedGroup> Coordination::collect_group() {
    std::string id;
    for (const HttpsReply& reply : call_members("/v1/runs/" + file_.session, {})) {
        const auto view = parse_run_view(reply.body, 0);
        id = view && !view->group.empty() ? view->group : id;
    }
    std::optional<quorum::Group> group;
    const auto replies = call_members("/v1/groups/" + id, {});
    for (std::size_t i = 0; i < replies.size(); ++i) {
        const auto served = group_made(*plan_, member_keys_, replies[i].body);
        if (!served || (group && *group != *served)) {
            return Error{
                replies[i].trouble.empty() ? ErrorCode::kCheating : ErrorCode::kUnreachable,
                "custodian " + seats_[i].custodian.name + " (" + seats_[i].custodian.url +
                    ") does not show the group that this run has made" +
                    (replies[i].trouble.empty() ? std::string() : ": " + replies[i].trouble) +
                    "; repeat the command"};
        }
        group = served;
    }
    const auto dismissed = dismiss_leavers(replies.front().body);
    if (!dismissed.has_value()) {
        return dismissed.error();
    }
    return PinnedGroup{*group, plan_->members};
}

/// Former members that are no new ones destroy their share when they see the certificate.
Result<void> Coordination::dismiss_leavers(const std::string& description) {
    share::JsonReader reader{std::string_view(description)};
    share::Json json;
    json["messages"] = share::Json::array();
    json["certificate"] = reader.text("certificate");
    const std::string body = json.dump();
    const std::string path = "/v1/runs/" + file_.session + "/messages";
    for (const Seat& seat : seats_) {
        if (seat.index > 0) {
            continue;
        }
        const auto replies = call_all(calls_, {{seat.custodian.url + path, body, true}});
        const auto view = parse_run_view(replies.front().body, 0);
        if (!view || !view->is_done) {
            return Error{
                ErrorCode::kUnreachable,
                said_by(seat, replies.front()) +
                    ". The new members have their shares, but this one still has its former share: "
                    "repeat the command"};
        }
    }
    return {};
}

/// The file stays while a custodian may have the group. Who has signed lets go of the run when it
/// is shown the word of one that has not.
Result<void> Coordination::abandon() {
    auto replies = call_abandon(share::Json::object());
    share::Json words = share::Json::array();
    for (const HttpsReply& reply : replies) {
        share::JsonReader reader{std::string_view(reply.body)};
        const std::string word = reader.text("abandonment");
        if (reply.status == kOk && reader.ok()) {
            words.push_back(word);
        }
    }
    if (!words.empty()) {
        replies = call_abandon({{"abandonments", words}});
    }
    for (std::size_t i = 0; i < replies.size(); ++i) {
        if (refusal_in(replies[i]).code == "signed") {
            return Error{ErrorCode::kRefused, said_by(seats_[i], replies[i])};
        }
    }
    std::filesystem::remove(path_);
    return {};
}

std::vector<HttpsReply> Coordination::call_abandon(const share::Json& body) {
    std::vector<HttpsCall> calls;
    for (const Seat& seat : seats_) {
        calls.push_back(
            {seat.custodian.url + "/v1/runs/" + file_.session + "/abandon", body.dump(), true}
        );
    }
    return call_all(calls_, calls);
}

}  // namespace

Result<PinnedGroup> make_group(
    const AskerSettings& settings,
    const RunPlan& plan,
    const std::string& state_file,
    CoordinationTimes times
) {
    auto seats = seats_of(settings, plan);
    if (!seats.has_value()) {
        return seats.error();
    }
    return Coordination(settings, plan, *std::move(seats), state_file, times).run();
}

Result<void> abandon_run(
    const AskerSettings& settings,
    const RunPlan& plan,
    const std::string& state_file,
    CoordinationTimes times
) {
    auto seats = seats_of(settings, plan);
    if (!seats.has_value()) {
        return seats.error();
    }
    Coordination run(settings, plan, *std::move(seats), state_file, times);
    const auto prepared = run.prepare();
    return prepared.has_value() ? run.abandon() : prepared;
}

}  // namespace pgveil::custody
