"""Codes that detect and correct errors, and scramblers."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family

_CRCS = {
    "CRC-4 (ITU)": (4, 0x3),
    "CRC-5 (USB)": (5, 0x05),
    "CRC-8 (ATM)": (8, 0x07),
    "CRC-8 (Dallas, unreflected)": (8, 0x31),
    "CRC-15 (CAN)": (15, 0x4599),
    "CRC-16 (CCITT)": (16, 0x1021),
    "CRC-16 (IBM)": (16, 0x8005),
}


def _crc_bit(crc: int, bit: int, width: int, poly: int) -> int:
    top = crc >> (width - 1) ^ bit
    return ((crc << 1) & ((1 << width) - 1)) ^ (poly if top else 0)


@family(variants=3)
def serial_crc(r: Random, variant: int) -> Draft:
    """A checksum over bits as they come."""
    name = r.choice(tuple(_CRCS))
    width, poly = _CRCS[name]
    init = r.choice((0, (1 << width) - 1))
    ones = [k for k in range(1, width) if poly >> k & 1]
    taps = "\n".join(f"      crc[{k}] <= crc[{k - 1}]{' ^ feedback' if k in ones else ''};" for k in range(1, width))
    body = (
        """
  always_ff @(posedge clk) begin
    if (rst) begin
      crc <= INIT;
    end else if (init) begin
      crc <= INIT;
    end else if (valid) begin
      // divide: where a one leaves, the polynomial is taken away
      crc <= feedback ? (crc << 1) ^ POLY : (crc << 1);
    end
  end
""",
        f"""
  // a register of single bits, with exclusive ors at the polynomial's places
  always_ff @(posedge clk) begin
    if (rst) begin
      crc <= INIT;
    end else if (init) begin
      crc <= INIT;
    end else if (valid) begin
      crc[0] <= feedback;
{taps}
    end
  end
""",
        """
  logic [WIDTH-1:0] crc_next;

  always_comb begin
    crc_next = crc;
    if (init) begin
      crc_next = INIT;
    end else if (valid) begin
      crc_next = {crc[WIDTH-2:0], 1'b0};
      if (feedback) crc_next = crc_next ^ POLY;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) crc <= INIT;
    else crc <= crc_next;
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.crc = init

    def step(s: State, i: Pins) -> Outputs:
        out = {"crc": s.crc, "match": int(s.crc == 0)}
        if i.init:
            s.crc = init
        elif i.valid:
            s.crc = _crc_bit(s.crc, i.din, width, poly)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # Now and then the checksum itself comes in, which makes it zero.
        closing = getattr(s, "closing", 0) or (width if r.random() < 0.03 else 0)
        s.closing = max(0, closing - 1)
        if closing:
            return {"init": 0, "valid": 1, "din": s.crc >> (width - 1)}
        return {"init": int(r.random() < 0.03)}

    return Draft(
        rtl=f"""
module serial_crc #(
  parameter int WIDTH = {width},
  parameter logic [WIDTH-1:0] POLY = {width}'h{poly:x},
  parameter logic [WIDTH-1:0] INIT = {width}'h{init:x}
) (
  input logic clk,
  input logic rst,
  input logic init, // a new message begins
  input logic valid,
  input logic din,
  output logic [WIDTH-1:0] crc,
  output logic match // nothing is left: the message with its checksum is right
);
  logic feedback; // what leaves at the top, and the new bit

  assign feedback = crc[WIDTH-1] ^ din;
  assign match = (crc == 0);
  {body}
endmodule
""",
        about=f"""Bit-serial {name}: polynomial 0x{poly:x} without its top bit, {width} bits, starting from
        0x{init:x}. A cycle with `valid`
            takes one message bit from `din`, highest first. `init` starts over and goes before `valid`. `match` is
            high while
            `crc` is zero.""",
        model=Machine(reset, step),
        names=("crc_serial", f"crc{width}", "crc_lfsr"),
        stimulus={"valid": 0.85},
        drive=drive,
        cycles=120,
    )


@family(variants=3)
def parallel_crc(r: Random, variant: int) -> Draft:
    """A checksum over bytes, eight steps in one cycle."""
    name = r.choice([one for one, (width, _) in _CRCS.items() if width >= 8])
    width, poly = _CRCS[name]
    init = r.choice((0, (1 << width) - 1))
    function = """
  // the checksum after another byte
  function automatic logic [WIDTH-1:0] step(input logic [WIDTH-1:0] crc_in, input logic [7:0] byte_in);
    logic [WIDTH-1:0] work;
    work = crc_in;
    for (int i = 7; i >= 0; i = i - 1) begin
      if (work[WIDTH-1] ^ byte_in[i]) work = (work << 1) ^ POLY;
      else work = work << 1;
    end
    step = work;
  endfunction

  always_ff @(posedge clk) begin
    if (rst) crc <= INIT;
    else if (valid) crc <= step(first ? INIT : crc, din);
  end
"""
    loop = """
  logic [WIDTH-1:0] work;

  always_comb begin
    work = first ? INIT : crc;
    work[WIDTH-1 -: 8] = work[WIDTH-1 -: 8] ^ din; // the whole byte at once
    for (int i = 0; i < 8; i++) begin
      if (work[WIDTH-1]) work = {work[WIDTH-2:0], 1'b0} ^ POLY;
      else work = {work[WIDTH-2:0], 1'b0};
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      crc <= INIT;
    end else if (valid) begin
      crc <= work;
    end
  end
"""
    chain = """
  logic [WIDTH-1:0] stage [0:8];

  assign stage[0] = first ? INIT : crc;

  for (genvar k = 0; k < 8; k++) begin : gen_bit
    logic feedback;

    assign feedback = stage[k][WIDTH-1] ^ din[7-k]; // the highest bit first
    assign stage[k+1] = {stage[k][WIDTH-2:0], 1'b0} ^ (feedback ? POLY : 0);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      crc <= INIT;
    end else begin
      if (valid) crc <= stage[8];
    end
  end
"""

    def reset(s: State) -> None:
        s.crc = init

    def step(s: State, i: Pins) -> Outputs:
        out = {"crc": s.crc}
        if i.valid:
            s.crc = init if i.first else s.crc
            for k in range(7, -1, -1):
                s.crc = _crc_bit(s.crc, i.din >> k & 1, width, poly)
        return out

    return Draft(
        rtl=f"""
module parallel_crc #(
  parameter int WIDTH = {width},
  parameter logic [WIDTH-1:0] POLY = {width}'h{poly:x},
  parameter logic [WIDTH-1:0] INIT = {width}'h{init:x}
) (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic first, // of a message
  input logic [7:0] din,
  output logic [WIDTH-1:0] crc
);
  {(function, loop, chain)[variant]}
endmodule
""",
        about=f"""{name} over bytes: polynomial 0x{poly:x}, {width} bits, starting from 0x{init:x}, highest bit first,
        not reflected. A cycle
            with `valid` takes the byte `din` in; with `first` it begins a new message. `crc` holds the result from
            the next
            cycle on.""",
        model=Machine(reset, step),
        names=(f"crc{width}_byte", "crc_parallel", "crc_calc"),
        stimulus={"valid": 0.8, "first": 0.1},
    )


@family(variants=3)
def parity_checker(r: Random, variant: int) -> Draft:
    """A parity bit for each byte of a word, and their check."""
    lanes = r.choice((1, 2, 4))
    odd = r.random() < 0.5
    flip = "~" if odd else ""
    body = (
        f"""
  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    assign parity[k] = {flip}^data[8*k+7:8*k];
  end

  assign wrong = parity ^ received;
""",
        f"""
  // one bit of each byte
  always_comb begin
    for (int i = 0; i < LANES; i++) begin
      parity[i] = {flip}(^data[8*i +: 8]);
      wrong[i] = (parity[i] != received[i]);
    end
  end
""",
        f"""
  function automatic logic parity_of(input logic [7:0] lane);
    parity_of = {"1'b1 ^ " if odd else ""}lane[0] ^ lane[1] ^ lane[2] ^ lane[3] ^ lane[4] ^ lane[5] ^ lane[6] ^ lane[7];
  endfunction

  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    assign parity[k] = parity_of(data[8*k +: 8]);
    assign wrong[k] = received[k] ? !parity[k] : parity[k];
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        parity = sum((((i.data >> (8 * k) & 255).bit_count() + odd) & 1) << k for k in range(lanes))
        wrong = parity ^ i.received
        return {"parity": parity, "wrong": wrong, "error": int(i.check and wrong != 0)}

    return Draft(
        rtl=f"""
module parity_checker #(
  parameter int LANES = {lanes}
) (
  input logic [8*LANES-1:0] data,
  input logic [LANES-1:0] received,
  input logic check,
  output logic [LANES-1:0] parity,
  output logic [LANES-1:0] wrong,
  output logic error
);
  {body}
  assign error = check && (wrong != 0);
endmodule
""",
        about=f"""{"Odd" if odd else "Even"} parity over {lanes} byte{"s" if lanes > 1 else ""}: each bit of `parity`
        makes the number of ones in its
            byte and itself {"odd" if odd else "even"}. `wrong` marks the bytes whose `received` parity differs, and
            `error` is high where
            `check` is and some byte is wrong.""",
        model=model,
        names=("parity_gen", "parity_unit", "byte_parity"),
    )


def _hamming_places(data: int) -> tuple[list[int], list[int]]:
    """The places, from 1, of data and check bits in a code word."""
    checks = next(k for k in range(2, 8) if (1 << k) >= data + k + 1)
    total = data + checks
    parity = [1 << k for k in range(checks)]
    return [place for place in range(1, total + 1) if place not in parity], parity


@family(variants=2)
def hamming_encoder(r: Random, variant: int) -> Draft:
    """Check bits at the powers of two."""
    data = r.choice((4, 8, 11))
    extended = r.random() < 0.5
    places, checks = _hamming_places(data)
    total = data + len(checks)
    wires = "\n".join(f"  assign code[{place - 1}] = din[{k}];" for k, place in enumerate(places))
    sums = "\n".join(
        f"  assign code[{check - 1}] = {' ^ '.join(f'din[{k}]' for k, place in enumerate(places) if place & check)};"
        for check in checks
    )
    overall = f"  assign code[{total}] = ^code[{total - 1}:0]; // even over everything" if extended else ""
    order = sorted(
        [(place, f"din[{k}]") for k, place in enumerate(places)] + [(c, f"check[{k}]") for k, c in enumerate(checks)]
    )
    joined = ", ".join(text for _, text in reversed(order))
    check_sums = "\n".join(
        f"    check[{n}] = {' ^ '.join(f'din[{k}]' for k, place in enumerate(places) if place & check)};"
        for n, check in enumerate(checks)
    )
    whole = f"    code = {{^{{{joined}}}, {joined}}};" if extended else f"    code = {{{joined}}};"
    body = (
        f"""
  // data bits between the check bits
{wires}
  // check bit n covers the places whose number has bit n set
{sums}
{overall}
""",
        f"""
  logic [{len(checks) - 1}:0] check;

  always_comb begin
    // each check bit covers the places whose number has its bit set
{check_sums}
{whole}
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        return {"code": _encoded(i.din, data, extended)}

    return Draft(
        rtl=f"""
module hamming_encoder (
  input logic [{data - 1}:0] din,
  output logic [{total + extended - 1}:0] code
);
  {body}
endmodule
""",
        about=f"""Hamming ({total},{data}) encoder{" with an overall parity bit on top" if extended else ""}. Bit n of
        `code` has place n+1. Check
            bits stand at the places 1, 2, 4 and so on, and make the parity over the places with that bit in their
            number even;
            the bits of `din` fill the others in ascending
            order.{" The top bit makes the parity of the whole word even." if extended else ""}""",
        model=model,
        names=("ham_enc", "ecc_encoder", f"hamming_{total}_{data}_enc"),
        cycles=80,
    )


def _encoded(value: int, data: int, extended: bool) -> int:
    places, checks = _hamming_places(data)
    code = sum((value >> k & 1) << (place - 1) for k, place in enumerate(places))
    for check in checks:
        covered = sum(code >> (place - 1) & 1 for place in places if place & check)
        code |= (covered & 1) << (check - 1)
    return code | (code.bit_count() & 1) << (data + len(checks)) if extended else code


@family(variants=2, held_out=True)
def hamming_decoder(r: Random, variant: int) -> Draft:
    """Corrects one wrong bit, and tells two apart from it."""
    data = r.choice((4, 8, 11))
    places, checks = _hamming_places(data)
    total = data + len(checks)
    bits = len(checks)
    syndrome = "\n".join(
        f"  assign syndrome[{n}] = {' ^ '.join(f'code[{k}]' for k in range(total) if (k + 1) & check)};"
        for n, check in enumerate(checks)
    )
    picked = ", ".join(f"fixed[{place - 1}]" for place in reversed(places))
    body = (
        f"""
{syndrome}
  assign odd = ^code;
  // an odd number of wrong bits is taken for one
  assign corrected = odd;
  assign double_error = !odd && (syndrome != 0);

  always_comb begin
    fixed = code[{total - 1}:0];
    for (int i = 0; i < {total}; i++) begin
      if (odd && syndrome == i + 1) fixed[i] = ~code[i];
    end
  end

  assign dout = {{{picked}}};
""",
        f"""
  logic [{total - 1}:0] flip;

  // the number of the place that is wrong
  always_comb begin
    syndrome = '0;
    for (int i = 0; i < {total}; i++) begin
      if (code[i]) syndrome = syndrome ^ (i + 1);
    end
  end

  assign odd = ^code[{total}:0];
  assign flip = (odd && syndrome != 0) ? {total}'d1 << (syndrome - 1'b1) : 0;
  assign fixed = code[{total - 1}:0] ^ flip;
  assign dout = {{{picked}}};

  always_comb begin
    corrected = 1'b0;
    double_error = 1'b0;
    case ({{odd, |syndrome}})
      2'b10, 2'b11: corrected = 1'b1;
      2'b01: double_error = 1'b1;
      default: ; // nothing is wrong
    endcase
  end
""",
    )[variant]

    def model(i: Pins) -> Outputs:
        code, number = i.code & ((1 << total) - 1), 0
        for place in range(1, total + 1):
            number ^= place if code >> (place - 1) & 1 else 0
        odd = i.code.bit_count() & 1
        if odd and 0 < number <= total:
            code ^= 1 << (number - 1)
        value = sum((code >> (place - 1) & 1) << k for k, place in enumerate(places))
        return {"dout": value, "corrected": odd, "double_error": int(not odd and number != 0)}

    def word(r: Random) -> int:
        code = _encoded(r.getrandbits(data), data, True)
        for _ in range(r.choice((0, 1, 1, 2, 2))):
            code ^= 1 << r.randrange(total + 1)
        return code

    return Draft(
        rtl=f"""
module hamming_decoder (
  input logic [{total}:0] code,
  output logic [{data - 1}:0] dout,
  output logic corrected,
  output logic double_error // two bits are wrong: the data cannot be trusted
);
  logic [{bits - 1}:0] syndrome;
  logic [{total - 1}:0] fixed;
  logic odd;
  {body}
endmodule
""",
        about=f"""SECDED decoder for a Hamming ({total},{data}) code with an overall parity bit on top. Bit n of
        `code` has place n+1; check
            bits stand at the powers of two. The syndrome is the exclusive or of the places of all set bits. With odd
            overall
            parity one bit is wrong: that at the place the syndrome names is turned over, or the parity bit itself
            where it is
            zero, and `corrected` is high. Even parity with a syndrome is a `double_error`. `dout` holds the data
            bits.""",
        model=model,
        names=("ham_dec", "ecc_decoder", "secded_decoder"),
        stimulus={"code": word},
    )


@family(variants=3)
def internet_checksum(r: Random, variant: int) -> Draft:
    """The ones' complement sum of words."""
    body = (
        """
  logic [16:0] total;
  logic [15:0] folded;

  // the carry comes in again at the bottom
  assign total = {1'b0, first ? 16'd0 : sum} + {1'b0, word};
  assign folded = total[15:0] + total[16];

  always_ff @(posedge clk) begin
    if (rst) begin
      sum <= '0;
    end else if (valid) begin
      sum <= folded;
    end
  end
""",
        """
  logic [15:0] base, plain;
  logic carry;

  always_comb begin
    base = first ? 16'd0 : sum;
    {carry, plain} = base + word;
  end

  always_ff @(posedge clk) begin
    if (rst) sum <= '0;
    else if (valid) sum <= plain + carry; // end-around carry
  end
""",
        """
  logic [16:0] total;

  assign total = sum + word;

  always_ff @(posedge clk) begin
    if (rst) begin
      sum <= '0;
    end else if (valid) begin
      if (first)
        sum <= word;
      else if (total[16])
        sum <= total[15:0] + 1'b1;
      else
        sum <= total[15:0];
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.sum = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"checksum": s.sum ^ 0xFFFF, "good": int(s.sum == 0xFFFF)}
        if i.valid:
            total = (0 if i.first else s.sum) + i.word
            s.sum = (total & 0xFFFF) + (total >> 16)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # Sometimes the word that completes a packet.
        return {"word": s.sum ^ 0xFFFF, "first": 0} if r.random() < 0.15 else {}

    return Draft(
        rtl=f"""
module internet_checksum (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic first, // word of a packet
  input logic [15:0] word,
  output logic [15:0] checksum,
  output logic good // a packet with its checksum sums up to all ones
);
  logic [15:0] sum;
  {body}
  assign checksum = ~sum;
  assign good = (sum == 16'hffff);
endmodule
""",
        about="""Internet checksum over 16-bit words. A cycle with `valid` adds `word` to the ones' complement sum, in
        which a carry is
            added at the bottom; `first` begins a new packet. `checksum` is the complement of the sum of the words so
            far, and
            `good` says that this sum is all ones.""",
        model=Machine(reset, step),
        names=("ip_checksum", "checksum16", "ones_complement_sum"),
        stimulus={"valid": 0.85, "first": 0.08},
        drive=drive,
    )


@family(variants=2, held_out=True)
def fletcher_checksum(r: Random, variant: int) -> Draft:
    """Two sums, the second over the first."""
    modulus = r.choice((255, 256, 251))
    reduce = {
        255: ("a_total[8] ? a_total[7:0] + 1'b1 : a_total[7:0]", "ones"),
        256: ("a_total[7:0]", "plain"),
        251: ("(a_total >= 251) ? a_total - 251 : a_total[7:0]", "prime"),
    }[modulus][0]
    # In the sum modulo 255 all ones stands for zero, too.
    again = reduce.replace("a_total", "b_total")
    body = (
        f"""
  logic [8:0] a_total, b_total;
  logic [7:0] a_next, b_next;

  assign a_total = sum_a + din;
  assign a_next = {reduce};
  assign b_total = sum_b + a_next; // the second sum takes the new first one
  assign b_next = {again};

  always_ff @(posedge clk) begin
    if (rst) begin
      sum_a <= '0;
      sum_b <= '0;
    end else if (clear) begin
      sum_a <= '0;
      sum_b <= '0;
    end else if (valid) begin
      sum_a <= a_next;
      sum_b <= b_next;
    end
  end
""",
        f"""
  function automatic logic [7:0] reduced(input logic [8:0] total);
    reduced = {reduce.replace("a_total", "total")};
  endfunction

  logic [7:0] a_next;

  assign a_next = reduced(sum_a + din);

  always_ff @(posedge clk) begin
    if (rst) begin
      {{sum_b, sum_a}} <= '0;
    end else begin
      if (clear) begin
        {{sum_b, sum_a}} <= '0;
      end else if (valid) begin
        sum_a <= a_next;
        sum_b <= reduced(sum_b + a_next);
      end
    end
  end
""",
    )[variant]

    def fold(total: int) -> int:
        if modulus == 255:
            return ((total & 255) + 1) & 255 if total >> 8 else total
        return total - modulus if total >= modulus else total

    def reset(s: State) -> None:
        s.a = s.b = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"checksum": s.b << 8 | s.a}
        if i.clear:
            s.a = s.b = 0
        elif i.valid:
            s.a = fold(s.a + i.din)
            s.b = fold(s.b + s.a)
        return out

    return Draft(
        rtl=f"""
module fletcher_checksum (
  input logic clk,
  input logic rst,
  input logic clear,
  input logic valid,
  input logic [7:0] din,
  output logic [15:0] checksum
);
  logic [7:0] sum_a, sum_b;
  {body}
  assign checksum = {{sum_b, sum_a}};
endmodule
""",
        about=f"""Fletcher's checksum with sums modulo
        {modulus}{" (an end-around carry; 255 may stand for 0)" if modulus == 255 else ""}. A cycle with
            `valid` adds `din` to the first sum, and the new first sum to the second one. `checksum` is the second sum
            above
            the first. `clear` sets both to zero and goes before
            `valid`.{" Bytes are below 251." if modulus == 251 else ""}""",
        model=Machine(reset, step),
        names=("fletcher16", "two_sums", "fletcher"),
        stimulus={"valid": 0.85, "clear": 0.03, "din": range(min(modulus, 256))},
    )


@family(variants=2)
def self_synchronising_scrambler(r: Random, variant: int) -> Draft:
    """Scrambles a serial stream, or takes the scrambling away."""
    length, tap = r.choice(((7, 4), (7, 6), (9, 5), (11, 9), (15, 14)))
    descramble = r.random() < 0.5
    keep = "din" if descramble else "mixed"
    body = (
        f"""
  assign mixed = din ^ history[{tap - 1}] ^ history[{length - 1}];

  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      dout <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid;
      if (valid) begin
        dout <= bypass ? din : mixed;
        history <= {{history[{length - 2}:0], {keep}}};
      end
    end
  end
""",
        f"""
  logic [{length - 1}:0] history_next;

  always_comb begin
    mixed = din ^ (history[{tap - 1}] ^ history[{length - 1}]);
    history_next = (history << 1) | {keep};
  end

  always_ff @(posedge clk) begin
    if (rst) history <= '0;
    else if (valid) history <= history_next;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      dout <= 1'b0;
      out_valid <= 1'b0;
    end else begin
      out_valid <= valid;
      if (valid && bypass) dout <= din;
      else if (valid) dout <= mixed;
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.history, s.dout, s.valid = 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout, "out_valid": s.valid}
        s.valid = i.valid
        if i.valid:
            mixed = i.din ^ (s.history >> (tap - 1) & 1) ^ (s.history >> (length - 1) & 1)
            s.dout = i.din if i.bypass else mixed
            s.history = (s.history << 1 | (i.din if descramble else mixed)) & ((1 << length) - 1)
        return out

    name = "descrambler" if descramble else "scrambler"
    source = "received" if descramble else "scrambled"
    return Draft(
        rtl=f"""
module serial_{name} (
  input logic clk,
  input logic rst,
  input logic valid,
  input logic din,
  input logic bypass,
  output logic dout,
  output logic out_valid
);
  logic [{length - 1}:0] history; // the {source} bits, the newest lowest
  logic mixed;
  {body}
endmodule
""",
        about=f"""Self-synchronising {name} with the polynomial x^{length} + x^{tap} + 1. In a cycle with `valid`, the
        bit `din` is combined by
            exclusive or with the {source} bits of {tap} and {length} bits ago; the result is on `dout` in the next
            cycle, with
            `out_valid`. `bypass` lets `din` through unchanged while the history goes on.""",
        model=Machine(reset, step),
        names=(name, f"{name}_serial"),
        stimulus={"valid": 0.85, "bypass": 0.1},
        cycles=120,
    )
