"""What stands between an instruction word and the datapath that carries it out."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Outputs, Pins, family
from veriloop.assistant.training.numerals import to_bits, to_signed

_CLASSES = ("ARITH", "ARITH_IMM", "LOAD", "STORE", "BRANCH", "JUMP")
_USES = {
    "reg_write": ("ARITH", "ARITH_IMM", "LOAD", "JUMP"),
    "mem_read": ("LOAD",),
    "mem_write": ("STORE",),
    "use_imm": ("ARITH_IMM", "LOAD", "STORE"),
    "branch": ("BRANCH",),
    "jump": ("JUMP",),
}
_MEANING = {
    "ARITH": "two registers give a third",
    "ARITH_IMM": "register and immediate",
    "LOAD": "memory to register",
    "STORE": "register to memory",
    "BRANCH": "goes elsewhere on a condition",
    "JUMP": "goes elsewhere and keeps the return address in a register",
}


@family(variants=3)
def instruction_decoder(r: Random, variant: int) -> Draft:
    """Turns the opcode of an instruction into the control signals of a small load-store processor."""
    bits = r.choice((3, 4))
    codes = dict(zip(_CLASSES, r.sample(range(1 << bits), 6), strict=True))
    field = r.choice((3, 4)) if bits == 4 else 4
    zero = r.random() < 0.5  # register 0 reads as zero and is never written
    width = bits + 3 * field
    shown = ["reg_write", "mem_read", "mem_write", "use_imm", "branch", "jump"]
    constants = "\n".join(
        f"  localparam logic [{bits - 1}:0] OP_{one} = {bits}'h{code:x}; // {_MEANING[one]}"
        for one, code in codes.items()
    )
    writes = "(rd != 0)" if zero else "1'b1"
    arms = []
    for one in r.sample(_CLASSES, 6):
        raised = {name: writes if name == "reg_write" else "1'b1" for name in shown if one in _USES[name]}
        lines = [f"        {name} = {value};" for name, value in raised.items()]
        arms.append(f"      OP_{one}: begin\n" + "\n".join(lines) + "\n      end")
    listed = "\n".join(arms)
    cleared = "\n".join(f"    {name} = 1'b0;" for name in shown)
    cased = f"""
  // nothing happens unless the opcode asks for it
  always_comb begin
{cleared}
    illegal = 1'b0;
    case (opcode)
{listed}
      default: illegal = 1'b1;
    endcase
  end
"""
    wires = ", ".join(f"is_{one.lower()}" for one in _CLASSES)
    tests = "\n".join(f"  assign is_{one.lower()} = (opcode == OP_{one});" for one in _CLASSES)
    sums = {name: " || ".join(f"is_{one.lower()}" for one in _USES[name]) for name in shown}
    if zero:
        sums["reg_write"] = f"(rd != 0) && ({sums['reg_write']})"
    ors = "\n".join(f"  assign {name} = {text};" for name, text in sums.items())
    equations = f"""
  logic {wires};

{tests}

{ors}
  assign illegal = !({wires.replace(", ", " || ")});
"""
    words = "\n".join(
        f"      OP_{one}: control = 7'b{''.join('1' if one in _USES[name] else '0' for name in shown)}_0;"
        for one in r.sample(_CLASSES, 6)
    )
    gate = "writes && (rd != 0)" if zero else "writes"
    packed = f"""
  logic [6:0] control; // one line of the table: {", ".join(shown)}, illegal
  logic writes;

  always_comb begin
    case (opcode)
{words}
      default: control = 7'b000000_1;
    endcase
  end

  assign {{writes, {", ".join(shown[1:])}, illegal}} = control;
  assign reg_write = {gate};
"""
    body = (cased, equations, packed)[variant]

    def model(i: Pins) -> Outputs:
        code = i.instr >> (3 * field)
        name = next((one for one in _CLASSES if codes[one] == code), "")
        mask = (1 << field) - 1
        rd = i.instr >> (2 * field) & mask
        out = {signal: int(name in _USES[signal]) for signal in shown}
        if zero and rd == 0:
            out["reg_write"] = 0
        rs1, rs2 = i.instr >> field & mask, i.instr & mask
        return {**out, "illegal": int(not name), "rd": rd, "rs1": rs1, "rs2": rs2}

    def instr(r: Random) -> int:
        code = r.choice((*codes.values(), r.randrange(1 << bits)))
        return code << (3 * field) | r.choice((0, r.getrandbits(field))) << (2 * field) | r.getrandbits(2 * field)

    listing = "; ".join(f"{code} {one} ({_MEANING[one]})" for one, code in codes.items())
    uses = "; ".join(f"`{name}` for {', '.join(_USES[name])}" for name in shown)
    tail = " Register 0 is constant, so `reg_write` stays low where `rd` is 0." if zero else ""
    return Draft(
        rtl=f"""
module instruction_decoder (
  input logic [{width - 1}:0] instr,
  output logic [{field - 1}:0] rd,
  output logic [{field - 1}:0] rs1,
  output logic [{field - 1}:0] rs2,
  output logic reg_write,
  output logic mem_read,
  output logic mem_write,
  output logic use_imm, // the second operand is the immediate
  output logic branch,
  output logic jump,
  output logic illegal
);
{constants}
  logic [{bits - 1}:0] opcode;

  // the fields stand in the same place in every instruction
  assign opcode = instr[{width - 1}:{3 * field}];
  assign rd = instr[{3 * field - 1}:{2 * field}];
  assign rs1 = instr[{2 * field - 1}:{field}];
  assign rs2 = instr[{field - 1}:0];
  {body}
endmodule
""",
        about=(
            f"""Instruction decoder of a small processor, combinational. An instruction of {width} bits is, from the
            top: opcode ({bits} bits), `rd`, `rs1` and `rs2` ({field} bits each). Opcodes: {listing}. Control signals
            are high as follows: {uses}.{tail} Any other opcode raises `illegal` and none of the others.""",
            f"""Decodes `instr` without a clock. The top {bits} bits are the opcode, followed by the {field}-bit
            register numbers `rd`, `rs1`, `rs2`, which are always put out. The opcodes are: {listing}. High are:
            {uses}; all are low and `illegal` is high for an opcode that is not in the list.{tail}""",
        ),
        model=model,
        names=("decoder", "instr_decode", "decode_stage", "control_unit"),
        stimulus={"instr": instr},
        cycles=120,
    )


@family(variants=3)
def immediate_generator(r: Random, variant: int) -> Draft:
    """Collects the bits of an immediate from where a format has scattered them, and extends it."""
    split = r.choice((4, 5, 6))
    rest = 12 - split
    low = r.choice((7, 8))
    scale = r.choice((1, 2))
    long = r.choice((16, 20))
    unsigned = r.random() < 0.5
    order = r.sample(("SHORT", "SPLIT", "OFFSET", "UPPER"), 4)
    if unsigned:
        order.append("PLAIN")
    bits = (len(order) - 1).bit_length()
    constants = "\n".join(f"  localparam logic [{bits - 1}:0] FMT_{one} = {bits}'d{k};" for k, one in enumerate(order))
    high_field, low_field = f"instr[31:{32 - rest}]", f"instr[{low + split - 1}:{low}]"
    texts = {
        "SHORT": "{{20{instr[31]}}, instr[31:20]}",
        "SPLIT": f"{{{{20{{instr[31]}}}}, {high_field}, {low_field}}}",
        "OFFSET": f"{{{{{20 - scale}{{instr[31]}}}}, {high_field}, {low_field}, {scale}'b{'0' * scale}}}",
        "UPPER": f"{{instr[31:{32 - long}], {32 - long}'b0}}",
        "PLAIN": "{20'b0, instr[31:20]}",
    }
    arms = "\n".join(f"      FMT_{one}: imm = {texts[one]};" for one in order)
    cased = f"""
  always_comb begin
    case (format)
{arms}
      default: imm = '0;
    endcase
  end
"""
    chain = "\n".join(
        f"    {'if' if n == 0 else 'else if'} (format == FMT_{one}) imm = {one.lower()}_imm;"
        for n, one in enumerate(order)
    )
    wires = "\n".join(f"  assign {one.lower()}_imm = {texts[one]};" for one in order)
    wired = f"""
  logic [31:0] {", ".join(f"{one.lower()}_imm" for one in order)};

  // every format at once
{wires}

  always_comb begin
    imm = '0;
{chain}
  end
"""
    plain = " && format != FMT_PLAIN" if unsigned else ""
    shared = f"""
  logic sign;
  logic scattered;
  logic [11:0] field;
  logic [31:0] extended;

  // three kinds share one field and one sign extension
  assign scattered = (format == FMT_SPLIT || format == FMT_OFFSET);
  assign field = scattered ? {{{high_field}, {low_field}}} : instr[31:20];
  assign sign = instr[31]{plain};
  assign extended = {{{{20{{sign}}}}, field}};

  always_comb begin
    if (format > {bits}'d{len(order) - 1}) imm = '0;
    else if (format == FMT_UPPER) imm = {texts["UPPER"]};
    else if (format == FMT_OFFSET) imm = extended << {scale};
    else imm = extended;
  end
"""
    if len(order) == 1 << bits:
        shared = shared.replace(f"    if (format > {bits}'d{len(order) - 1}) imm = '0;\n    else if", "    if")
    body = (cased, wired, shared)[variant]

    def model(i: Pins) -> Outputs:
        if i.format >= len(order):
            return {"imm": 0}
        kind = order[i.format]
        if kind == "UPPER":
            return {"imm": i.instr >> (32 - long) << (32 - long)}
        field = i.instr >> 20
        if kind in ("SPLIT", "OFFSET"):
            field = i.instr >> (32 - rest) << split | (i.instr >> low & ((1 << split) - 1))
        value = field if kind == "PLAIN" else to_signed(field, 12)
        return {"imm": to_bits(value << scale if kind == "OFFSET" else value, 32)}

    says = {
        "SHORT": "SHORT, bits 31 to 20, signed",
        "SPLIT": f"SPLIT, bits 31 to {32 - rest} followed by bits {low + split - 1} to {low}, signed",
        "OFFSET": f"OFFSET, the same bits as SPLIT, signed, times {1 << scale}",
        "UPPER": f"UPPER, bits 31 to {32 - long} in their place and zeros below",
        "PLAIN": "PLAIN, bits 31 to 20, unsigned",
    }
    listing = "; ".join(f"{k} {says[one]}" for k, one in enumerate(order))
    left = "" if len(order) == 1 << bits else " Any other format gives 0."
    return Draft(
        rtl=f"""
module immediate_generator (
  input logic [31:0] instr,
  input logic [{bits - 1}:0] format,
  output logic [31:0] imm
);
{constants}
  {body}
endmodule
""",
        about=f"""Immediate generator: picks the immediate of a 32-bit instruction word `instr` and extends it to the 32
            bits of `imm`, without a clock. `format` says where it stands: {listing}.{left} The sign is bit 31 in
            all signed formats.""",
        model=model,
        names=("imm_gen", "immgen", "sign_extend_unit", "imm_decode"),
        stimulus={"format": range(1 << bits)},
    )


@family(variants=3)
def branch_unit(r: Random, variant: int) -> Draft:
    """Decides whether a branch is taken, and where the program goes on."""
    width = r.choice((8, 16, 32))
    offset = r.choice((5, 6)) if width == 8 else r.choice((8, 10, 12))
    step = r.choice((1, 2, 4))
    mask = (1 << width) - 1
    every = ["EQ", "NE", "LT", "GE", "LTU", "GEU"]
    order = [*r.sample(every, 6), "ALWAYS"]
    constants = "\n".join(f"  localparam logic [2:0] BR_{one} = 3'd{k};" for k, one in enumerate(order))
    tests = {
        "EQ": "a == b",
        "NE": "a != b",
        "LT": "$signed(a) < $signed(b)",
        "GE": "$signed(a) >= $signed(b)",
        "LTU": "a < b",
        "GEU": "a >= b",
        "ALWAYS": "1'b1",
    }
    arms = "\n".join(f"      BR_{one}: met = ({tests[one]});" for one in order)
    direct = f"""
  always_comb begin
    case (cond)
{arms}
      default: met = 1'b0;
    endcase
  end
"""
    short = {"EQ": "equal", "NE": "!equal", "LT": "less", "GE": "!less", "LTU": "below", "GEU": "!below"}
    short["ALWAYS"] = "1'b1"
    picks = "\n".join(f"      BR_{one}: met = {short[one]};" for one in order)
    subtracts = f"""
  logic [WIDTH:0] difference;
  logic equal, less, below;

  // one subtraction answers everything; its top bit is the borrow
  assign difference = {{1'b0, a}} - {{1'b0, b}};
  assign equal = (difference == 0);
  assign below = difference[WIDTH];
  assign less = (a[WIDTH-1] != b[WIDTH-1]) ? a[WIDTH-1] : difference[WIDTH-1];

  always_comb begin
    met = 1'b0;
    case (cond)
{picks}
      default: ;
    endcase
  end
"""
    flipped = " || ".join(f"cond == BR_{one}" for one in order if one in ("NE", "GE", "GEU"))
    grouped = f"""
  logic compare_signed, invert, raw;
  logic [WIDTH-1:0] bias;

  // half of the conditions are the other half, inverted
  assign invert = ({flipped});
  assign compare_signed = (cond == BR_LT || cond == BR_GE);
  // turning the sign bits round makes a signed comparison of an unsigned one
  assign bias = {{compare_signed, {{(WIDTH-1){{1'b0}}}}}};
  assign raw = (cond == BR_EQ || cond == BR_NE) ? (a == b) : ((a ^ bias) < (b ^ bias));
  assign met = (cond == BR_ALWAYS) || (cond < BR_ALWAYS && (raw ^ invert));
"""
    body = (direct, subtracts, grouped)[variant]

    def model(i: Pins) -> Outputs:
        a, b = i.a, i.b
        sa, sb = to_signed(a, width), to_signed(b, width)
        results = {"EQ": a == b, "NE": a != b, "LT": sa < sb, "GE": sa >= sb, "LTU": a < b, "GEU": a >= b}
        name = order[i.cond] if i.cond < 7 else ""
        taken = i.branch and (name == "ALWAYS" or results.get(name, False))
        away = i.pc + to_signed(i.offset, offset) * step
        return {
            "taken": int(taken),
            "next_pc": (away if taken else i.pc + step) & mask,
            "wrong": int(bool(taken) != bool(i.predicted)),
        }

    def near(r: Random) -> int:
        return r.choice((r.getrandbits(width), r.randrange(3), mask - r.randrange(3), 1 << (width - 1)))

    reach = {1: "distance", 2: "(distance << 1)", 4: "(distance << 2)"}[step]
    words = {"EQ": "equal", "NE": "not equal", "LT": "`a` less, signed", "GE": "`a` not less, signed"}
    words |= {"LTU": "`a` less, unsigned", "GEU": "`a` not less, unsigned", "ALWAYS": "always"}
    times = "" if step == 1 else f"{step} times "
    listing = ", ".join(f"{k} {words[one]}" for k, one in enumerate(order))
    return Draft(
        rtl=f"""
module branch_unit #(
  parameter int WIDTH = {width},
  parameter int OFFSET = {offset}
) (
  input logic branch, // the instruction is a branch
  input logic [2:0] cond,
  input logic [WIDTH-1:0] a,
  input logic [WIDTH-1:0] b,
  input logic [WIDTH-1:0] pc,
  input logic [OFFSET-1:0] offset, // signed, in instructions
  input logic predicted,
  output logic taken,
  output logic [WIDTH-1:0] next_pc,
  output logic wrong // the prediction was
);
{constants}
  logic met;
  logic [WIDTH-1:0] distance, target;
  {body}
  // the program goes on behind the branch or at its target
  assign distance = {{{{(WIDTH-OFFSET){{offset[OFFSET-1]}}}}, offset}};
  assign target = pc + {reach};
  assign taken = branch && met;
  assign next_pc = taken ? target : pc + {step};
  assign wrong = taken ^ predicted;
endmodule
""",
        about=f"""Branch unit of a processor, combinational, {width} bits. `taken` is high where `branch` is and the
            condition `cond` of `a` and `b` holds: {listing}; 7 never holds. `next_pc` is then `pc` plus {
            times
        }the signed `offset`, otherwise `pc` plus {step}. `wrong` says that `taken` differs from `predicted`.""",
        model=model,
        names=("branch_cond", "branch_resolve", "br_unit", "branch_compare"),
        stimulus={"branch": 0.85, "cond": range(8), "a": near, "b": near},
        cycles=200,
    )


@family(variants=2)
def compressed_expander(r: Random, variant: int) -> Draft:
    """Makes a full instruction of a short one."""
    ops = ["ADD", "SUB", "AND", "LI", "LW", "SW", "BZ"]
    codes = dict(zip(ops, r.sample(range(16), 7), strict=True))
    places = r.sample(range(6), 6)
    short = dict(zip(("ADDTO", "SUBFROM", "SMALL", "FETCH", "STASH", "SKIP"), places, strict=True))
    base = r.choice((13, 14, 15))  # the register that memory is reached from
    test = r.choice((1, 8, 9))
    scale = r.choice((0, 1))
    head = r.choice((8, 0))  # short register numbers stand for these eight
    high = f"{{1'b{head >> 3}, short[4:2]}}"
    small = f"{{{'2' if scale == 0 else '1'}'b0, short[1:0]{', 1' + chr(39) + 'b0' if scale else ''}}}"
    low = f"{{2'b{head >> 3}0, short[1:0]}}"
    five = "short[4:0]"
    texts = {
        "ADDTO": ("ADD", high, high, low),
        "SUBFROM": ("SUB", high, high, low),
        "SMALL": ("LI", high, "4'd0", "{2'b0, short[1:0]}"),
        "FETCH": ("LW", high, f"4'd{base}", small),
        "STASH": ("SW", high, f"4'd{base}", small),
    }
    constants = "\n".join(f"  localparam logic [3:0] OP_{one} = 4'h{codes[one]:x};" for one in ops)
    plus = f"{head} plus " if head else ""
    numbered = sorted(short.items(), key=lambda pair: pair[1])
    shorts = "\n".join(f"  localparam logic [2:0] SHORT_{one} = 3'd{k};" for one, k in numbered)
    skip = f"{{OP_BZ, 4'd{test}, {{3{{short[4]}}}}, {five}}}"
    arms = "\n".join(
        f"        SHORT_{one}: instr = {{OP_{op}, {a}, {b}, {c}}};" for one, (op, a, b, c) in texts.items()
    )
    cased = f"""
  always_comb begin
    illegal = 1'b0;
    if (!compressed) begin
      instr = word;
    end else begin
      case (short[7:5])
{arms}
        SHORT_SKIP: instr = {skip};
        default: begin
          instr = '0;
          illegal = 1'b1;
        end
      endcase
    end
  end
"""
    opcodes = "\n".join(f"      SHORT_{one}: opcode = OP_{op};" for one, (op, *_) in texts.items())
    fielded = f"""
  logic [2:0] form;
  logic [3:0] opcode, first, second, third;
  logic memory, known;

  assign form = short[7:5];
  assign known = (form < 3'd6);
  assign memory = (form == SHORT_FETCH) || (form == SHORT_STASH);

  // field by field
  always_comb begin
    case (form)
{opcodes}
      default: opcode = OP_BZ;
    endcase
  end

  assign first = (form == SHORT_SKIP) ? 4'd{test} : {high};

  always_comb begin
    if (memory) begin
      second = 4'd{base};
      third = {small};
    end else if (form == SHORT_SKIP) begin
      {{second, third}} = {{{{3{{short[4]}}}}, short[4:0]}};
    end else if (form == SHORT_SMALL) begin
      second = 4'd0;
      third = {{2'b0, short[1:0]}};
    end else begin
      second = first;
      third = {low};
    end
  end

  assign illegal = compressed && !known;
  assign instr = !compressed ? word
               : known ? {{opcode, first, second, third}}
               : '0;
"""
    body = (cased, fielded)[variant]

    def model(i: Pins) -> Outputs:
        if not i.compressed:
            return {"instr": i.word, "illegal": 0}
        byte = i.word >> 8 if i.upper else i.word & 255
        form = next((one for one, k in short.items() if k == byte >> 5), "")
        high, low = head | (byte >> 2 & 7), byte & 3
        if not form:
            return {"instr": 0, "illegal": 1}
        if form == "SKIP":
            rest = test << 8 | to_bits(to_signed(byte & 31, 5), 8)
            return {"instr": codes["BZ"] << 12 | rest, "illegal": 0}
        if form in ("ADDTO", "SUBFROM"):
            rest = high << 8 | high << 4 | head | low
        elif form == "SMALL":
            rest = high << 8 | low
        else:
            rest = high << 8 | base << 4 | low << scale
        op = codes[texts[form][0]]
        return {"instr": op << 12 | rest, "illegal": 0}

    says = {
        "ADDTO": f"OP_ADD ({codes['ADD']}), r, r, s",
        "SUBFROM": f"OP_SUB ({codes['SUB']}), r, r, s",
        "SMALL": f"OP_LI ({codes['LI']}), r, 0, k",
        "FETCH": f"OP_LW ({codes['LW']}), r, {base}, {'2 times k' if scale else 'k'}",
        "STASH": f"OP_SW ({codes['SW']}), r, {base}, {'2 times k' if scale else 'k'}",
        "SKIP": f"OP_BZ ({codes['BZ']}), {test}, and in the last two fields the sign-extended bits 4 to 0",
    }
    listing = "; ".join(f"{k} gives {says[one]}" for one, k in numbered)
    return Draft(
        rtl=f"""
module compressed_expander (
  input logic [15:0] word, // a full instruction, or two short ones
  input logic compressed,
  input logic upper, // the short instruction in the upper byte
  output logic [15:0] instr,
  output logic illegal
);
{constants}
{shorts}
  logic [7:0] short;

  assign short = upper ? word[15:8] : word[7:0];
  {body}
endmodule
""",
        about=f"""Expands short 8-bit instructions to the 16-bit ones of which they are abbreviations. Without
            `compressed`, `instr` is `word`. With it, the byte of `word` that `upper` selects is the short instruction:
            bits 7 to 5 are the form, r is {plus}bits 4 to 2, s is {plus}bits 1 to 0, k is bits 1 to 0.
            The result is an opcode and three operand fields of 4 bits each, from the top: form {listing}. Other forms
            give 0 and raise `illegal`.""",
        model=model,
        names=("expander", "instr_expand", "decompressor", "short_decode"),
        stimulus={"compressed": 0.88},
        cycles=200,
    )
