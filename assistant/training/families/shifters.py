"""Shift registers."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family

_TAPS = {4: 0b1100, 5: 0b10100, 7: 0b1100000, 8: 0b10111000, 12: 0b111000001000, 16: 0b1101000000001000}
"""Feedback that takes the register through all states but zero, bit 0 standing for its lowest bit."""


@family(variants=3)
def fibonacci_lfsr(r: Random, variant: int) -> Draft:
    """A pseudo-random sequence from a shift register with feedback."""
    width = r.choice(tuple(_TAPS))
    taps = _TAPS[width]
    seed = r.randrange(1, 1 << width)
    ones = [k for k in range(width) if taps >> k & 1]
    xor = " ^ ".join(f"value[{k}]" for k in reversed(ones))
    feedback = (f"{xor}", f"^(value & {width}'b{taps:0{width}b})", xor)[variant]
    shifted = ("{value[WIDTH-2:0], feedback}", "{value[WIDTH-2:0], feedback}", "(value << 1) | feedback")[variant]
    load = "if (load) value <= (din == 0) ? SEED : din; // all zeros would stay so for ever"
    body = (
        f"""
  always_ff @(posedge clk) begin
    if (rst)
      value <= SEED;
    else if (load)
      value <= (din == 0) ? SEED : din; // all zeros would stay so for ever
    else if (en)
      value <= {shifted};
  end
""",
        f"""
  logic [WIDTH-1:0] value_next;

  always_comb begin
    value_next = value;
    if (load)
      value_next = (din == 0) ? SEED : din; // all zeros would stay so for ever
    else if (en)
      value_next = {shifted};
  end

  always_ff @(posedge clk) begin
    if (rst) value <= SEED;
    else value <= value_next;
  end
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      value <= SEED;
    end else begin
      if (en) value <= {shifted};
      // loading goes before shifting
      {load}
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.value = seed

    def step(s: State, i: Pins) -> Outputs:
        out = {"value": s.value, "serial": s.value >> (width - 1)}
        if i.load:
            s.value = i.din or seed
        elif i.en:
            bit = (s.value & taps).bit_count() & 1
            s.value = (s.value << 1 | bit) & ((1 << width) - 1)
        return out

    return Draft(
        rtl=f"""
module fibonacci_lfsr #(
  parameter int WIDTH = {width},
  parameter logic [WIDTH-1:0] SEED = {width}'h{seed:x}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic load,
  input logic [WIDTH-1:0] din,
  output logic [WIDTH-1:0] value,
  output logic serial
);
  logic feedback;

  // taps of a sequence of maximal length
  assign feedback = {feedback};
  assign serial = value[WIDTH-1];
  {body}
endmodule
""",
        about=f"""{width}-bit Fibonacci LFSR. With `en` it shifts left by one and takes the parity of bits
            {", ".join(map(str, reversed(ones)))} in at the bottom; `serial` is the top bit. `load` puts `din` in
            instead,
            or the seed 0x{seed:x} where `din` is zero. It starts with that seed.""",
        model=Machine(reset, step),
        names=("lfsr", "prbs_gen", "random_bits"),
        stimulus={"load": 0.08, "en": 0.8, "din": lambda r: r.choice((0, r.getrandbits(width)))},
    )
