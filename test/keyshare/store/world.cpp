#include "test/keyshare/store/world.hpp"

#include <cstdlib>

namespace pgveil::store::test {

void World::SetUp() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pgveil-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    const auto ordered = ProxyCustody::order(options(), *seal(), {}, kNow);
    ASSERT_TRUE(ordered.has_value()) << ordered.error().message;
    restart();
    auto run = *share::TenantBootstrap::begin("acme", {"default", "medical"}, identity_);
    bootstrap(run);
    ASSERT_TRUE(run.done());
    enrolment_ = run.take_enrolment();
    read_zero();
}

void World::TearDown() {
    custody_.reset();
    std::filesystem::remove_all(folder_);
}

CustodyOptions World::options(std::string tenant) const {
    return {folder_ / "store.db", std::move(tenant), limits_, opening_};
}

std::unique_ptr<seal::Seal> World::seal(const char* name) const {
    auto file = std::make_unique<seal::FileSeal>(folder_ / name);
    EXPECT_TRUE(file->create_if_missing(core::system_random()).has_value());
    return file;
}

void World::restart() {
    custody_.reset();
    auto opened = ProxyCustody::open(options(), seal());
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    custody_ = *std::move(opened);
}

void World::read_zero() {
    const auto verdict = custody_->check_zero_from_database(custody_->mirror_rows());
    ASSERT_TRUE(verdict.has_value());
    ASSERT_TRUE(verdict->accepted) << verdict->reason;
}

void World::bootstrap(share::TenantBootstrap& run) {
    while (!run.done()) {
        const auto reply = custody_->bootstrap_call(run.step(), run.request(), kNow);
        ASSERT_TRUE(reply.has_value()) << reply.error().message;
        const auto accepted = run.accept(*reply, identity_, core::system_random());
        ASSERT_TRUE(accepted.has_value()) << accepted.error().message;
    }
}

Holdings World::make_user(
    std::string_view user_id, std::uint32_t epoch, const std::vector<std::string>& groups
) {
    const auto shares =
        share::make_user(*enrolment_, user_id, groups, epoch, core::system_random());
    EXPECT_TRUE(shares.has_value());
    auto command = share::make_add_user(*enrolment_, identity_, *shares, {kNow, kNow + 600});
    EXPECT_TRUE(command.has_value());
    return {
        share::user_key_of(*shares, *enrolment_),
        share::app_share_of(*shares, *enrolment_),
        *std::move(command)};
}

Holdings World::add_user(std::string_view user_id) {
    Holdings holdings = make_user(user_id);
    const core::SecretBytes app = app_text(holdings);
    const auto receipt = custody_->add_user(user_id, &app, holdings.command, kNow);
    EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
    EXPECT_TRUE(share::absorb(*enrolment_, receipt_of(*receipt)).has_value());
    return holdings;
}

Holdings World::make_change(
    std::string_view user_id, std::uint32_t epoch, const std::vector<std::string>& groups
) {
    const auto shares =
        share::make_user(*enrolment_, user_id, groups, epoch, core::system_random());
    EXPECT_TRUE(shares.has_value());
    auto command = share::make_change_key(*enrolment_, identity_, *shares, {kNow, kNow + 600});
    EXPECT_TRUE(command.has_value());
    return {
        share::user_key_of(*shares, *enrolment_),
        share::app_share_of(*shares, *enrolment_),
        *std::move(command)};
}

Holdings World::change_key(std::string_view user_id) {
    Holdings holdings = make_change(user_id, 2);
    const core::SecretBytes app = app_text(holdings);
    const auto receipt = custody_->change_key(user_id, &app, holdings.command, kNow);
    EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
    EXPECT_EQ(receipt_of(*receipt).outcome, share::Outcome::kApplied);
    EXPECT_TRUE(share::absorb(*enrolment_, receipt_of(*receipt)).has_value());
    return holdings;
}

Holdings World::make_renewal(const Holdings& held, std::uint32_t epoch, std::int64_t until_s) {
    const auto shares = share::renew_user(*enrolment_, held.user_key, epoch, core::system_random());
    EXPECT_TRUE(shares.has_value());
    auto command = share::make_renew_shares(*enrolment_, identity_, *shares, {kNow, until_s});
    EXPECT_TRUE(command.has_value());
    return {
        share::user_key_of(*shares, *enrolment_),
        share::app_share_of(*shares, *enrolment_),
        *std::move(command)};
}

Holdings World::renew_shares(const Holdings& held, std::uint32_t epoch) {
    Holdings holdings = make_renewal(held, epoch);
    const auto receipt = custody_->apply(holdings.command, kNow);
    EXPECT_TRUE(receipt.has_value()) << receipt.error().message;
    EXPECT_EQ(receipt_of(*receipt).outcome, share::Outcome::kApplied);
    EXPECT_TRUE(share::absorb(*enrolment_, receipt_of(*receipt)).has_value());
    return holdings;
}

TkRenewal World::make_tk_renewal(
    std::string_view group, const std::vector<const Holdings*>& users, std::uint32_t epoch
) {
    auto key = share::next_key(*enrolment_, group, core::system_random());
    EXPECT_TRUE(key.has_value());
    TkRenewal renewal{*std::move(key), {}, {}};
    std::vector<share::RenewedUser> renewed;
    for (const Holdings* held : users) {
        const auto shares = share::renew_user(
            *enrolment_, renewal.key, held->user_key, epoch, core::system_random()
        );
        EXPECT_TRUE(shares.has_value());
        renewed.push_back(share::renewed_user(*enrolment_, *shares));
        renewal.users.push_back(
            {share::user_key_of(*shares, *enrolment_),
             share::app_share_of(*shares, *enrolment_),
             {}}
        );
    }
    auto command = share::make_renew_tk(
        *enrolment_,
        identity_,
        renewal.key,
        std::move(renewed),
        {kNow, kNow + 600},
        core::system_random()
    );
    EXPECT_TRUE(command.has_value());
    renewal.command = *std::move(command);
    return renewal;
}

std::string World::withdraw(std::string_view user_id) {
    auto command = share::make_withdraw_user(*enrolment_, identity_, user_id, kNow);
    EXPECT_TRUE(command.has_value());
    return *std::move(command);
}

share::Receipt World::receipt_of(std::string_view jws) const {
    auto receipt = share::verify_receipt(
        jws, core::VerifyingKey(enrolment_->proxy_identity), enrolment_->tenant
    );
    EXPECT_TRUE(receipt.has_value());
    return *std::move(receipt);
}

share::TokenPublicKey World::token_key(std::int64_t now_s) {
    const auto jws = custody_->token_key_statement(now_s);
    EXPECT_TRUE(jws.has_value());
    const auto statement = share::verify_statement(
        *jws, core::VerifyingKey(enrolment_->proxy_identity), enrolment_->tenant, now_s
    );
    EXPECT_TRUE(statement.has_value());
    return statement->key;
}

core::SecretBytes World::token(const Holdings& holdings, share::TokenTimes times) {
    auto made =
        share::make_token(holdings.user_key, token_key(times.now_s), times, core::system_random());
    EXPECT_TRUE(made.has_value());
    return *std::move(made);
}

share::Verdict<share::RequestKeys> World::rebuild(const Attempt& attempt, OpenedTokens::Slot& slot)
    const {
    return custody_->rebuild(
        {attempt.user_id,
         attempt.login,
         attempt.token,
         attempt.app_share,
         attempt.may_finish,
         attempt.challenges,
         attempt.channel},
        attempt.now_s,
        slot
    );
}

share::Verdict<share::RequestKeys> World::rebuild(const Attempt& attempt) const {
    OpenedTokens::Slot slot;
    return rebuild(attempt, slot);
}

share::DenialKind World::denial_of(const Attempt& attempt) const {
    const auto verdict = rebuild(attempt);
    if (verdict.has_value()) {
        ADD_FAILURE() << "keys were given";
        return share::DenialKind::kNotBootstrapped;
    }
    EXPECT_FALSE(verdict.error().message.empty());
    return verdict.error().kind;
}

bool World::works(const Holdings& holdings) {
    const core::SecretBytes fresh = token(holdings);
    const core::SecretBytes app = app_text(holdings);
    return rebuild({holdings.user_key.user_id, &fresh, &app}).has_value();
}

}  // namespace pgveil::store::test
