#include "keyshare/envelope/access_log.hpp"
#include "keyshare/envelope/file_holder.hpp"
#include "keyshare/envelope/opening.hpp"
#include "keyshare/envelope/protected_share.hpp"
#include "test/keyshare/envelope/memory.hpp"
#include "test/keyshare/user/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

namespace pgveil::envelope {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr unsigned kCheap = kScryptLogNMin;
constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::size_t kThird = 2;

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

core::SecretBytes secret(std::string_view text) {
    return core::SecretBytes::copy_of(core::as_bytes(text));
}

/// A group as `init` makes it, in directories: company and cloud, and a closed third share.
class EnvelopeHolders : public testing::Test {
protected:
    EnvelopeHolders() {
        const core::SecretBytes code = make_code(core::system_random());
        secrets_ = {secret("correct horse"), *normal_code(code.reveal())};
        closed_ = *close_share(
            founding_.members[kThird], founding_.group, secrets_, kCheap, core::system_random()
        );
        company_ = settle("company", 0);
        cloud_ = settle("cloud", 1);
    }

    std::unique_ptr<FileHolder> settle(const std::string& name, std::size_t member) {
        const Membership& own = founding_.members[member];
        Custody custody{
            name,
            founding_.group,
            *parse_membership(serialize(own).reveal(), founding_.group),
            closed_};
        EXPECT_TRUE(FileHolder::create(scratch_ / name, custody));
        return *FileHolder::open(scratch_ / name);
    }

    core::Bytes file(const Policy& policy = {}) const {
        return sealed_to(founding_.group.public_key(), core::as_bytes("the content"), policy);
    }

    std::unique_ptr<PasswordHolder> password_holder(const Secrets& secrets) const {
        auto third = open_share(closed_, founding_.group, secrets);
        return third ? std::make_unique<PasswordHolder>(founding_.group, *std::move(third))
                     : nullptr;
    }

    /// The content, or the error; what was noted on the way is in notes_.
    std::string opened(
        core::ByteView sealed,
        const std::vector<Holder*>& holders,
        const std::string& requester = "grey",
        const std::string& purpose = "open"
    ) {
        notes_.clear();
        MemorySource source(sealed);
        const auto header = read_header(source);
        const auto key = ask_holders(
            *header,
            holders,
            {requester, purpose, kNow},
            [this](const std::string& note) { notes_.push_back(note); }
        );
        if (!key) {
            return key.error().message;
        }
        MemorySink sink;
        const auto done = open_body(source, sink, *header, *key);
        return done ? std::string(core::as_text(sink.bytes())) : done.error().message;
    }

    user::Scratch scratch_;
    Founding founding_ = *found_group();
    Secrets secrets_;
    core::Bytes closed_;
    std::unique_ptr<FileHolder> company_, cloud_;
    std::vector<std::string> notes_;
};

TEST_F(EnvelopeHolders, C3_CompanyAndCloudOpen) {
    EXPECT_EQ(opened(file(), {company_.get(), cloud_.get()}), "the content");
    EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(EnvelopeHolders, C3_EachOfThemOpensWithThePassword) {
    const auto password = password_holder(secrets_);
    ASSERT_TRUE(password);
    EXPECT_EQ(opened(file(), {cloud_.get(), password.get()}), "the content");
    EXPECT_EQ(opened(file(), {company_.get(), password.get()}), "the content");
}

TEST_F(EnvelopeHolders, C10_NobodyOpensAlone) {
    const auto password = password_holder(secrets_);
    for (Holder* const alone : std::vector<Holder*>{company_.get(), cloud_.get(), password.get()}) {
        EXPECT_THAT(opened(file(), {alone}), HasSubstr("1 of 2 holders helped"));
        EXPECT_THAT(opened(file(), {alone, alone}), HasSubstr("1 of 2 holders helped"));
        EXPECT_THAT(notes_, ElementsAre(HasSubstr("it has answered already")));
    }
}

TEST_F(EnvelopeHolders, C2_TheThirdShareNeedsPasswordAndCode) {
    const core::SecretBytes other = make_code(core::system_random());
    EXPECT_TRUE(password_holder(secrets_));
    EXPECT_FALSE(password_holder({secret("wrong"), *normal_code(secrets_.code.reveal())}));
    EXPECT_FALSE(password_holder({secret("correct horse"), *normal_code(other.reveal())}));
    core::Bytes altered = closed_;
    altered.back() ^= 1U;
    EXPECT_THAT(
        open_share(altered, founding_.group, secrets_).error().message,
        HasSubstr("the password or the recovery code is wrong")
    );
    altered = closed_;
    altered[24] = 63;  // the cost
    EXPECT_THAT(
        open_share(altered, founding_.group, secrets_).error().message, HasSubstr("this version")
    );
}

TEST_F(EnvelopeHolders, C1_TheThreeSharesAreThoseOfOneKeyThatNobodyHolds) {
    for (const Membership& member : founding_.members) {
        EXPECT_TRUE(quorum::belongs_to(member.share, founding_.group));
        EXPECT_NE(*core::PublicPoint::of_scalar(member.share.scalar), founding_.group.public_key());
    }
    EXPECT_EQ(founding_.group.threshold, 2U);
    EXPECT_EQ(founding_.group.size(), 3U);
}

TEST_F(EnvelopeHolders, CodesAreReadAsPeopleTypeThem) {
    const auto read = [](std::string_view text) {
        return normal_code(core::as_bytes(text));
    };
    const auto code = read("01234-56789-ABCDE-FGHJK-MNPQRS");
    ASSERT_TRUE(code);
    EXPECT_EQ(core::as_text(code->reveal()), "0123456789ABCDEFGHJKMNPQRS");
    EXPECT_EQ(
        core::as_text(read("oI2345 6789a bcdef ghjkm npqrs")->reveal()),
        "0123456789ABCDEFGHJKMNPQRS"
    );
    EXPECT_FALSE(read("01234-56789-ABCDE-FGHJK-MNPQR"));
    EXPECT_FALSE(read("01234-56789-ABCDE-FGHJK-MNPQRST"));
    EXPECT_FALSE(read("01234-56789-ABCDE-FGHJK-MNPQR!"));
}

TEST_F(EnvelopeHolders, C9_HoldersKeepToThePolicyOfTheFile) {
    const std::vector<Holder*> both = {company_.get(), cloud_.get()};
    const core::Bytes for_grey =
        file({.who = {"grey"}, .until_s = kNow + 1, .purpose = "yearly audit"});
    EXPECT_EQ(opened(for_grey, both, "grey", "yearly audit"), "the content");
    EXPECT_THAT(opened(for_grey, both, "white", "yearly audit"), HasSubstr("0 of 2 holders"));
    EXPECT_THAT(
        notes_,
        ElementsAre(HasSubstr("company does not help"), HasSubstr("does not name \"white\""))
    );
    opened(for_grey, both, "grey", "curiosity");
    EXPECT_THAT(notes_, testing::Contains(HasSubstr("the purpose \"yearly audit\" only")));
    opened(file({.who = {}, .until_s = kNow, .purpose = ""}), both);
    EXPECT_THAT(notes_, testing::Contains(HasSubstr("a time that has passed")));
}

TEST_F(EnvelopeHolders, C9_APointFromAnotherFileIsNotAnswered) {
    const core::Bytes allowed = file();
    MemorySource source(allowed);
    const auto header = read_header(source);
    const Group elsewhere;
    const auto asked = quorum::ask(founding_.group, elsewhere.public_key, "grey", "open");
    const auto answer = company_->answer({asked->request, header->bytes}, kNow);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().message, HasSubstr("not that of the file"));
}

/// Answers with another member's share, or not at all.
class Liar final : public Holder {
public:
    Liar(const Founding& founding, std::size_t share, std::uint32_t claimed)
        : founding_(founding), share_(share), claimed_(claimed) {}

    const std::string& name() const override { return name_; }

    const quorum::Group& group() const override { return founding_.group; }

    std::uint32_t index() const override { return claimed_; }

    Result<core::Bytes> answer(const Question& question, std::int64_t /*now_s*/) override {
        const Membership& member = founding_.members[share_];
        return *quorum::answer(founding_.group, member.share, member.key, question.request);
    }

private:
    std::string name_ = "liar";
    const Founding& founding_;
    std::size_t share_;
    std::uint32_t claimed_;
};

TEST_F(EnvelopeHolders, C7_AWrongPartIsNamedAndPassedOver) {
    Liar honest(founding_, 1, 2);
    EXPECT_EQ(opened(file(), {company_.get(), &honest}), "the content");
    Liar liar(founding_, 2, 2);
    EXPECT_THAT(opened(file(), {&liar, company_.get()}), HasSubstr("without liar"));
    EXPECT_THAT(notes_, ElementsAre(HasSubstr("liar does not help: its answer is wrong")));
    EXPECT_EQ(opened(file(), {&liar, company_.get(), cloud_.get()}), "the content");
}

TEST_F(EnvelopeHolders, C7_ARehearsalProvesThePartsWithoutOpening) {
    const core::Bytes sealed = file({.who = {}, .until_s = kNow + 1, .purpose = "recover"});
    MemorySource source(sealed);
    const auto header = read_header(source);
    Liar honest(founding_, 1, 2);
    Liar liar(founding_, 2, 2);
    const auto tried = [&](const std::vector<Holder*>& holders) {
        return rehearse(*header, holders, {"grey", "recover", kNow});
    };
    EXPECT_TRUE(tried({company_.get(), &honest})->would_open());
    const auto lied = tried({company_.get(), &liar});
    EXPECT_FALSE(lied->would_open());
    EXPECT_EQ(lied->holders[0].problem, "");
    EXPECT_THAT(lied->holders[1].problem, HasSubstr("its answer is wrong"));
    EXPECT_FALSE(tried({company_.get(), company_.get()})->would_open());
    EXPECT_TRUE(tried({&liar, company_.get(), cloud_.get()})->would_open());
    const std::vector<Holder*> both = {company_.get(), cloud_.get()};
    const auto late = rehearse(*header, both, {"grey", "recover", kNow + 1});
    EXPECT_THAT(late.error().message, HasSubstr("a time that has passed"));
    // What was asked is in the log, and the file is not.
    const auto log = company_->log().verified();
    EXPECT_THAT(*log, HasSubstr("\tverify\t"));
    EXPECT_THAT(*log, Not(HasSubstr(core::to_hex(core::sha256(header->bytes)))));
}

TEST_F(EnvelopeHolders, C9_EveryAccessIsInTheLogOfBothHolders) {
    opened(file(), {company_.get(), cloud_.get()}, "grey");
    opened(file({.who = {"white"}, .until_s = 0, .purpose = ""}), {company_.get()}, "grey");
    const auto company = company_->log().verified();
    ASSERT_TRUE(company);
    EXPECT_EQ(std::ranges::count(*company, '\n'), 2);
    EXPECT_THAT(*company, HasSubstr("\tgrey\topen\t"));
    EXPECT_THAT(*company, HasSubstr("\tanswered\t"));
    EXPECT_THAT(*company, HasSubstr("\trefused: its policy does not name \"grey\"\t"));
    const auto cloud = cloud_->log().verified();
    ASSERT_TRUE(cloud);
    EXPECT_EQ(std::ranges::count(*cloud, '\n'), 1);
    const std::string request = company->substr(11, 32);
    EXPECT_EQ(cloud->substr(11, 32), request);
}

TEST_F(EnvelopeHolders, C9_AnAlteredLogIsFoundWhereItWasAltered) {
    for (int times = 0; times < 4; ++times) {
        opened(file(), {company_.get()}, "grey");
    }
    const std::string path = scratch_ / "company/log";
    const std::string sound = text_of(path);
    const auto complaint = [&](const std::string& text) {
        std::ofstream(path, std::ios::trunc) << text;
        const auto log = company_->log().verified();
        return log ? std::string() : log.error().message;
    };
    const std::size_t line = sound.size() / 4;
    EXPECT_EQ(complaint(sound), "");
    std::string renamed = sound;
    renamed.replace(renamed.find("grey", line), 4, "gray");
    EXPECT_THAT(complaint(renamed), HasSubstr("line 2:"));
    EXPECT_THAT(complaint(sound.substr(0, line) + sound.substr(2 * line)), HasSubstr("line 2:"));
    EXPECT_THAT(complaint(sound.substr(line)), HasSubstr("line 1:"));
    EXPECT_THAT(
        complaint(sound.substr(0, line) + sound.substr(2 * line, line) + sound.substr(line, line)),
        HasSubstr("line 2:")
    );
    EXPECT_THAT(complaint(sound.substr(0, sound.size() - 5)), HasSubstr("line 4:"));
    // A line that a crash cut short is dropped before the next is added.
    opened(file(), {company_.get()}, "grey");
    EXPECT_TRUE(company_->log().verified());
}

TEST_F(EnvelopeHolders, WithoutALogThereIsNoAnswer) {
    std::filesystem::create_directory(scratch_ / "company/log");
    EXPECT_THAT(opened(file(), {company_.get(), cloud_.get()}), HasSubstr("without company"));
}

/// What a renewal makes for one holder.
Custody next_of(const FileHolder& holder, const Founding& renewed) {
    const Membership& own = renewed.members[holder.index() - 1];
    return {
        holder.name(),
        renewed.group,
        *parse_membership(serialize(own).reveal(), renewed.group),
        {}};
}

TEST_F(EnvelopeHolders, C3_CompanyAndCloudMakeTheThirdShareAnew) {
    const core::Bytes sealed = file();
    const std::vector<const Membership*> present = {
        &company_->custody().own, &cloud_->custody().own};
    const auto renewed = renew_group(founding_.group, present);
    ASSERT_TRUE(renewed);
    EXPECT_EQ(renewed->group.public_key(), founding_.group.public_key());

    ASSERT_TRUE(company_->prepare(next_of(*company_, *renewed)));
    ASSERT_TRUE(cloud_->prepare(next_of(*cloud_, *renewed)));
    EXPECT_EQ(opened(sealed, {company_.get(), cloud_.get()}), "the content");  // not yet in force
    ASSERT_TRUE(company_->switch_over());
    // A crash here: one is at the next epoch, the other catches up.
    EXPECT_THAT(opened(sealed, {company_.get(), cloud_.get()}), HasSubstr("1 of 2"));
    auto behind = *FileHolder::open(scratch_ / "cloud");
    ASSERT_TRUE(behind->catch_up_with(company_->group()));
    EXPECT_EQ(opened(sealed, {company_.get(), behind.get()}), "the content");

    // The old third share is worth nothing any more; the new one opens.
    const auto old = password_holder(secrets_);
    EXPECT_THAT(opened(sealed, {company_.get(), old.get()}), HasSubstr("1 of 2"));
    PasswordHolder third(
        renewed->group,
        *parse_membership(serialize(renewed->members[kThird]).reveal(), renewed->group)
    );
    EXPECT_EQ(opened(sealed, {company_.get(), &third}), "the content");
}

TEST_F(EnvelopeHolders, AHolderOfAnotherGroupIsNoHelp) {
    founding_ = *found_group();
    const core::Bytes sealed = file();
    EXPECT_THAT(
        opened(sealed, {company_.get(), cloud_.get()}),
        HasSubstr("a group that none of these holders is in")
    );
}

TEST_F(EnvelopeHolders, AShareOpenToOthersIsNotUsed) {
    std::filesystem::permissions(
        scratch_ / "company/holder",
        std::filesystem::perms::group_read,
        std::filesystem::perm_options::add
    );
    EXPECT_THAT(
        FileHolder::open(scratch_ / "company").error().message, HasSubstr("open to group or others")
    );
}

}  // namespace
}  // namespace pgveil::envelope
