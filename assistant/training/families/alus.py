"""Arithmetic-logic units."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Outputs, Pins, family


@family(variants=3)
def flag_alu(r: Random, variant: int) -> Draft:
    """An ALU with the four flags of a small processor."""
    width = r.choice((8, 16, 32))
    mask = (1 << width) - 1
    logic_ops = r.sample([("AND", "a & b"), ("OR", "a | b"), ("XOR", "a ^ b"), ("NOT_A", "~a"), ("PASS_B", "b")], 4)
    ops = ["ADD", "SUB", *(name for name, _ in logic_ops), "SHL", "SHR"]
    codes = "\n".join(f"  localparam logic [2:0] OP_{name} = 3'd{k};" for k, name in enumerate(ops))
    arms = "\n".join(f"      OP_{name}: result = {text};" for name, text in logic_ops)
    shared = """
  logic [WIDTH:0] sum;
  logic subtract;

  // one adder for both: a - b is a + ~b + 1
  assign subtract = (op == OP_SUB);
  assign sum = {1'b0, a} + {1'b0, subtract ? ~b : b} + subtract;
"""
    split = """
  logic [WIDTH:0] sum;

  always_comb begin
    if (op == OP_SUB)
      sum = {1'b0, a} + {1'b0, ~b} + 1'b1;
    else
      sum = {1'b0, a} + {1'b0, b};
  end
"""
    cases = f"""
  always_comb begin
    case (op)
      OP_ADD, OP_SUB: result = sum[WIDTH-1:0];
{arms}
      OP_SHL: result = a << 1;
      OP_SHR: result = a >> 1;
      default: result = '0;
    endcase
  end
"""
    chain = "\n                : ".join(f"(op == OP_{name}) ? {text}" for name, text in logic_ops)
    ternaries = f"""
  assign result = (op == OP_ADD || op == OP_SUB) ? sum[WIDTH-1:0]
                : {chain}
                : (op == OP_SHL) ? {{a[WIDTH-2:0], 1'b0}}
                : {{1'b0, a[WIDTH-1:1]}};
"""
    body = (shared + cases, split + cases, shared + ternaries)[variant]
    b_sign = "(b[WIDTH-1] ^ subtract)" if variant != 1 else "(b[WIDTH-1] ^ (op == OP_SUB))"

    def model(i: Pins) -> Outputs:
        name = ops[i.op]
        operand = ~i.b & mask if name == "SUB" else i.b
        total = i.a + operand + (name == "SUB")
        result = {
            "ADD": total,
            "SUB": total,
            "AND": i.a & i.b,
            "OR": i.a | i.b,
            "XOR": i.a ^ i.b,
            "NOT_A": ~i.a,
            "PASS_B": i.b,
            "SHL": i.a << 1,
            "SHR": i.a >> 1,
        }[name] & mask
        adds = name in ("ADD", "SUB")
        top = width - 1
        overflow = adds and (i.a >> top == operand >> top) and (result >> top != i.a >> top)
        return {
            "result": result,
            "zero": int(result == 0),
            "negative": result >> top,
            "carry": int(adds and total > mask),
            "overflow": int(overflow),
        }

    return Draft(
        rtl=f"""
module flag_alu #(
  parameter int WIDTH = {width}
) (
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic [2:0] op,
  output logic [WIDTH-1:0] result,
  output logic zero,
  output logic negative,
  output logic carry, // of sums and differences only
  output logic overflow // of the signed sum or difference
);
{codes}
  {body}
  // flags
  assign zero = (result == 0);
  assign negative = result[WIDTH-1];
  assign carry = sum[WIDTH] && (op == OP_ADD || op == OP_SUB);
  assign overflow = (op == OP_ADD || op == OP_SUB) && (a[WIDTH-1] == {b_sign}) && (sum[WIDTH-1] != a[WIDTH-1]);
endmodule
""",
        about=f"""Combinational {width}-bit ALU. `op` selects, from 0: {", ".join(ops)}; shifts are by one bit.
        `zero` and
            `negative` describe `result`. For ADD and SUB, `carry` is the carry out (for SUB: no borrow) and
            `overflow` the
            signed overflow; both are 0 for the other operations.""",
        model=model,
        names=("alu", "alu_core", "arith_unit"),
        stimulus={"op": range(8)},
        cycles=150,
    )
