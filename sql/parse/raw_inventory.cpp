#include "sql/parse/raw.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::parse {

void RawReader::note_reference(const ColumnReference& reference, std::uint32_t begin) {
    constexpr std::array<std::string_view, 6> kSystemColumns = {
        "cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"};
    Names relation = reference.parts;
    inventory_.has_star = inventory_.has_star || reference.star;
    if (!reference.star && !relation.empty()) {
        Names& known = inventory_.system_columns;
        const std::string& column = relation.back();
        if (std::binary_search(kSystemColumns.begin(), kSystemColumns.end(), column) &&
            std::find(known.begin(), known.end(), column) == known.end()) {
            known.push_back(column);
        }
        relation.pop_back();
    }
    if (relation.size() >= 2) {
        inventory_.references.push_back({std::move(relation), begin});
    }
}

void RawReader::note_string(const Expression& constant) {
    const std::string& text = std::get<Constant>(constant.node).text;
    const auto characters = std::count_if(text.begin(), text.end(), [](char letter) {
        return (static_cast<unsigned char>(letter) & 0xC0U) != 0x80U;
    });
    if (static_cast<std::size_t>(characters) >= Inventory::kStringMin) {
        inventory_.strings.push_back({constant.begin, std::hash<std::string_view>{}(text)});
    }
}

}  // namespace pgveil::parse
