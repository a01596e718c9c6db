#include "sql/analysis/labels.hpp"

#include "sql/schema/schema.hpp"

#include <algorithm>

namespace pgveil::analysis {

void Labels::complete(std::vector<Splice>& splices, const parse::Tokens& tokens, std::uint32_t end)
    const {
    std::vector<std::uint32_t> places;
    for (const Splice& splice : splices) {
        places.push_back(splice.begin);
    }
    std::sort(places.begin(), places.end());
    for (const Item& item : items_) {
        const std::uint32_t item_end = parse::target_end(tokens, item.begin, end);
        const auto place = std::lower_bound(places.begin(), places.end(), item.begin);
        if (place != places.end() && *place < item_end) {
            const std::string& name = item.name.empty() ? "?column?" : item.name;
            splices.push_back(
                {item_end, item_end, FixedText{" AS " + schema::quote_identifier(name)}}
            );
        }
    }
}

}  // namespace pgveil::analysis
