#!/bin/sh
# Installs the Debian packages that are missing, where that is allowed; else names them in one line with the command.
# Fails only without those that nothing works without.
set -eu

python=${PYTHON:-python3}
needed=
useful=

has() { command -v "$1" >/dev/null 2>&1; }

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "veriloop: $python is too old or missing; Python 3.11 or later is needed" >&2
    exit 3
fi

has g++ || has clang++ || needed="$needed g++"
has git || needed="$needed git"
"$python" -c 'import ensurepip, venv' 2>/dev/null || needed="$needed python3-venv"
has make || useful="$useful make"
has perl || useful="$useful perl"
has iverilog || useful="$useful iverilog"
has yosys || useful="$useful yosys"
has strace || useful="$useful strace"
has bwrap || useful="$useful bubblewrap"
has nvim || useful="$useful neovim"
# A queue and networks to test against, where nothing may be left out.
if [ -n "${VERILOOP_REQUIRE:-}" ]; then
    has slurmd || useful="$useful slurm-wlm"
    has ip || useful="$useful iproute2"
fi
has tmux || useful="$useful tmux"
# Debian's Python is linked statically; cocotb loads its shared library into the simulation.
useful="$useful$("$python" -c '
import ctypes, sys, sysconfig
try:
    ctypes.CDLL(sysconfig.get_config_var("INSTSONAME"))
except OSError:
    if sys.base_prefix == "/usr":
        print(" libpython{}.{}".format(*sys.version_info), end="")
')"

if [ -z "$needed$useful" ] && has mold; then
    exit 0
fi

if has apt-get && [ "$(id -u)" = 0 ]; then
    as_root=
elif has apt-get && sudo -n true 2>/dev/null; then
    as_root=sudo
else
    # mold only makes linking faster: not worth a line.
    [ -n "$needed$useful" ] || exit 0
    echo "veriloop: not installed:$needed$useful; to get them: sudo apt-get install$needed$useful" >&2
    [ -z "$needed" ] || exit 3
    exit 0
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@"; }

# A list that cannot be refreshed may still hold what is needed.
apt update || true
if ! has mold && apt-cache show mold >/dev/null 2>&1; then
    useful="$useful mold"
fi
[ -n "$needed$useful" ] || exit 0
echo "veriloop: installing$needed$useful" >&2
# shellcheck disable=SC2086  # a list of words
apt install -y --no-install-recommends $needed $useful >/dev/null
