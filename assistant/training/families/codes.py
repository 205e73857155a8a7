"""Encoders, decoders, comparators, sorters, multiplexers and bit counting."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Outputs, Pins, family


@family(variants=3)
def priority_encoder(r: Random, variant: int) -> Draft:
    """The index of the highest or the lowest bit that is set."""
    bits = r.choice((2, 3, 4))
    count = 1 << bits
    high = r.random() < 0.5
    order = range(count - 1, -1, -1) if high else range(count)
    # The last assignment wins, so the loop goes towards the bit that has priority.
    loop = "int i = 0; i < N; i++" if high else "int i = N - 1; i >= 0; i = i - 1"
    chain = "\n    else ".join(f"if (req[{k}]) index = {bits}'d{k};" for k in order)
    patterns = "\n".join(f"      {count}'b{_pattern(k, count, high)}: index = {bits}'d{k};" for k in order)
    body = (
        f"""
  always_comb begin
    index = '0;
    for ({loop}) begin
      if (req[i]) index = i[{bits - 1}:0];
    end
  end
""",
        f"""
  always_comb begin
    {chain}
    else index = '0;
  end
""",
        f"""
  always_comb begin
    casez (req)
{patterns}
      default: index = '0;
    endcase
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        winner = next((k for k in order if i.req >> k & 1), 0)
        return {"index": winner, "valid": int(i.req != 0)}

    which = "highest" if high else "lowest"
    return Draft(
        rtl=f"""
module priority_encoder #(
  parameter int N = {count}
) (
  input logic [N-1:0] req,
  output logic [{bits - 1}:0] index, // of the {which} bit that is set
  output logic valid
);
  {body}
  assign valid = |req;
endmodule
""",
        about=f"""Priority encoder for {count} lines: `index` is the number of the {which} bit set in `req`, and 0 where
            none is; `valid` says that some bit is set.""",
        model=model,
        names=("prio_enc", "penc", "first_one"),
        stimulus={"req": lambda r: r.getrandbits(count) & r.getrandbits(count) & r.choice((-1, r.getrandbits(count)))},
    )


def _pattern(bit: int, count: int, high: bool) -> str:
    """A pattern for `casez` with the bit set, zeros on the side that has priority, and anything on the other."""
    return "".join("1" if k == bit else "0" if (k > bit) == high else "?" for k in range(count - 1, -1, -1))
