#include "keyshare/tenant/key_options.hpp"

#include <CLI/CLI.hpp>
#include <string>

namespace pgveil::tenant {

namespace {

using RunKey = Result<void> (*)(const Context&, const KeyArguments&);

/// One subcommand after the other, with the options that several of them have.
class KeyCommands {
public:
    KeyCommands(CLI::App& keys, KeyArguments& to, Action& action)
        : keys_(&keys), to_(&to), action_(&action) {}

    CLI::App& add(const std::string& name, const std::string& what, RunKey run) {
        CLI::App* command = keys_->add_subcommand(name, what);
        command->callback([to = to_, action = action_, run] {
            *action = [to, run](const Context& context) {
                return run(context, *to);
            };
        });
        return *command;
    }

    void label(CLI::App& command) {
        command.add_option("label", to_->label, "The key's label")->required();
    }

    void dictionary(CLI::App& command) {
        command
            .add_option(
                "--dictionary",
                to_->dictionary,
                "The database that has pgveil_keys, behind a proxy; shares from PGOPTIONS"
            )
            ->required()
            ->type_name("URL");
    }

    void tpm(CLI::App& command) {
        command.add_option("--tpm", to_->tpm, "The TPM, as tss2-tctildr names it")
            ->capture_default_str();
    }

    void attestation(CLI::App& command, const std::string& what) {
        command.add_option("--attestation", to_->attestation, what)->type_name("FINGERPRINT");
    }

    void reason(CLI::App& command) {
        command.add_option("--reason", to_->reason, "Why, for people");
    }

    KeyArguments& to() { return *to_; }

private:
    CLI::App* keys_;
    KeyArguments* to_;
    Action* action_;
};

constexpr const char* kOfTheTpm = "Of the TPM that it must be; without: the pinned one";

void add_key_order(KeyCommands& keys) {
    CLI::App& order =
        keys.add("order", "Let the TPM make a key: prints its public point", order_key);
    keys.label(order);
    keys.dictionary(order);
    keys.tpm(order);
    keys.attestation(order, kOfTheTpm);
    KeyArguments& to = keys.to();
    order.add_option("--kind", to.kind, "nmk: stays in its TPM; mk: moves; cmk: moves by leave")
        ->check(CLI::IsMember({"nmk", "mk", "cmk"}))
        ->capture_default_str();
    order.add_option("--use", to.use, "What for")
        ->check(CLI::IsMember({"signing", "encryption"}))
        ->capture_default_str();
    order.add_option("--owner", to.owner, "Whose key it is")->required();
    order.add_option("--purpose", to.purpose, "What it is for")->required();
    order.add_option("--from", to.from, "First day, UTC; without: now")->type_name("YYYY-MM-DD");
    order.add_option("--until", to.until, "The day on which it is over, UTC")
        ->required()
        ->type_name("YYYY-MM-DD");
    order.add_option("--authority", to.authority, "Of a cmk: who gives leave")->type_name("POINT");
}

void add_views(KeyCommands& keys) {
    CLI::App& list = keys.add("list", "Label, kind, use, state, end and owner of keys", list_keys);
    keys.dictionary(list);
    auto* owner = list.add_option("--owner", keys.to().owner, "Of this owner only");
    list.add_option("--expiring-before", keys.to().expiring, "Those over before this day, UTC")
        ->type_name("YYYY-MM-DD")
        ->excludes(owner);
    CLI::App& show = keys.add("show", "Everything known of a key", show_key);
    keys.label(show);
    keys.dictionary(show);
}

void add_states(KeyCommands& keys) {
    CLI::App& suspend = keys.add("suspend", "Use a key for nothing new, for a while", suspend_key);
    CLI::App& resume = keys.add("resume", "End that", resume_key);
    CLI::App& revoke = keys.add("revoke", "Use a key for nothing new, ever again", revoke_key);
    revoke.add_flag("--compromised", keys.to().is_compromised, "Because somebody else may have it");
    CLI::App& destroy = keys.add("destroy", "Remove what a TPM needs to load a key", destroy_key);
    for (CLI::App* command : {&suspend, &resume, &revoke, &destroy}) {
        keys.label(*command);
        keys.dictionary(*command);
        keys.reason(*command);
    }
}

void add_certificates(KeyCommands& keys) {
    CLI::App& certify = keys.add("certify", "Print the TPM's word that it has a key", certify_key);
    keys.label(certify);
    keys.dictionary(certify);
    keys.tpm(certify);
    CLI::App& verify = keys.add("verify", "Judge what certify has printed", verify_key);
    verify.add_option("file", keys.to().file, "It")->required();
    keys.attestation(verify, kOfTheTpm);
    for (CLI::App* command : {&certify, &verify}) {
        command->add_option("--nonce", keys.to().nonce, "What the answer must be to")
            ->type_name("HEX");
    }
    CLI::App& sign = keys.add("sign", "Sign a file in the TPM, and print r and s", sign_with_key);
    keys.label(sign);
    sign.add_option("file", keys.to().file, "The file")->required();
    keys.dictionary(sign);
    keys.tpm(sign);
}

void add_messages(KeyCommands& keys) {
    CLI::App& encrypt =
        keys.add("encrypt", "Print a secret file, encrypted to a key", encrypt_to_key);
    keys.label(encrypt);
    encrypt.add_option("file", keys.to().file, "The file, up to 16 KiB (0600)")->required();
    keys.dictionary(encrypt);
    CLI::App& decrypt = keys.add(
        "decrypt", "Print what was encrypted to a key, by means of its TPM", decrypt_with_key
    );
    keys.label(decrypt);
    decrypt.add_option("file", keys.to().file, "What encrypt has printed")->required();
    keys.dictionary(decrypt);
    keys.tpm(decrypt);
}

void add_moves(KeyCommands& keys) {
    CLI::App& target = keys.add("target", "Print where keys can go: this TPM", show_key_target);
    keys.tpm(target);
    CLI::App& allow = keys.add(
        "allow", "As authority: print the line that lets keys go to a target", allow_key_target
    );
    allow.add_option("file", keys.to().file, "The target")->required();
    allow.add_option("--tenant", keys.to().tenant, "Whose keys; without: this home's");
    keys.attestation(allow, "Of the TPM that the target must be");
    CLI::App& moved = keys.add("export", "Print a key, encrypted for a target", export_key);
    keys.label(moved);
    keys.dictionary(moved);
    keys.tpm(moved);
    keys.attestation(moved, "Of the TPM that the target must be");
    moved.add_option("--to", keys.to().target, "The target")->required()->type_name("FILE");
    moved.add_option("--permit", keys.to().permit, "Of a cmk: what its authority printed")
        ->type_name("FILE");
    CLI::App& import = keys.add("import", "Take an exported key into this TPM", import_key);
    import.add_option("file", keys.to().file, "What export has printed")->required();
    keys.dictionary(import);
    keys.tpm(import);
    keys.attestation(import, kOfTheTpm);
}

}  // namespace

void add_key_commands(CLI::App& app, KeyArguments& to, Action& action) {
    CLI::App* command =
        app.add_subcommand("key", "Keys that a TPM makes for customers")->require_subcommand(1);
    KeyCommands keys(*command, to, action);
    add_key_order(keys);
    add_views(keys);
    add_states(keys);
    add_certificates(keys);
    add_messages(keys);
    add_moves(keys);
}

}  // namespace pgveil::tenant
