#include "test/keyshare/tpm/swtpm.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace pgveil::tpm {
namespace {

constexpr int kTries = 500;
constexpr std::chrono::milliseconds kPause{20};
constexpr int kNoProgram = 127;

bool answers(const std::filesystem::path& socket) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket.string().copy(address.sun_path, sizeof address.sun_path - 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_open =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(descriptor);
    return is_open;
}

}  // namespace

Swtpm::Swtpm() {
    std::string pattern = (std::filesystem::temp_directory_path() / "swtpm-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(state());
}

Swtpm::~Swtpm() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

std::string Swtpm::certify() {
    const std::filesystem::path maker = folder_ / "maker";
    std::filesystem::create_directory(maker);
    const auto write = [&](const std::string& name, const std::string& text) {
        std::ofstream(maker / name) << text;
        return (maker / name).string();
    };
    const auto at = [&](const std::string& name) {
        return (maker / name).string();
    };
    const std::string authority = write(
        "authority.conf",
        "statedir = " + maker.string() + "\nsigningkey = " + at("key.pem") +
            "\nissuercert = " + at("issuer.pem") + "\ncertserial = " + at("serial") + "\n"
    );
    const std::string options = write("authority.options", "--platform-manufacturer test\n");
    const std::string setup = write(
        "setup.conf",
        "create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = " + authority +
            "\ncreate_certs_tool_options = " + options + "\nactive_pcr_banks = sha256\n"
    );
    const std::string command = "swtpm_setup --tpm2 --tpmstate " + state().string() +
                                " --create-ek-cert --pcr-banks sha256 --config " + setup +
                                " --logfile " + at("log") + " >/dev/null 2>&1";
    // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a test, and no word of it is from outside
    if (std::system(command.c_str()) != 0) {
        throw std::runtime_error("swtpm_setup fails: install the Debian package swtpm-tools");
    }
    std::ostringstream both;
    both << std::ifstream(maker / "swtpm-localca-rootca-cert.pem").rdbuf()
         << std::ifstream(at("issuer.pem")).rdbuf();
    return both.str();
}

void Swtpm::start() {
    const std::string socket = (folder_ / "socket").string();
    std::filesystem::remove(socket);
    std::vector<std::string> words = {
        "swtpm",
        "socket",
        "--tpm2",
        "--tpmstate",
        "dir=" + state().string(),
        "--server",
        "type=unixio,path=" + socket,
        "--ctrl",
        "type=unixio,path=" + socket + ".ctrl",
        "--flags",
        "startup-clear"};
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(
            ::open("/dev/null", O_WRONLY), STDERR_FILENO
        );  // it reports each command's connection
        ::execvp(arguments.front(), arguments.data());
        ::_exit(kNoProgram);
    }
    for (int attempt = 0; attempt < kTries; ++attempt) {
        if (answers(socket)) {
            return;
        }
        int status = 0;
        if (::waitpid(process_, &status, WNOHANG) == process_) {
            process_ = -1;
            throw std::runtime_error("swtpm does not start: install the Debian package swtpm");
        }
        std::this_thread::sleep_for(kPause);
    }
    throw std::runtime_error("swtpm opened no socket within ten seconds");
}

void Swtpm::stop() {
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }
}

}  // namespace pgveil::tpm
