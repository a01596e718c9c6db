#pragma once

#include "keyshare/envelope/named_holders.hpp"
#include "keyshare/tenant/home_file.hpp"
#include "keyshare/user/passphrase.hpp"
#include "keyshare/user/terminal.hpp"

#include <string>
#include <vector>

/// The subcommands of pgveil-tenant: from arguments to files, calls and words for people. Results
/// go to standard output, everything else to standard error (keyshare/user/terminal.hpp).
namespace pgveil::tenant {

/// What every subcommand needs.
struct Context {
    user::Console console;
    std::string home;
    user::SecretSource passphrase;
};

struct BootstrapArguments {
    std::string url;
    user::SecretSource one_time_password;
    std::string tenant = "default";
    bool tenant_given = false;
    std::vector<std::string> groups = {"default"};
    unsigned scrypt_log_n = kScryptLogN;
};

Result<void> bootstrap(const Context& context, const BootstrapArguments& arguments);

/// Makes a home before there is a proxy: its keys are made, and the bootstrap begins there.
Result<void> init_home(const Context& context, const BootstrapArguments& arguments);

/// What approve needs: what `pgveil measure` printed, and files that must be the measured ones.
struct ApprovalArguments {
    std::string file;
    std::string binary;  ///< empty: not compared; so the next two
    std::string settings;
    std::string policy;
};

/// Prints the key that a proxy's settings name as seal.tpm.approver.
Result<void> show_approver(const Context& context);
/// Prints the line that lets a proxy's TPM release its store key in the state of the measurement.
Result<void> approve(const Context& context, const ApprovalArguments& arguments);

/// What attest needs: the keys of a TPM, or the evidence that `pgveil attest` printed.
struct AttestArguments {
    std::string file;
    std::string endorsement;  ///< fingerprint; empty: the pinned one
    std::string ek_roots;     ///< file: makers whose certificates of endorsement keys are believed
    std::string identity;     ///< of the proxy, before the bootstrap
};

/// Pins the TPM and prints a challenge for it. From now on bootstrap, renew-shares and renew-tk ask
/// for evidence.
Result<void> ask_for_evidence(const Context& context, const AttestArguments& arguments);
/// Judges the answer.
Result<void> verify_evidence(const Context& context, const AttestArguments& arguments);

/// What every subcommand shares that writes UID.user: whose, where to, under which passphrase.
struct HandoutArguments {
    std::string user_id;
    std::string list;                               ///< of import: the file with the user ids
    std::vector<std::string> groups = {"default"};  ///< of add and import
    std::string group;                              ///< of grant and revoke
    std::string out;
    std::string url;  ///< of --apply, or empty
    user::SecretSource user_passphrase;
    bool has_passphrase = true;
    unsigned valid_days = 7;
};

/// What adopt needs, in addition: the fresh proxy, and its one-time password.
struct AdoptionArguments {
    std::string url;
    user::SecretSource one_time_password;
    HandoutArguments handout;  ///< its user_id, list and groups are not used
};

/// Takes over a fresh proxy in the place of one that was lost: new files for everybody, TK and TKu
/// stay. Asked again after it was cut short, it goes on.
Result<void> adopt_proxy(const Context& context, const AdoptionArguments& arguments);

Result<void> user_add(const Context& context, const HandoutArguments& arguments);
/// As add, for every user of a list: all of them are ordered, or none. Asked again before the
/// receipts came, it hands out the same shares.
Result<void> user_import(const Context& context, const HandoutArguments& arguments);
Result<void> user_change_key(const Context& context, const HandoutArguments& arguments);
/// New shares of a user with one key group more, or one less; the old ones are forgotten.
Result<void> group_grant(const Context& context, const HandoutArguments& arguments);
Result<void> group_revoke(const Context& context, const HandoutArguments& arguments);
/// Writes the kept key of a user again. No command: nothing changes at the proxy.
Result<void> user_copy(const Context& context, const HandoutArguments& arguments);

/// What renew-shares needs: where the applications' shares and the calls go.
struct RenewalArguments {
    std::string out;
    std::string url;  ///< of --apply, or empty
    unsigned valid_days = 7;
};

/// New TKa and TKp for every active user. Asked again before the receipts came, it hands out the
/// same shares.
Result<void> renew_shares_of_all(const Context& context, const RenewalArguments& arguments);

/// What renew-tk needs, in addition.
struct TkRenewalArguments {
    std::string group = "default";
    RenewalArguments renewal;
};

/// Another TK for a key group, and new TKa and TKp for everybody who has it. Asked again before the
/// receipt came, it hands out the same shares.
Result<void> renew_tk_of_group(const Context& context, const TkRenewalArguments& arguments);

/// Where commands go: a directory, the proxy, or both.
struct Delivery {
    std::string out;
    std::string url;
};

Result<void> user_withdraw(
    const Context& context, const std::string& user_id, const Delivery& delivery
);

/// What group create and data-key need: the name, and where the call goes.
struct GroupArguments {
    std::string name = "default";
    Delivery delivery;
    unsigned valid_days = 7;
};

/// Makes a key group. Asked again before the receipt came, it sends the same command.
Result<void> group_create(const Context& context, const GroupArguments& arguments);
/// Makes the next data key of a key group. Asked again before the receipt came, it sends the same
/// command.
Result<void> data_key_new(const Context& context, const GroupArguments& arguments);
/// Makes the next data key the only one, after the report of `pgveil rotate-data` that no value is
/// left under another.
Result<void> data_key_retire(
    const Context& context, const GroupArguments& arguments, const std::string& report_file
);
/// Name, state, key id and number of users of each key group.
Result<void> group_list(const Context& context);

Result<void> pending_commands(const Context& context, const Delivery& delivery);

/// What backup and restore need: the file, and its passphrase where it is not the home's.
struct BackupArguments {
    std::string file;
    user::SecretSource passphrase;
    bool has_passphrase = false;
    unsigned scrypt_log_n = kScryptLogN;
};

/// Writes the whole home into a new file, closed under a passphrase, and opens it again to be sure.
Result<void> backup_home(const Context& context, const BackupArguments& arguments);
/// Makes a home of such a file where there is none. It makes no commands before it is reconciled.
Result<void> restore_home(const Context& context, const BackupArguments& arguments);
/// Asks the proxy for its newest receipt, and compares it with a restored home.
Result<void> reconcile_home(const Context& context, const std::string& url);

/// What the subcommands of escrow need, each its part of it.
struct EscrowArguments {
    std::string file;
    std::string key_file;          ///< the group's public key; empty: that of the last escrow
    std::vector<std::string> who;  ///< who may ask for it to be opened; empty: anybody
    bool replaces = false;         ///< a file that has the name
    envelope::HolderArguments holders;
    std::string requester;  ///< empty: the login's name
    unsigned scrypt_log_n = kScryptLogN;
};

/// Seals the whole home to the public key of a group, offline.
Result<void> escrow_create(const Context& context, const EscrowArguments& arguments);
/// Proves that recovery would work, without recovering, and that the file has the home as it is.
Result<void> escrow_verify(const Context& context, const EscrowArguments& arguments);
/// Makes a home of such a file where there is none, with the help of its holders. It makes no
/// commands before it is reconciled.
Result<void> escrow_recover(const Context& context, const EscrowArguments& arguments);
/// Seals the home as it is into another file, and gives the holders that are named new shares.
/// Asked again after it was cut short, it goes on.
Result<void> escrow_refresh(const Context& context, const EscrowArguments& arguments);

Result<void> user_list(const Context& context);
Result<void> user_show(const Context& context, const std::string& user_id);
Result<void> file_receipt_file(const Context& context, const std::string& path);
Result<void> show_home(const Context& context);

}  // namespace pgveil::tenant
