#!/bin/sh
# Repairs a real bug in a throw-away git repository and shows the proof. Run by `make demo`.
set -eu

checkout=$(pwd)
veriloop="$checkout/.venv/bin/veriloop"
work=$(mktemp -d "${TMPDIR:-/tmp}/veriloop-demo.XXXXXX")

show() {
    printf '\n$ %s\n' "$*"
}

cp -R "$checkout/examples/fifo/." "$work"
cd "$work"
git init --quiet
git add --all
git -c user.name=demo -c user.email=demo@localhost -c commit.gpgsign=false -c core.hooksPath=/dev/null \
    commit --quiet --message "A FIFO that fails its testbench"

show veriloop repair rtl/fifo.sv --testbench tb/fifo_tb.sv --spec docs/fifo.md --budget 300 --apply
"$veriloop" repair rtl/fifo.sv --testbench tb/fifo_tb.sv --spec docs/fifo.md --budget 300 --apply

show git diff
git --no-pager diff

show veriloop repair rtl/fifo.sv --testbench tb/fifo_tb.sv
"$veriloop" repair rtl/fifo.sv --testbench tb/fifo_tb.sv

if command -v iverilog >/dev/null 2>&1; then
    show "iverilog -g2012 -o fifo rtl/fifo.sv tb/fifo_tb.sv && vvp -n fifo    # another simulator, without veriloop"
    iverilog -g2012 -o "$work/.git/fifo" rtl/fifo.sv tb/fifo_tb.sv
    vvp -n "$work/.git/fifo"
fi

printf '\nThe repaired repository is in %s\n' "$work"
