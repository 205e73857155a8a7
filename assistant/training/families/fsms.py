"""State machines."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def vending_machine(r: Random, variant: int) -> Draft:
    """Collects coins of 5 and 10 until a price is reached."""
    price = r.choice((15, 20, 25))
    steps = price // 5
    names = ["IDLE", *(f"HAVE_{5 * k}" for k in range(1, steps))]
    bits = max(1, (steps - 1).bit_length())
    states = ", ".join(names)

    def arc(k: int) -> str:
        """What happens in the state with k times 5."""

        def to(worth: int) -> str:
            return names[k + worth] if k + worth < steps else "IDLE"

        return f"if (ten) state_next = {to(2)}; else if (five) state_next = {to(1)};"

    arms = "\n".join(f"      {name}: {arc(k)}" for k, name in enumerate(names))
    enough = f"(state == {names[-1]} && (five || ten)) || (state == {names[-2]} && ten)"
    change = f"state == {names[-1]} && ten"
    two_processes = f"""
  typedef enum logic [{bits - 1}:0] {{{states}}} state_t;
  state_t state, state_next;

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  // a coin of ten counts before one of five
  always_comb begin
    state_next = state;
    case (state)
{arms}
      default: state_next = IDLE;
    endcase
  end
"""
    outputs = f"""
  // the last coin of a sale is seen in the same cycle
  assign dispense = {enough};
  assign change = {change};
"""
    registered = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      dispense <= 1'b0;
      change <= 1'b0;
    end else begin
      dispense <= {enough};
      change <= {change};
    end
  end
"""
    one_process = f"""
  typedef enum logic [{bits - 1}:0] {{{states}}} state_t;
  state_t state;

  // the state and its outputs move together
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      dispense <= 1'b0;
      change <= 1'b0;
    end else begin
      dispense <= 1'b0; // one cycle a sale
      change <= 1'b0;
      case (state)
{arms.replace("state_next =", "state <=")}
        default: state <= IDLE;
      endcase
      if ({enough}) dispense <= 1'b1;
      if ({change}) change <= 1'b1;
    end
  end
"""
    body = (two_processes + outputs, two_processes + registered, one_process)[variant]

    def reset(s: State) -> None:
        s.have = s.dispense = s.change = 0

    def step(s: State, i: Pins) -> Outputs:
        have = s.have + (2 if i.ten else 1 if i.five else 0)
        sold = int(have >= steps)
        change = int(have > steps)
        out = (sold, change) if variant == 0 else (s.dispense, s.change)
        s.have, s.dispense, s.change = (0 if sold else have), sold, change
        return {"dispense": out[0], "change": out[1]}

    when = "in the same cycle as the last coin" if variant == 0 else "in the cycle after the last coin"
    return Draft(
        rtl=f"""
module vending_machine (
  input logic clk,
  input logic rst,
  input logic five, // a coin of 5 has dropped
  input logic ten, // a coin of 10 has dropped
  output logic dispense,
  output logic change // 5 are given back
);
  {body}
endmodule
""",
        about=f"""Vending machine that sells for {price}. Coins of 5 (`five`) and 10 (`ten`) come in, one a cycle; `ten`
            counts where both are high. When {price} or more are in, `dispense` is high for one cycle, {when}, and the
            machine starts anew; `change` is high with it where 5 too much were paid.""",
        model=Machine(reset, step),
        names=("coin_fsm", "vending", "ticket_machine"),
        stimulus={"five": 0.4, "ten": 0.3},
    )
