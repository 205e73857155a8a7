"""Line codes: what is done to bits and bytes so that a receiver finds its clock, its balance and its frames."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def bit_stuffer(r: Random, variant: int) -> Draft:
    """Breaks up long runs with a bit of its own."""
    run = r.choice((3, 4, 5, 6))
    equal = r.random() < 0.5
    stuffing = "~dout" if equal else "1'b0"
    restart = "4'd1" if equal else "4'd0"
    same = "run != 0 && din == dout" if equal else "din"
    otherwise = "4'd1" if equal else "4'd0"
    counted = f"""
  logic [3:0] run; // how long the run is that was sent last
  logic stuff;

  assign stuff = (run == LIMIT);
  assign ready = en && frame && !stuff;

  always_ff @(posedge clk) begin
    if (rst) begin
      run <= 4'd0;
      dout <= 1'b1;
      stuffed <= 1'b0;
    end else if (en) begin
      stuffed <= frame && stuff;
      if (!frame) begin
        run <= 4'd0;
        dout <= 1'b1; // the line rests high
      end else if (stuff) begin
        run <= {restart};
        dout <= {stuffing};
      end else begin
        run <= ({same}) ? run + 4'd1 : {otherwise};
        dout <= din;
      end
    end
  end
"""
    history = (
        f"""
  logic [LIMIT-2:0] repeats; // newest at the right: whether a bit was like the one before it
  logic begun;
  logic bit_next;

  assign ready = en && frame && !(&repeats);
  assign bit_next = (&repeats) ? {stuffing} : din;

  always_ff @(posedge clk) begin
    if (rst) begin
      repeats <= '0;
      begun <= 1'b0;
      dout <= 1'b1;
      stuffed <= 1'b0;
    end else if (en) begin
      begun <= frame;
      stuffed <= frame & (&repeats);
      dout <= bit_next | ~frame;
      // the first bit of a frame repeats nothing
      if (frame) repeats <= {{repeats, begun && bit_next == dout}};
      else repeats <= '0;
    end
  end
"""
        if equal
        else """
  logic [LIMIT-1:0] history; // the bits sent last
  logic bit_next;

  assign ready = en && frame && !(&history);
  assign bit_next = (&history) ? 1'b0 : din;

  always_ff @(posedge clk) begin
    if (rst) begin
      history <= '0;
      dout <= 1'b1;
      stuffed <= 1'b0;
    end else if (en) begin
      stuffed <= frame & (&history);
      dout <= bit_next | ~frame;
      if (frame) history <= {history, bit_next};
      else history <= '0;
    end
  end
"""
    )
    planned = f"""
  logic [3:0] run, run_next;
  logic dout_next, stuff;

  always_ff @(posedge clk) begin
    if (rst) begin
      run <= '0;
      dout <= 1'b1;
      stuffed <= 1'b0;
    end else if (en) begin
      run <= run_next;
      dout <= dout_next;
      stuffed <= stuff;
    end
  end

  // outside a frame nothing is counted and nothing is stuffed
  always_comb begin
    stuff = 1'b0;
    dout_next = 1'b1;
    run_next = 4'd0;
    if (frame) begin
      stuff = (run >= LIMIT);
      dout_next = stuff ? {stuffing} : din;
      if (stuff) run_next = {restart};
      else if ({same}) run_next = run + 4'd1;
      else run_next = {otherwise};
    end
  end

  assign ready = en & frame & ~stuff;
"""
    body = (counted, history, planned)[variant]

    def reset(s: State) -> None:
        s.run, s.dout, s.stuffed = 0, 1, 0

    def step(s: State, i: Pins) -> Outputs:
        due = s.run == run
        out = {"ready": int(i.en and i.frame and not due), "dout": s.dout, "stuffed": s.stuffed}
        if i.en:
            s.stuffed = int(due and i.frame)
            if not i.frame:
                s.run, s.dout = 0, 1
            elif due:
                s.run, s.dout = (1, 1 - s.dout) if equal else (0, 0)
            else:
                if equal:
                    s.run = s.run + 1 if s.run and s.dout == i.din else 1
                else:
                    s.run = s.run + 1 if i.din else 0
                s.dout = i.din
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.bit = getattr(s, "bit", 0) ^ (r.random() < 0.2)
        return {"din": s.bit}

    rule = (
        f"After {run} equal bits in a row a bit of the opposite value is put in, and it counts as the first of the"
        " next run"
        if equal
        else f"After {run} ones in a row a 0 is put in"
    )
    return Draft(
        rtl=f"""
module bit_stuffer #(
  parameter int LIMIT = {run}
) (
  input logic clk,
  input logic rst,
  input logic en, // one bit time
  input logic frame,
  input logic din,
  output logic ready,
  output logic dout,
  output logic stuffed // `dout` is no data
);
  {body}
endmodule
""",
        about=(
            "Bit stuffing for a serial transmitter. Everything moves only in cycles with `en`. While `frame` is high"
            f" `din` is sent on `dout` with one bit time of delay. {rule}; `stuffed` is high while `dout` is such a"
            " bit."
            " `ready` is combinational: it is high with `en` in a frame where `din` is taken, and low where the next"
            " bit is a stuffing one. Without `frame` `dout` is 1 from the next bit time on, the run is forgotten, and"
            " a stuffing bit that was due is not sent.",
            f"Sends the bits of a frame and keeps long runs out of the line. {rule}. A bit time is a cycle with `en`;"
            " in others nothing changes and `ready` is low. `ready` tells in the same cycle whether `din` is taken:"
            " always while `frame` is high, save where a bit is put in. `dout` and `stuffed`, which marks the bits put"
            " in, are registers. Where `frame` is low the line goes to 1 and the count starts anew, also when a bit"
            " was about to be put in.",
        ),
        model=Machine(reset, step),
        names=("stuff_bits", "bitstuff_tx", "zero_inserter" if not equal else "can_stuffer", "stuffing_unit"),
        stimulus={"en": 0.8, "frame": 0.93},
        drive=drive,
        cycles=200,
    )


@family(variants=2)
def bit_destuffer(r: Random, variant: int) -> Draft:
    """Takes stuffing bits out again, and says when one is missing."""
    run = r.choice((3, 4, 5, 6))
    equal = r.random() < 0.5
    sticky = r.random() < 0.5
    wrong = "din == last_bit" if equal else "din"
    grown = "(count != 0 && din == last_bit) ? count + 1'b1 : 3'd1" if equal else "din ? count + 1'b1 : 3'd0"
    after = "3'd1" if equal else "3'd0"
    keep = "      last_bit <= din;\n" if equal else ""
    keep_reset = "      last_bit <= 1'b0;\n" if equal else ""
    declared = "  logic last_bit;\n" if equal else ""
    lost_declared = "  logic lost; // until the frame ends\n" if sticky else ""
    alive = " && !lost" if sticky else ""
    one = f"""
  logic [2:0] count;
{declared}{lost_declared}
  always_ff @(posedge clk) begin
    if (rst) begin
      count <= 3'd0;
{keep_reset}{"      lost <= 1'b0;" if sticky else ""}
      dout <= 1'b0;
      valid <= 1'b0;
      error <= 1'b0;
    end else begin
      valid <= 1'b0;
      error <= 1'b0;
      if (!frame) begin
        count <= 3'd0;
        {"lost <= 1'b0;" if sticky else ""}
      end else if (en{alive}) begin
  {keep}        if (count == LIMIT) begin
          // this bit was put in by the sender
          count <= {after};
          if ({wrong}) begin
            error <= 1'b1;
            {"lost <= 1'b1;" if sticky else ""}
          end
        end else begin
          count <= {grown};
          dout <= din;
          valid <= 1'b1;
        end
      end
    end
  end
"""
    split = f"""
  logic [2:0] count;
{declared}{lost_declared}  logic take, drop, violated;

  assign take = frame && en{alive};
  assign drop = (count == LIMIT);
  assign violated = take && drop && ({wrong});

  // length of the run up to the last bit
  always_ff @(posedge clk) begin
    if (rst) count <= 3'd0;
    else if (!frame) count <= 3'd0;
    else if (take) begin
      if (drop) count <= {after};
      else count <= {grown};
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) last_bit <= 1'b0;
    else if (take) last_bit <= din;
  end
'''
        if equal
        else ""
    }{
        '''
  // after a violation nothing is trusted until the next frame
  always_ff @(posedge clk) begin
    if (rst) lost <= 1'b0;
    else lost <= frame && (lost || violated);
  end
'''
        if sticky
        else ""
    }
  always_ff @(posedge clk) begin
    if (rst) begin
      dout <= 1'b0;
      valid <= 1'b0;
      error <= 1'b0;
    end else begin
      error <= violated;
      valid <= take && !drop;
      if (take && !drop) dout <= din;
    end
  end
"""
    body = (one, split)[variant]

    def reset(s: State) -> None:
        s.count = s.last = s.lost = s.dout = s.valid = s.error = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"dout": s.dout if s.valid else None, "valid": s.valid, "error": s.error}
        s.valid = s.error = 0
        if not i.frame:
            s.count = s.lost = 0
        elif i.en and not s.lost:
            if s.count == run:
                s.error = int(i.din == s.last) if equal else i.din
                s.lost = int(s.error and sticky)
                s.count = 1 if equal else 0
            else:
                if equal:
                    s.count = s.count + 1 if s.count and i.din == s.last else 1
                else:
                    s.count = s.count + 1 if i.din else 0
                s.dout, s.valid = i.din, 1
            s.last = i.din
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.count == run:
            bad = r.random() < 0.2
            return {"din": int(bad) if not equal else s.last ^ (not bad)}
        return {"din": s.last ^ (r.random() < 0.25)}

    rule = f"{run} equal bits" if equal else f"{run} ones"
    value = "have the other value" if equal else "be 0"
    counted = ", and is the first of the next run" if equal else ""
    later = (
        " After an error no bit is given out until `frame` has been low."
        if sticky
        else f" The bit is dropped then too{counted}."
    )
    return Draft(
        rtl=f"""
module bit_destuffer #(
  parameter int LIMIT = {run}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic frame,
  input logic din,
  output logic dout,
  output logic valid,
  output logic error
);
  {body}
endmodule
""",
        about=f"""Removes stuffing bits from a received stream. A bit `din` comes in each cycle with `en` while `frame`
            is high; low `frame` starts the count anew. Each data bit appears on `dout` in the next cycle, with `valid`.
            The bit behind a run of {rule} is a stuffing bit: it has to {value}{counted}, and is not given out; where it
            is not so, `error` is high for the next cycle.{later}""",
        model=Machine(reset, step),
        names=("destuff_bits", "unstuffer", "stuff_remover", "bitstuff_rx"),
        stimulus={"en": 0.85, "frame": 0.95},
        drive=drive,
        cycles=220,
    )


@family(variants=3)
def nrzi_codec(r: Random, variant: int) -> Draft:
    """A level that turns for one of the two bits, both ways, and a look at the line's life."""
    toggles = r.getrandbits(1)
    level = r.getrandbits(1)
    limit = r.choice((4, 6, 7))
    turn = "tx_bit" if toggles else "!tx_bit"
    decode = "rx_line ^ rx_prev" if toggles else "rx_line ~^ rx_prev"
    plain = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      tx_line <= 1'b{level};
    end else if (en) begin
      if ({turn}) tx_line <= ~tx_line;
    end
  end

  // a level that stays is a {1 - toggles}
  always_ff @(posedge clk) begin
    if (rst) begin
      rx_prev <= 1'b{level};
      rx_bit <= 1'b{1 - toggles};
      quiet <= '0;
    end else if (en) begin
      rx_prev <= rx_line;
      rx_bit <= {decode};
      if (rx_line != rx_prev) quiet <= '0;
      else if (quiet != LIMIT) quiet <= quiet + 1'b1;
    end
  end

  assign rx_lost = (quiet == LIMIT);
"""
    together = f"""
  logic turned;

  assign turned = rx_line ^ rx_prev;
  assign rx_lost = (quiet == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      tx_line <= 1'b{level};
      rx_prev <= 1'b{level};
      rx_bit <= 1'b{1 - toggles};
      quiet <= LIMIT;
    end else if (en) begin
      tx_line <= tx_line ^ ({"tx_bit" if toggles else "~tx_bit"});
      rx_prev <= rx_line;
      rx_bit <= {"turned" if toggles else "~turned"};
      // bit times that may still pass without a transition
      quiet <= turned ? LIMIT : (rx_lost ? quiet : quiet - 1'b1);
    end
  end
"""
    planned = f"""
  logic tx_line_next, rx_bit_next;
  logic [2:0] quiet_next;

  always_comb begin
    tx_line_next = tx_line;
    if (tx_bit == 1'b{toggles}) tx_line_next = !tx_line;
    rx_bit_next = (rx_line == rx_prev) ? 1'b{1 - toggles} : 1'b{toggles};
    if (rx_line != rx_prev) quiet_next = 3'd0;
    else if (rx_lost) quiet_next = quiet;
    else quiet_next = quiet + 3'd1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      {{tx_line, rx_prev}} <= 2'b{level}{level};
      rx_bit <= 1'b{1 - toggles};
      quiet <= 3'd0;
    end else if (en) begin
      tx_line <= tx_line_next;
      rx_prev <= rx_line;
      rx_bit <= rx_bit_next;
      quiet <= quiet_next;
    end
  end

  assign rx_lost = (quiet >= LIMIT);
"""
    body = (plain, together, planned)[variant]

    def reset(s: State) -> None:
        s.line = s.prev = level
        s.bit, s.quiet = 1 - toggles, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"tx_line": s.line, "rx_bit": s.bit, "rx_lost": int(s.quiet == limit)}
        if i.en:
            if i.tx_bit == toggles:
                s.line ^= 1
            turned = i.rx_line != s.prev
            s.bit = toggles if turned else 1 - toggles
            s.quiet = 0 if turned else min(s.quiet + 1, limit)
            s.prev = i.rx_line
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.05:
            s.likely = r.choice((0.05, 0.5, 0.5))
        return {"rx_line": s.prev ^ (r.random() < getattr(s, "likely", 0.5))}

    return Draft(
        rtl=f"""
module nrzi_codec #(
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic tx_bit,
  output logic tx_line,
  input logic rx_line,
  output logic rx_bit,
  output logic rx_lost // too long without a transition
);
  logic rx_prev;
  logic [2:0] quiet;
  {body}
endmodule
""",
        about=(
            f"NRZI coder and decoder of a link, one bit in each cycle with `en`. Sending, a {toggles} in `tx_bit`"
            f" inverts `tx_line` at the end of that cycle and a {1 - toggles} leaves it. Receiving, `rx_line` is"
            f" compared with what it was in the bit time before: a change decodes to {toggles}, no change to"
            f" {1 - toggles}, in `rx_bit` from the next cycle on. `rx_lost` is high from {limit} bit times in a row"
            f" without a change up to the next change. After reset both lines count as {level}, `rx_bit` is"
            f" {1 - toggles}.",
            f"Both ends of an NRZI line in which a {toggles} is a transition and a {1 - toggles} is none. With `en`,"
            f" `tx_line` (a register, {level} at first) turns for a `tx_bit` of {toggles}; `rx_bit` (a register,"
            f" {1 - toggles} at first) shows whether `rx_line` differs from its level one bit time ago, which is taken"
            f" as {level} after reset. After {limit} received bits without a transition `rx_lost` goes high, and the"
            " next transition clears it.",
        ),
        model=Machine(reset, step),
        names=("nrzi", "nrzi_coder", "transition_codec", "nrzi_transceiver"),
        stimulus={"en": 0.8},
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def disparity_encoder(r: Random, variant: int) -> Draft:
    """Sends a word as it is or inverted, whichever brings the line back into balance."""
    width = r.choice((4, 6, 8, 10))
    flag_low = r.random() < 0.5
    bits = 4 if width < 6 else 5
    flagged = "{word, invert}" if flag_low else "{invert, word}"
    signed = f"""
  logic signed [{bits}:0] balance, weight;
  logic [3:0] ones;
  logic invert;

  always_comb begin
    ones = 4'd0;
    for (int i = 0; i < WIDTH; i++) ones = ones + din[i];
  end

  // ones minus zeros of the code, whose flag is 0 where the word is sent as it is
  assign weight = $signed({{1'b0, ones, 1'b0}}) - (WIDTH + 1);
  assign invert = (balance > 0 && weight > 0) || (balance < 0 && weight < 0);
  assign word = invert ? ~din : din;

  always_ff @(posedge clk) begin
    if (rst) begin
      balance <= '0;
    end else if (valid_in) begin
      if (invert) balance <= balance - weight;
      else balance <= balance + weight;
    end
  end
"""
    by_sign = f"""
  logic [{bits}:0] balance; // two's complement
  logic [{bits}:0] weight;
  logic heavy, invert;

  function automatic logic [3:0] ones_of(input logic [WIDTH-1:0] value);
    logic [3:0] total;
    total = 4'd0;
    for (int k = 0; k < WIDTH; k++) total = total + value[k];
    ones_of = total;
  endfunction

  assign weight = {{ones_of(din), 1'b0}} - (WIDTH + 1);
  assign heavy = !weight[{bits}]; // more ones than zeros: the weight is odd and never zero
  // a word that leans to the same side as the line is turned over
  assign invert = (balance != 0) && (heavy == !balance[{bits}]);
  assign word = din ^ {{WIDTH{{invert}}}};

  always_ff @(posedge clk) begin
    if (rst) balance <= '0;
    else if (valid_in) balance <= invert ? balance - weight : balance + weight;
  end
"""
    counted = f"""
  logic signed [{bits}:0] balance, balance_next;
  logic invert;

  always_comb begin
    balance_next = '0;
    for (int i = 0; i < WIDTH; i++) begin
      if (din[i]) balance_next = balance_next + 1;
      else balance_next = balance_next - 1;
    end
    balance_next = balance_next - 1; // the flag, while it is 0
    invert = 1'b0;
    if (balance != 0) invert = (balance[{bits}] == balance_next[{bits}]);
    // inverting the whole code negates what it adds
    if (invert) balance_next = balance - balance_next;
    else balance_next = balance + balance_next;
  end

  always_comb begin
    word = din;
    if (invert) word = ~din;
  end

  always_ff @(posedge clk) begin
    if (rst) balance <= '0;
    else if (valid_in) balance <= balance_next;
  end
"""
    body = (signed, by_sign, counted)[variant]

    def reset(s: State) -> None:
        s.balance = s.code = s.valid = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"code": s.code, "valid": s.valid, "balanced": int(s.balance == 0)}
        s.valid = i.valid_in
        if i.valid_in:
            weight = 2 * i.din.bit_count() - width - 1
            invert = weight * s.balance > 0
            word = i.din ^ (1 << width) - 1 if invert else i.din
            s.code = word << 1 | invert if flag_low else invert << width | word
            s.balance += -weight if invert else weight
        return out

    place = "lowest" if flag_low else "highest"
    return Draft(
        rtl=f"""
module disparity_encoder #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic valid_in,
  input logic [WIDTH-1:0] din,
  output logic valid,
  output logic [WIDTH:0] code,
  output logic balanced // as many ones as zeros were sent since reset
);
  logic [WIDTH-1:0] word;
  {body}
  assign balanced = (balance == 0);

  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      code <= '0;
    end else begin
      valid <= valid_in;
      if (valid_in) code <= {flagged};
    end
  end
endmodule
""",
        about=f"""Encoder that keeps a line free of direct current. Each word `din` of {width} bits becomes a code of
            {width + 1} bits, with the flag in its {place} bit: the word with flag 0, or the inverted word with flag 1.
            The
            running disparity is the number of ones minus that of zeros in all codes since reset. The code is inverted
            where the disparity of the plain code (the word and a flag of 0) has the same sign as the running one; at a
            running disparity of 0 it goes out plain. `code` and `valid` follow `din` and `valid_in` by a cycle and
            `code` stays without a new word; `balanced` is high while the running disparity is 0.""",
        model=Machine(reset, step),
        names=("dc_balancer", "balance_encoder", "running_disparity", "disparity_inverter"),
        stimulus={
            "valid_in": 0.75,
            "din": lambda r: r.getrandbits(width) | (r.getrandbits(width) if r.random() < 0.6 else 0),
        },
        cycles=140,
    )


@family(variants=2)
def escape_encoder(r: Random, variant: int) -> Draft:
    """Frames packets of bytes with a byte that the data cannot show."""
    by_xor = r.random() < 0.5
    end, esc = r.choice(((0xC0, 0xDB), (0x7E, 0x7D), (0xF0, 0xF7), (0x02, 0x10)))
    end_code, esc_code = (0, 0)
    flip = r.choice((0x20, 0x80, 0x55))
    if not by_xor:
        end_code, esc_code = r.choice(((0xDC, 0xDD), (0x01, 0x03), (0x41, 0x42)))
    lead = r.random() < 0.5
    constants = (
        f"  localparam logic [7:0] FLIP = 8'h{flip:02x};\n"
        if by_xor
        else f"  localparam logic [7:0] ESC_END = 8'h{end_code:02x};\n"
        f"  localparam logic [7:0] ESC_ESC = 8'h{esc_code:02x};\n"
    )
    replaced = "in_data ^ FLIP" if by_xor else "(in_data == END_BYTE) ? ESC_END : ESC_ESC"
    start = "HEAD" if lead else "DATA"
    head_arm = """
      HEAD: begin
        out_valid = in_valid; // nothing is sent before a packet comes
        out_data = END_BYTE;
        if (in_valid && out_ready) state_next = DATA;
      end"""
    machine = f"""
  typedef enum logic [1:0] {{{"HEAD, DATA" if lead else "DATA"}, ESCAPED, TAIL}} state_t;
  state_t state, state_next;
  logic [7:0] code;
  logic last_held;

  always_comb begin
    state_next = state;
    in_ready = 1'b0;
    out_valid = 1'b1;
    out_data = END_BYTE;
    case (state){head_arm if lead else ""}
      DATA: begin
        in_ready = out_ready;
        out_valid = in_valid;
        out_data = special ? ESC_BYTE : in_data;
        if (in_valid && out_ready) begin
          if (special) state_next = ESCAPED;
          else if (in_last) state_next = TAIL;
        end
      end
      ESCAPED: begin
        out_data = code;
        if (out_ready) state_next = last_held ? TAIL : DATA;
      end
      default: if (out_ready) state_next = {start};
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= {start};
      code <= 8'h00;
      last_held <= 1'b0;
    end else begin
      state <= state_next;
      // what stands for the byte is kept, so that the sender may go on
      if (in_valid && in_ready) begin
        code <= {replaced};
        last_held <= in_last;
      end
    end
  end
"""
    flags = f"""
  logic code_due, end_due{", open" if lead else ""};
  logic [7:0] code;
  logic taken;

  // what is due goes before what comes in
  assign in_ready = out_ready && !code_due && !end_due{" && open" if lead else ""};
  assign taken = in_valid && in_ready;
  assign out_valid = in_valid || code_due || end_due;

  always_comb begin
    if (code_due) out_data = code;
    else if (end_due{" || !open" if lead else ""}) out_data = END_BYTE;
    else if (special) out_data = ESC_BYTE;
    else out_data = in_data;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      code_due <= 1'b0;
      end_due <= 1'b0;
      {"open <= 1'b0;" if lead else ""}
    end else if (out_valid && out_ready) begin
      code_due <= taken && special;
      if (taken) end_due <= in_last;
      else if (!code_due) end_due <= 1'b0;
      {"open <= !(end_due && !code_due);" if lead else ""}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) code <= '0;
    else if (taken && special) code <= {replaced};
  end
"""
    body = (machine, flags)[variant]

    def reset(s: State) -> None:
        s.mode, s.code, s.last = "head" if lead else "data", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        special = i.in_data in (end, esc)
        ready, valid, data = 0, 1, end
        if s.mode == "head":
            valid = i.in_valid
        elif s.mode == "data":
            ready, valid, data = i.out_ready, i.in_valid, esc if special else i.in_data
        elif s.mode == "escaped":
            data = s.code
        out = {"in_ready": ready if i.in_valid else None, "out_valid": valid, "out_data": data if valid else None}
        if valid and i.out_ready:
            if s.mode == "head":
                s.mode = "data"
            elif s.mode == "data":
                s.last = i.in_last
                s.code = i.in_data ^ flip if by_xor else end_code if i.in_data == end else esc_code
                s.mode = "escaped" if special else "tail" if i.in_last else "data"
            elif s.mode == "escaped":
                s.mode = "tail" if s.last else "data"
            else:
                s.mode = "head" if lead else "data"
        return out

    sent = (
        f"followed by the byte itself exclusive-or {flip:02x}"
        if by_xor
        else f"followed by {end_code:02x} for {end:02x} and by {esc_code:02x} for {esc:02x}"
    )
    opening = f"; each packet also starts with {end:02x}, sent before its first byte is taken" if lead else ""
    return Draft(
        rtl=f"""
module escape_encoder (
  input logic clk,
  input logic rst,
  input logic in_valid,
  output logic in_ready,
  input logic [7:0] in_data,
  input logic in_last,
  output logic out_valid,
  input logic out_ready,
  output logic [7:0] out_data
);
  localparam logic [7:0] END_BYTE = 8'h{end:02x};
  localparam logic [7:0] ESC_BYTE = 8'h{esc:02x};
{constants}  logic special;

  assign special = (in_data == END_BYTE) || (in_data == ESC_BYTE);
  {body}
endmodule
""",
        about=f"""Puts packets on a byte stream (all values in hexadecimal). Bytes come with `in_valid`, `in_ready` and
            `in_last` on the last one of a packet, and leave with `out_valid` and `out_ready`, in the same cycle where
            they need no change. A byte {end:02x} or {esc:02x} is sent as {esc:02x}, {sent}: the input byte is taken
            with the {esc:02x}, and `in_ready` is low while the second one is sent. The last byte of a packet is
            followed by {end:02x}{opening}.
            A byte is taken or sent where valid and ready are both high; `in_ready` has no meaning without
            `in_valid`.""",
        model=Machine(reset, step),
        names=("slip_encoder", "byte_stuffer", "frame_escaper", "packet_framer"),
        stimulus={"in_valid": 0.75, "out_ready": 0.75, "in_last": 0.25, "in_data": (end, esc, 0x31, 0xA5, end ^ 1)},
        cycles=200,
    )


@family(variants=2)
def escape_decoder(r: Random, variant: int) -> Draft:
    """Finds packets in a byte stream, and undoes the escapes."""
    by_xor = r.random() < 0.5
    end, esc = r.choice(((0xC0, 0xDB), (0x7E, 0x7D), (0xF0, 0xF7), (0x02, 0x10)))
    flip = r.choice((0x20, 0x80, 0x55))
    end_code, esc_code = (end ^ flip, esc ^ flip) if by_xor else r.choice(((0xDC, 0xDD), (0x01, 0x03), (0x41, 0x42)))
    strict = not by_xor or r.random() < 0.5
    legal = "rx_data == ESC_END || rx_data == ESC_ESC" if strict else "rx_data != ESC_BYTE"
    restored = f"rx_data ^ 8'h{flip:02x}" if by_xor else "(rx_data == ESC_END) ? END_BYTE : ESC_BYTE"
    constants = (
        f"  localparam logic [7:0] ESC_END = 8'h{end_code:02x};\n"
        f"  localparam logic [7:0] ESC_ESC = 8'h{esc_code:02x};\n"
        if strict
        else ""
    )
    machine = f"""
  typedef enum logic [1:0] {{DATA, ESCAPED, DROP}} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= DATA;
      begun <= 1'b0;
      valid <= 1'b0;
      data <= '0;
      done <= 1'b0;
      error <= 1'b0;
    end else begin
      valid <= 1'b0;
      done <= 1'b0;
      error <= 1'b0;
      if (rx_valid && rx_data == END_BYTE) begin
        // the end counts in every state
        state <= DATA;
        begun <= 1'b0;
        done <= (state == DATA) && begun;
        error <= (state == ESCAPED); // cut off in an escape
      end else if (rx_valid) begin
        case (state)
          DATA: begin
            if (rx_data == ESC_BYTE) begin
              state <= ESCAPED;
            end else begin
              valid <= 1'b1;
              data <= rx_data;
              begun <= 1'b1;
            end
          end
          ESCAPED: begin
            if ({legal}) begin
              valid <= 1'b1;
              data <= {restored};
              begun <= 1'b1;
              state <= DATA;
            end else begin
              error <= 1'b1;
              state <= DROP; // the rest of the packet is worth nothing
            end
          end
          default: state <= DROP;
        endcase
      end
    end
  end
"""
    flags = f"""
  logic escaped, dropping;
  logic is_end, is_esc, legal, plain, bad;

  assign is_end = rx_valid && (rx_data == END_BYTE);
  assign is_esc = rx_valid && !escaped && !dropping && (rx_data == ESC_BYTE);
  assign legal = rx_valid && escaped && !is_end && ({legal});
  assign plain = rx_valid && !escaped && !dropping && !is_end && !is_esc;
  assign bad = rx_valid && escaped && !legal;

  always_ff @(posedge clk) begin
    if (rst) begin
      escaped <= 1'b0;
      dropping <= 1'b0;
      begun <= 1'b0;
    end else if (rx_valid) begin
      escaped <= is_esc;
      dropping <= !is_end && (dropping || bad);
      begun <= !is_end && (begun || plain || legal);
    end
  end

  // one cycle behind the byte
  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;
      data <= '0;
      done <= 1'b0;
      error <= 1'b0;
    end else begin
      valid <= plain || legal;
      if (plain) data <= rx_data;
      else if (legal) data <= {restored};
      done <= is_end && begun && !escaped && !dropping;
      error <= bad;
    end
  end
"""
    body = (machine, flags)[variant]

    def reset(s: State) -> None:
        s.mode, s.begun, s.out = "data", 0, (0, 0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        valid, data, done, error = s.out
        out = {"valid": valid, "data": data if valid else None, "done": done, "error": error}
        valid = data = done = error = 0
        if i.rx_valid and i.rx_data == end:
            done, error = int(s.mode == "data" and s.begun), int(s.mode == "escaped")
            s.mode, s.begun = "data", 0
        elif i.rx_valid and s.mode == "data":
            if i.rx_data == esc:
                s.mode = "escaped"
            else:
                valid, data, s.begun = 1, i.rx_data, 1
        elif i.rx_valid and s.mode == "escaped":
            if i.rx_data in (end_code, esc_code) if strict else i.rx_data != esc:
                s.mode, s.begun, valid = "data", 1, 1
                data = i.rx_data ^ flip if by_xor else end if i.rx_data == end_code else esc
            else:
                s.mode, error = "drop", 1
        s.out = valid, data, done, error
        return out

    if not strict:
        rule = f"the byte behind it exclusive-or {flip:02x}; only {esc:02x} is not allowed there"
    elif by_xor:
        rule = (
            f"the byte behind it exclusive-or {flip:02x}, which has to be {end_code:02x} or {esc_code:02x}"
            " (as received)"
        )
    else:
        rule = f"{end:02x} where {end_code:02x} follows and {esc:02x} where {esc_code:02x} does; no other byte may"
    return Draft(
        rtl=f"""
module escape_decoder (
  input logic clk,
  input logic rst,
  input logic rx_valid,
  input logic [7:0] rx_data,
  output logic valid,
  output logic [7:0] data,
  output logic done, // a packet is complete
  output logic error
);
  localparam logic [7:0] END_BYTE = 8'h{end:02x};
  localparam logic [7:0] ESC_BYTE = 8'h{esc:02x};
{constants}  logic begun; // the packet has a byte
  {body}
endmodule
""",
        about=f"""Decodes packets from bytes that come with `rx_valid` (values in hexadecimal). {end:02x} ends a packet;
            {esc:02x} stands, together with the byte behind it, for one data byte: {rule}. All outputs are registers and
            pulse for the cycle behind the byte that caused them: `valid` with `data` for a data byte, `done` for an end
            behind at least one data byte of a sound packet (an end alone says nothing), `error` for an escape with a
            wrong byte or with {end:02x} behind it. After a wrong byte the bytes up to the next {end:02x} are dropped,
            and that end gives neither `done` nor `error`.""",
        model=Machine(reset, step),
        names=("slip_decoder", "byte_destuffer", "frame_unescaper", "packet_deframer"),
        stimulus={
            "rx_valid": 0.8,
            "rx_data": (end, esc, esc, esc, end_code, end_code, esc_code, esc_code, 0x31, 0xA5),
        },
        cycles=220,
    )
