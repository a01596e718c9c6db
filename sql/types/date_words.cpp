#include "sql/types/date_words.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace pgveil::types {

namespace {

constexpr std::int32_t kSecondsPerHour = 3600;

struct Entry {
    std::string_view text;
    Word word;
};

constexpr std::array kWords = {
    Entry{"jan", {WordKind::kMonth, 1}},
    Entry{"january", {WordKind::kMonth, 1}},
    Entry{"feb", {WordKind::kMonth, 2}},
    Entry{"february", {WordKind::kMonth, 2}},
    Entry{"mar", {WordKind::kMonth, 3}},
    Entry{"march", {WordKind::kMonth, 3}},
    Entry{"apr", {WordKind::kMonth, 4}},
    Entry{"april", {WordKind::kMonth, 4}},
    Entry{"may", {WordKind::kMonth, 5}},
    Entry{"jun", {WordKind::kMonth, 6}},
    Entry{"june", {WordKind::kMonth, 6}},
    Entry{"jul", {WordKind::kMonth, 7}},
    Entry{"july", {WordKind::kMonth, 7}},
    Entry{"aug", {WordKind::kMonth, 8}},
    Entry{"august", {WordKind::kMonth, 8}},
    Entry{"sep", {WordKind::kMonth, 9}},
    Entry{"sept", {WordKind::kMonth, 9}},
    Entry{"september", {WordKind::kMonth, 9}},
    Entry{"oct", {WordKind::kMonth, 10}},
    Entry{"october", {WordKind::kMonth, 10}},
    Entry{"nov", {WordKind::kMonth, 11}},
    Entry{"november", {WordKind::kMonth, 11}},
    Entry{"dec", {WordKind::kMonth, 12}},
    Entry{"december", {WordKind::kMonth, 12}},
    Entry{"sun", {WordKind::kWeekday, 0}},
    Entry{"sunday", {WordKind::kWeekday, 0}},
    Entry{"mon", {WordKind::kWeekday, 1}},
    Entry{"monday", {WordKind::kWeekday, 1}},
    Entry{"tue", {WordKind::kWeekday, 2}},
    Entry{"tues", {WordKind::kWeekday, 2}},
    Entry{"tuesday", {WordKind::kWeekday, 2}},
    Entry{"wed", {WordKind::kWeekday, 3}},
    Entry{"weds", {WordKind::kWeekday, 3}},
    Entry{"wednesday", {WordKind::kWeekday, 3}},
    Entry{"thu", {WordKind::kWeekday, 4}},
    Entry{"thur", {WordKind::kWeekday, 4}},
    Entry{"thurs", {WordKind::kWeekday, 4}},
    Entry{"thursday", {WordKind::kWeekday, 4}},
    Entry{"fri", {WordKind::kWeekday, 5}},
    Entry{"friday", {WordKind::kWeekday, 5}},
    Entry{"sat", {WordKind::kWeekday, 6}},
    Entry{"saturday", {WordKind::kWeekday, 6}},
    Entry{"ad", {WordKind::kEra, 0}},
    Entry{"am", {WordKind::kMeridiem, 0}},
    Entry{"at", {WordKind::kIgnored, 0}},
    Entry{"bc", {WordKind::kEra, 1}},
    Entry{"on", {WordKind::kIgnored, 0}},
    Entry{"pm", {WordKind::kMeridiem, 1}},
    Entry{"t", {WordKind::kTimePrefix, 0}},
    Entry{"epoch", {WordKind::kEpoch, 0}},
    Entry{"infinity", {WordKind::kInfinity, 0}},
    Entry{"-infinity", {WordKind::kMinusInfinity, 0}},
    Entry{"now", {WordKind::kClock, 0}},
    Entry{"today", {WordKind::kClock, 0}},
    Entry{"tomorrow", {WordKind::kClock, 0}},
    Entry{"yesterday", {WordKind::kClock, 0}},
    Entry{"allballs", {WordKind::kNotRead, 0}},
    Entry{"d", {WordKind::kNotRead, 0}},
    Entry{"dow", {WordKind::kNotRead, 0}},
    Entry{"doy", {WordKind::kNotRead, 0}},
    Entry{"dst", {WordKind::kNotRead, 0}},
    Entry{"h", {WordKind::kNotRead, 0}},
    Entry{"isodow", {WordKind::kNotRead, 0}},
    Entry{"isoyear", {WordKind::kNotRead, 0}},
    Entry{"j", {WordKind::kNotRead, 0}},
    Entry{"jd", {WordKind::kNotRead, 0}},
    Entry{"julian", {WordKind::kNotRead, 0}},
    Entry{"m", {WordKind::kNotRead, 0}},
    Entry{"mm", {WordKind::kNotRead, 0}},
    Entry{"s", {WordKind::kNotRead, 0}},
    Entry{"y", {WordKind::kNotRead, 0}},
};

struct FixedZone {
    std::string_view text;
    std::int32_t hours_east;
};

constexpr std::array kFixedZones = {
    FixedZone{"utc", 0},   FixedZone{"uct", 0},   FixedZone{"gmt", 0},   FixedZone{"ut", 0},
    FixedZone{"z", 0},     FixedZone{"zulu", 0},  FixedZone{"wet", 0},   FixedZone{"bst", 1},
    FixedZone{"cet", 1},   FixedZone{"met", 1},   FixedZone{"mez", 1},   FixedZone{"cest", 2},
    FixedZone{"mest", 2},  FixedZone{"mesz", 2},  FixedZone{"eet", 2},   FixedZone{"eest", 3},
    FixedZone{"edt", -4},  FixedZone{"cdt", -5},  FixedZone{"mdt", -6},  FixedZone{"pdt", -7},
    FixedZone{"mst", -7},  FixedZone{"pst", -8},  FixedZone{"akdt", -8}, FixedZone{"akst", -9},
    FixedZone{"hst", -10}, FixedZone{"jst", 9},   FixedZone{"kst", 9},   FixedZone{"hkt", 8},
    FixedZone{"awst", 8},  FixedZone{"aest", 10}, FixedZone{"aedt", 11}, FixedZone{"nzst", 12},
    FixedZone{"nzdt", 13},
};

// The other abbreviations of PostgreSQL's timezonesets: they differ between the sets, are of one
// place and changed over time, or are not switched on by default. Australia's SAT is left out: in
// the default set the word is the weekday.
// clang-format off
constexpr std::string_view kOtherAbbreviations =
    " acdt acsst acst act acwst adt aesst aft almst almt amst amt anast anat aqtst aqtt "
    "arst art ast awsst azost azot azst azt bdst bdt bnt bort bot bra brst brt btt cadt "
    "cast cat cct cetdst chadt chast chost chot chst chut cit ckt clst clt cot cst cvt "
    "cwst cxt davt ddut easst east eat ect eetdst egst egt eit est fet fjst fjt fkst fkt "
    "fnst fnt galt gamt gest get gft gilt gst gyt hadt hast hdt hovst hovt ict idt iot "
    "irdt irkst irkt irst irt ist jayt kdt kgst kgt kost krast krat lhdt lhst ligt lint "
    "lkt magst magt mart mawt metdst mht mist mmt mpt msd msk must mut mvt myt nct ndt nft "
    "novst novt npt nrt nst nut nzt omsst omst orat pet petst pett pgt phot pht pkst pkt "
    "pmdt pmst pont pwt pyst pyt qyzt ret rott sadt sakst sakt samst samt sast sbt sct "
    "sgt sret srt sst syot taht tft tjt tkt tlt tmt tot trut tvt ulast ulat uyst uyt uzst "
    "uzt vet vlast vlat volt vost vut wadt wakt wast wat wdt west wetdst wft wgst wgt wib "
    "wit wita wsdt wsst wst xjt yakst yakt yapt yekst yekt ";
// clang-format on

}  // namespace

std::optional<Word> find_word(std::string_view word) {
    const auto* const found = std::find_if(
        kWords.begin(), kWords.end(), [word](const Entry& entry) { return entry.text == word; }
    );
    return found == kWords.end() ? std::nullopt : std::optional(found->word);
}

bool is_keyword(std::string_view word) {
    return find_word(word).has_value();
}

std::optional<Abbreviation> find_abbreviation(std::string_view word) {
    for (const FixedZone& zone : kFixedZones) {
        if (zone.text == word) {
            return Abbreviation{zone.hours_east * kSecondsPerHour};
        }
    }
    const std::string bounded = " " + std::string(word) + " ";
    if (kOtherAbbreviations.find(bounded) != std::string_view::npos) {
        return Abbreviation{std::nullopt};
    }
    return std::nullopt;
}

}  // namespace pgveil::types
