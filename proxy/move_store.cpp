#include "proxy/move_store.hpp"

#include "keyshare/store/store_move.hpp"
#include "proxy/custody_options.hpp"
#include "proxy/seal_choice.hpp"
#include "proxy/start.hpp"

#include <iostream>

namespace pgveil::proxy {

namespace {

/// Why these two do not name one proxy with its store in two places; empty: they do.
std::string mismatch(const config::Settings& from, const config::Settings& to) {
    if (from.tenant != to.tenant) {
        return "the two settings files name two tenants";
    }
    if (from.seal_path != to.seal_path) {
        return "both settings files must name the same seal: " + from.seal_path + " and " +
               to.seal_path + " are two";
    }
    const store::StorePlace old_place = store_place(from);
    const store::StorePlace new_place = store_place(to);
    return old_place.postgresql.has_value() == new_place.postgresql.has_value()
               ? "a share store moves from SQLite into PostgreSQL, or back: both settings files "
                 "name the same kind of store"
               : std::string();
}

}  // namespace

int move_store(const std::string& settings_file, const std::string& from_file) {
    const auto to = start(settings_file);
    if (!to) {
        return kExitConfiguration;
    }
    const auto from = config::load_settings(from_file);
    if (!from.has_value()) {
        return refuse_to_start(from.error().message);
    }
    if (const std::string why = mismatch(*from, *to); !why.empty()) {
        return refuse_to_start(why);
    }
    const auto seal = make_seal(*to);
    if (!seal.has_value()) {
        return refuse_to_start(seal.error().message);
    }
    const store::StorePlace former = store_place(*from);
    const store::StorePlace place = store_place(*to);
    const auto moved = store::move_store(former, place, to->tenant, **seal);
    if (!moved.has_value()) {
        return refuse_to_start(moved.error().message);
    }
    std::cout << (moved->was_done ? "moved before" : "moved") << ": tenant " << moved->tenant
              << ", version " << moved->version << "; before " << former.text() << ", now "
              << place.text() << "\nThe old store serves nobody any more. Start pgveil with "
              << settings_file << ": it renews the store key, and what is left of the old store "
              << "opens no more. Then remove it.\n";
    return 0;
}

}  // namespace pgveil::proxy
