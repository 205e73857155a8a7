"""Front panels: keys, displays, lamps and sounds."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def keypad_scanner(r: Random, variant: int) -> Draft:
    """Looks for a pressed key row by row."""
    rows, cols = r.choice(((4, 4), (4, 3), (3, 3), (4, 4)))
    dwell = r.choice((2, 3, 4))
    low = r.random() < 0.6
    keys = rows * cols
    kbits = (keys - 1).bit_length()
    rbits = (rows - 1).bit_length()
    dbits = (dwell - 1).bit_length()
    drive_rows = "~row_mask" if low else "row_mask"
    seen = "~col_in" if low else "col_in"
    tail = """
  // a key counts when two scans in a row have found it, and until one finds none
  always_ff @(posedge clk) begin
    if (rst) begin
      key <= '0;
      pressed <= 1'b0;
      key_valid <= 1'b0;
      prior_code <= '0;
      prior_found <= 1'b0;
    end else begin
      key_valid <= 1'b0;
      if (scan_end) begin
        prior_code <= scan_code;
        prior_found <= scan_found;
        if (!scan_found) begin
          pressed <= 1'b0;
        end else if (!pressed && prior_found && prior_code == scan_code) begin
          pressed <= 1'b1;
          key <= scan_code;
          key_valid <= 1'b1;
        end
      end
    end
  end
"""
    other_tail = """
  logic again;

  // the same key in this scan and in the one before
  assign again = scan_found && prior_found && (prior_code == scan_code);

  always_ff @(posedge clk) begin
    if (rst) begin
      prior_code <= '0;
      prior_found <= 1'b0;
    end else if (scan_end) begin
      prior_code <= scan_code;
      prior_found <= scan_found;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) pressed <= 1'b0;
    else if (scan_end) pressed <= again || (pressed && scan_found);
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      key_valid <= 1'b0;
      key <= '0;
    end else begin
      key_valid <= scan_end && again && !pressed;
      if (scan_end && again && !pressed) key <= scan_code;
    end
  end
"""
    search = """
  always_comb begin
    col = '0;
    for (int i = COLS - 1; i >= 0; i--) begin
      if (seen[i]) col = i;
    end
  end
"""
    chain = "\n    ".join(
        f"{'if' if k == 0 else 'else if'} (seen[{k}]) col = 2'd{k};" if k < cols - 1 else f"else col = 2'd{k};"
        for k in range(cols)
    )
    ifs = f"""
  // the first of several columns
  always_comb begin
    {chain}
  end
"""
    counted = f"""
  logic [{rbits - 1}:0] row;
  logic [{kbits - 1}:0] found_code;
  logic found;

  assign row_mask = {rows}'d1 << row;
  assign scan_end = row_end && (row == ROWS - 1);
  assign scan_found = found || any;
  assign scan_code = found ? found_code : row * COLS + col;
{search}
  // rows one after the other; the first key that is found in a scan is kept to its end
  always_ff @(posedge clk) begin
    if (rst) begin
      row <= '0;
      found <= 1'b0;
      found_code <= '0;
    end else if (row_end) begin
      row <= (row == ROWS - 1) ? '0 : row + 1'b1;
      found <= scan_found && !scan_end;
      found_code <= scan_code;
    end
  end
"""
    ring = f"""
  logic [{kbits - 1}:0] found_code, base; // number of the first key of the row
  logic found;

  assign scan_end = row_end & row_mask[ROWS-1];
  assign scan_found = found | any;
  assign scan_code = found ? found_code : base + col;
{ifs}
  always_ff @(posedge clk) begin
    if (rst) row_mask <= {rows}'d1;
    else if (row_end) row_mask <= {{row_mask[ROWS-2:0], row_mask[ROWS-1]}};
  end

  always_ff @(posedge clk) begin
    if (rst) base <= '0;
    else if (scan_end) base <= '0;
    else if (row_end) base <= base + COLS;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      found <= 1'b0;
      found_code <= '0;
    end else if (scan_end) begin
      found <= 1'b0;
    end else if (row_end && any && !found) begin
      found <= 1'b1;
      found_code <= base + col;
    end
  end
"""
    image = f"""
  logic [ROWS*COLS-1:0] image, image_next; // all keys, as this scan has seen them
  logic [{rbits - 1}:0] row;

  always_comb begin
    image_next = image;
    for (int i = 0; i < ROWS; i++) begin
      if (row == i) image_next[i*COLS +: COLS] = seen;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      image <= '0;
      row <= '0;
    end else if (row_end) begin
      image <= image_next;
      row <= scan_end ? '0 : row + 1'b1;
    end
  end

  assign scan_end = row_end && (row == ROWS - 1);
  assign scan_found = (image_next != 0);

  for (genvar k = 0; k < ROWS; k++) begin : gen_row
    assign row_mask[k] = (row == k);
  end

  // the lowest number wins
  always_comb begin
    scan_code = '0;
    for (int i = ROWS * COLS - 1; i >= 0; i--) begin
      if (image_next[i]) scan_code = i;
    end
  end
"""
    body = (counted + tail, ring + other_tail, image + (tail if r.random() < 0.5 else other_tail))[variant]
    column = "" if variant == 2 else "  logic [1:0] col;\n  logic any;\n\n  assign any = |seen;\n"

    def reset(s: State) -> None:
        s.time = s.row = s.key = s.pressed = s.valid = 0
        s.found = s.last = None

    def step(s: State, i: Pins) -> Outputs:
        mask = 1 << s.row
        out = {
            "row_out": mask ^ ((1 << rows) - 1) if low else mask,
            "key": s.key,
            "pressed": s.pressed,
            "key_valid": s.valid,
        }
        s.valid = 0
        s.time += 1
        if s.time == dwell:
            s.time = 0
            down = i.col_in ^ ((1 << cols) - 1) if low else i.col_in
            if s.found is None and down:
                s.found = s.row * cols + (down & -down).bit_length() - 1
            s.row = (s.row + 1) % rows
            if s.row == 0:
                if s.found is None:
                    s.pressed = 0
                elif s.found == s.last and not s.pressed:
                    s.key, s.pressed, s.valid = s.found, 1, 1
                s.last, s.found = s.found, None
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "left", 0) == 0:
            s.down = r.choice(((), (r.randrange(keys),), (r.randrange(keys),), (r.randrange(keys), r.randrange(keys))))
            s.left = dwell * rows * r.choice((1, 3, 4)) + r.randrange(4)
        s.left -= 1
        down = 0
        for one in s.down:
            if one // cols == s.row:
                down |= 1 << one % cols
        return {"col_in": down ^ ((1 << cols) - 1) if low else down}

    return Draft(
        rtl=f"""
module keypad_scanner #(
  parameter int ROWS = {rows},
  parameter int COLS = {cols},
  parameter int DWELL = {dwell} // cycles a row
) (
  input logic clk,
  input logic rst,
  output logic [ROWS-1:0] row_out, // one at a time is {"low" if low else "high"}
  input logic [COLS-1:0] col_in, // synchronised; {"low" if low else "high"} through a pressed key
  output logic [{kbits - 1}:0] key,
  output logic pressed,
  output logic key_valid
);
  logic [{dbits - 1}:0] timer;
  logic [ROWS-1:0] row_mask;
  logic [COLS-1:0] seen;
  logic [{kbits - 1}:0] scan_code, prior_code;
  logic row_end, scan_end, scan_found, prior_found;

  assign row_out = {drive_rows};
  assign seen = {seen};
{column}
  // the columns are read in the last cycle of each row, when they are stable
  assign row_end = (timer == DWELL - 1);

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (row_end) timer <= '0;
    else timer <= timer + 1'b1;
  end
  {body}
endmodule
""",
        about=f"""Scanner for a keypad of {rows} rows and {cols} columns. `row_out` drives one row after the other,
            from row
            0, for {dwell} cycles each: its bit is {"low and the others high" if low else "high and the others low"}. In
            the last of them `col_in` is read: a {"low" if low else "high"} bit is a pressed key of this row. Keys are
            numbered row by row from 0; of several in one scan of all rows the lowest number counts. At the end of a
            scan
            without a key `pressed` falls; when a scan finds the same key as the one before and `pressed` is low,
            `pressed` rises, `key` takes its number, and `key_valid` is high for one cycle (all with the edge that ends
            the scan). While `pressed` is high `key` stays, even if another key is found.""",
        model=Machine(reset, step),
        names=("keypad", "matrix_keypad", "key_matrix"),
        drive=drive,
        cycles=60 + 20 * rows * dwell,
    )


_SEGMENTS = (0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F, 0x77, 0x7C, 0x39, 0x5E, 0x79, 0x71)


@family(variants=3)
def display_multiplexer(r: Random, variant: int) -> Draft:
    """Shows the digits of a number one after the other, fast enough for the eye."""
    digits = r.choice((2, 3, 4))
    dbits = max(1, (digits - 1).bit_length())
    dwell = r.choice((3, 4, 5))
    tbits = (dwell - 1).bit_length()
    anode_low, seg_low = r.random() < 0.5, r.random() < 0.5
    blank_zeros = r.random() < 0.6
    gap = r.random() < 0.5
    decimal = r.random() < 0.4
    dash = 0x40
    table = {k: _SEGMENTS[k] if k < 10 or not decimal else dash for k in range(16)}
    arms = "\n".join(f"        4'd{k}: pattern_of = 7'b{_SEGMENTS[k]:07b};" for k in range(10 if decimal else 15)) + (
        "\n        default: pattern_of = 7'b1000000; // a dash"
        if decimal
        else f"\n        default: pattern_of = 7'b{_SEGMENTS[15]:07b};"
    )
    decoder = f"""
  // segments a to g from bit 0 to bit 6
  function automatic logic [6:0] pattern_of(input logic [3:0] number);
    begin
      case (number)
{arms}
      endcase
    end
  endfunction
"""
    zeros_loop = """
  logic leading;

  // zeros before the first other digit stay dark, except in the last place
  always_comb begin
    dark = '0;
    leading = 1'b1;
    for (int i = DIGITS - 1; i > 0; i--) begin
      if (held[4*i +: 4] != 0) leading = 1'b0;
      dark[i] = leading;
    end
  end
"""
    zeros_shift = """
  // a digit is dark where it and all above it are zero, except in the last place
  assign dark[0] = 1'b0;

  for (genvar k = 1; k < DIGITS; k++) begin : gen_dark
    assign dark[k] = (held[4*DIGITS-1:4*k] == 0);
  end
"""
    zeros = (zeros_loop, zeros_shift, zeros_loop)[variant] if blank_zeros else ""
    lit = "!gap_cycle" if gap else "1'b1"
    when = [*["!gap_cycle"] * gap, *["!dark[digit]"] * blank_zeros]
    indexed = f"""
  logic [{dbits - 1}:0] digit;
  logic [3:0] number;

  assign number = held[4*digit +: 4];
  assign round_end = (digit == DIGITS - 1);

  always_ff @(posedge clk) begin
    if (rst) digit <= '0;
    else if (digit_end) digit <= round_end ? '0 : digit + 1'b1;
  end

  always_comb begin
    anode_on = '0;
    if ({" && ".join(when) or "1'b1"}) anode_on[digit] = 1'b1;
    segment_on = {{held_dots[digit], pattern_of(number)}};
  end
"""
    if not when:
        indexed = indexed.replace("    if (1'b1) anode_on[digit] = 1'b1;", "    anode_on[digit] = 1'b1;")
    parts = " | ".join(f"(held[{4 * k + 3}:{4 * k}] & {{4{{ring[{k}]}}}})" for k in range(digits))
    ring_mask = ["ring", *["~dark"] * blank_zeros, *["{DIGITS{!gap_cycle}}"] * gap]
    ring = f"""
  logic [DIGITS-1:0] ring; // one hot: the digit that is shown
  logic [3:0] number;

  assign round_end = ring[DIGITS-1];
  assign number = {parts};
  assign anode_on = {" & ".join(ring_mask)};
  assign segment_on[6:0] = pattern_of(number);
  assign segment_on[7] = |(held_dots & ring);

  always_ff @(posedge clk) begin
    if (rst) ring <= {digits}'d1;
    else if (digit_end) ring <= {{ring[DIGITS-2:0], ring[DIGITS-1]}};
  end
"""
    chosen = "\n".join(
        f"      {dbits}'d{k}: begin\n        number = held[{4 * k + 3}:{4 * k}];\n        dot = held_dots[{k}];\n"
        f"        place = {digits}'b{1 << k:0{digits}b};\n      end"
        for k in range(digits - 1)
    )
    top = digits - 1
    cased = f"""
  logic [{dbits - 1}:0] digit;
  logic [3:0] number;
  logic [DIGITS-1:0] place;
  logic dot;

  always_comb begin
    case (digit)
{chosen}
      default: begin
        number = held[{4 * top + 3}:{4 * top}];
        dot = held_dots[{top}];
        place = {digits}'b{1 << top:0{digits}b};
      end
    endcase
  end

  assign round_end = (digit == {top});

  always_ff @(posedge clk) begin
    if (rst) begin
      digit <= '0;
    end else if (digit_end) begin
      if (round_end) digit <= '0;
      else digit <= digit + 1'b1;
    end
  end

  assign anode_on = {f"{lit} ? " if gap else ""}{"place & ~dark" if blank_zeros else "place"}{" : '0" if gap else ""};
  assign segment_on = {{dot, pattern_of(number)}};
"""
    body = (indexed, ring, cased)[variant]

    def reset(s: State) -> None:
        s.time = s.digit = s.held = s.dots = 0

    def step(s: State, i: Pins) -> Outputs:
        number = s.held >> 4 * s.digit & 15
        anode = 1 << s.digit
        if (gap and s.time == 0) or (blank_zeros and s.digit and s.held >> 4 * s.digit == 0):
            anode = 0
        pattern = table[number] | (s.dots >> s.digit & 1) << 7
        out = {
            "anode": anode ^ ((1 << digits) - 1) if anode_low else anode,
            "segment": pattern ^ 0xFF if seg_low else pattern,
        }
        s.time += 1
        if s.time == dwell:
            s.time, s.digit = 0, (s.digit + 1) % digits
            if s.digit == 0:
                s.held, s.dots = i.value, i.dots
        return out

    blank = " Leading zeros stay dark (no bit of `anode` is on for them), except in digit 0." if blank_zeros else ""
    ghost = " In the first cycle of each digit no bit of `anode` is on, against ghosts." if gap else ""
    return Draft(
        rtl=f"""
module display_multiplexer #(
  parameter int DIGITS = {digits},
  parameter int DWELL = {dwell} // cycles a digit
) (
  input logic clk,
  input logic rst,
  input logic [4*DIGITS-1:0] value, // four bits a digit
  input logic [DIGITS-1:0] dots,
  output logic [DIGITS-1:0] anode, // {"low" if anode_low else "high"} is on
  output logic [7:0] segment // the dot, and g to a; {"low" if seg_low else "high"} is on
);
  logic [{tbits - 1}:0] timer;
  logic [4*DIGITS-1:0] held;
  logic [DIGITS-1:0] held_dots, anode_on;
  logic [7:0] segment_on;
  logic digit_end, round_end;
  {"logic [DIGITS-1:0] dark;" if blank_zeros else ""}
  {"logic gap_cycle;" if gap else ""}
  {decoder}
  assign digit_end = (timer == DWELL - 1);
  {"assign gap_cycle = (timer == 0);" if gap else ""}

  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else timer <= digit_end ? '0 : timer + 1'b1;
  end

  // a new value is taken between two rounds, so that no mixture is shown
  always_ff @(posedge clk) begin
    if (rst) begin
      held <= '0;
      held_dots <= '0;
    end else if (digit_end && round_end) begin
      held <= value;
      held_dots <= dots;
    end
  end
  {zeros}
  {body}
  assign anode = {"~" if anode_low else ""}anode_on;
  assign segment = {"~" if seg_low else ""}segment_on;
endmodule
""",
        about=f"""Drives a multiplexed seven-segment display of {digits} digits. Each digit is shown for {
            dwell
        } cycles, from
            digit 0 (the lowest four bits of `value`) upwards and around: its bit of `anode` is {
            "0" if anode_low else "1"
        }
            and the others {"1" if anode_low else "0"}, and `segment` shows its number as {
            "a decimal digit, a dash (segment g only) for 10 to 15" if decimal else "a hexadecimal digit"
        } in bits 6 to 0 (g to a) and its bit of `dots` in bit 7; a segment is on where its bit is {
            "0" if seg_low else "1"
        }.
            `value` and `dots` are taken at the edge that ends the last digit and stay for a round; they count as 0 in
            the
            first round after reset.{blank}{ghost}""",
        model=Machine(reset, step),
        names=("seven_segment_driver", "digit_scanner", "display_driver"),
        stimulus={
            "value": lambda r: r.choice(
                (r.getrandbits(4 * digits), r.getrandbits(4 * digits), r.getrandbits(4), r.getrandbits(4 * digits - 4))
            ),
        },
        cycles=20 * digits * dwell,
    )


@family(variants=3)
def display_initialiser(r: Random, variant: int) -> Draft:
    """Starts up a character display: long waits and commands first, characters then."""
    power = r.choice((10, 15, 20))
    strobe = r.choice((2, 3))
    short = r.choice((4, 5, 6))
    long = short + r.choice((3, 5, 8))
    pool = (0x38, 0x0C, 0x06, 0x01, 0x02, 0x80, 0x28, 0x0F, 0x14, 0x30)
    commands = r.sample(pool, r.choice((3, 4, 5)))
    slow = [one in (0x01, 0x02, 0x30) for one in commands]
    if not any(slow) or all(slow):
        slow[r.randrange(len(slow))] ^= True
    size = len(commands)
    bits = size.bit_length()
    longest = max(power, long)
    tbits = longest.bit_length()
    entries = "\n".join(f"      {bits}'d{k}: command = 8'h{one:02x};" for k, one in enumerate(commands[:-1]))
    waits = " || ".join(f"index == {k}" for k, one in enumerate(slow) if one)
    rom = f"""
  // what the display has to be told, in this order
  always_comb begin
    case (index)
{entries}
      default: command = 8'h{commands[-1]:02x};
    endcase
  end

  assign is_slow = !ready_once && ({waits});
"""
    states = "typedef enum logic [1:0] {POWER_UP, IDLE, STROBE, SETTLE} state_t;"
    machine = f"""
  {states}
  state_t state;

  assign ready = (state == IDLE) && ready_once;
  assign lcd_en = (state == STROBE);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= POWER_UP;
      timer <= POWER_WAIT - 1;
      index <= '0;
      ready_once <= 1'b0;
      lcd_rs <= 1'b0;
      lcd_data <= '0;
    end else begin
      case (state)
        POWER_UP: begin
          if (timer == 0) state <= IDLE;
          else timer <= timer - 1'b1;
        end
        IDLE: if (!ready_once || char_valid) begin
          state <= STROBE;
          timer <= STROBE_TIME - 1;
          lcd_rs <= ready_once; // high for characters
          lcd_data <= ready_once ? char_code : command;
        end
        STROBE: if (timer == 0) begin
          state <= SETTLE;
          timer <= is_slow ? LONG_WAIT - 1 : SHORT_WAIT - 1;
        end else begin
          timer <= timer - 1'b1;
        end
        default: if (timer == 0) begin
          state <= IDLE;
          if (index == COMMANDS - 1) ready_once <= 1'b1;
          else index <= index + 1'b1;
        end else begin
          timer <= timer - 1'b1;
        end
      endcase
    end
  end
"""
    parted = f"""
  {states}
  state_t state, state_next;
  logic [{tbits - 1}:0] duration;
  logic state_end, send;

  always_comb begin
    case (state)
      POWER_UP: duration = POWER_WAIT;
      STROBE: duration = STROBE_TIME;
      SETTLE: duration = is_slow ? LONG_WAIT : SHORT_WAIT;
      default: duration = 1;
    endcase
  end

  assign state_end = (timer == duration - 1'b1);
  assign send = (state == IDLE) && (!ready_once || char_valid);

  always_comb begin
    state_next = state;
    case (state)
      POWER_UP: if (state_end) state_next = IDLE;
      IDLE: if (send) state_next = STROBE;
      STROBE: if (state_end) state_next = SETTLE;
      default: if (state_end) state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= POWER_UP;
      timer <= '0;
    end else begin
      state <= state_next;
      if (state_next != state || state == IDLE) timer <= '0;
      else timer <= timer + 1'b1;
    end
  end

  // the commands come to their end once
  always_ff @(posedge clk) begin
    if (rst) begin
      index <= '0;
      ready_once <= 1'b0;
    end else if (state == SETTLE && state_end && !ready_once) begin
      if (index == COMMANDS - 1) ready_once <= 1'b1;
      else index <= index + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      lcd_rs <= 1'b0;
      lcd_data <= '0;
    end else if (send) begin
      lcd_rs <= ready_once;
      lcd_data <= ready_once ? char_code : command;
    end
  end

  assign lcd_en = (state == STROBE);
  assign ready = (state == IDLE) && ready_once;
"""
    plain = """
  logic waiting, busy; // before the first command; a transfer is under way

  assign ready = !waiting && !busy && ready_once;

  // each transfer is one count: the strobe at its beginning, the rest to settle
  always_ff @(posedge clk) begin
    if (rst) begin
      waiting <= 1'b1;
      busy <= 1'b0;
      lcd_en <= 1'b0;
      lcd_rs <= 1'b0;
      lcd_data <= '0;
      index <= '0;
      ready_once <= 1'b0;
      timer <= '0;
    end else if (waiting) begin
      timer <= timer + 1'b1;
      if (timer == POWER_WAIT - 1) waiting <= 1'b0;
    end else if (!busy) begin
      if (!ready_once || char_valid) begin
        busy <= 1'b1;
        timer <= '0;
        lcd_en <= 1'b1;
        lcd_rs <= ready_once;
        if (ready_once) lcd_data <= char_code;
        else lcd_data <= command;
      end
    end else begin
      timer <= timer + 1'b1;
      if (timer == STROBE_TIME - 1) lcd_en <= 1'b0;
      if (timer == STROBE_TIME - 1 + (is_slow ? LONG_WAIT : SHORT_WAIT)) begin
        busy <= 1'b0;
        if (index != COMMANDS - 1) index <= index + 1'b1;
        else ready_once <= 1'b1;
      end
    end
  end
"""
    body = rom + (machine, parted, plain)[variant]
    if variant == 2:
        tbits = max(power, strobe + long).bit_length()

    def reset(s: State) -> None:
        s.mode, s.timer, s.index, s.once, s.rs, s.data = "power", power - 1, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "ready": int(s.mode == "idle" and s.once),
            "lcd_en": int(s.mode == "strobe"),
            "lcd_rs": s.rs,
            "lcd_data": s.data,
        }
        if s.mode == "idle":
            if not s.once or i.char_valid:
                s.mode, s.timer, s.rs = "strobe", strobe - 1, s.once
                s.data = i.char_code if s.once else commands[s.index]
        elif s.timer:
            s.timer -= 1
        elif s.mode == "power":
            s.mode = "idle"
        elif s.mode == "strobe":
            s.mode, s.timer = "settle", (long if not s.once and slow[s.index] else short) - 1
        else:
            s.mode = "idle"
            if s.index == size - 1:
                s.once = 1
            else:
                s.index += 1
        return out

    told = ", ".join(f"{one:02x}{' (slow)' if late else ''}" for one, late in zip(commands, slow, strict=True))
    return Draft(
        rtl=f"""
module display_initialiser #(
  parameter int POWER_WAIT = {power},
  parameter int STROBE_TIME = {strobe},
  parameter int SHORT_WAIT = {short},
  parameter int LONG_WAIT = {long} // after a slow command
) (
  input logic clk,
  input logic rst,
  input logic char_valid,
  input logic [7:0] char_code,
  output logic ready,
  output logic lcd_en, // the display reads while it is high
  output logic lcd_rs, // low: a command, high: a character
  output logic [7:0] lcd_data
);
  localparam int COMMANDS = {size};
  logic [{tbits - 1}:0] timer;
  logic [{bits - 1}:0] index;
  logic [7:0] command;
  logic ready_once, is_slow; // all commands have been sent
  {body}
endmodule
""",
        about=f"""Interface to a character display that has to be initialised. For {power} cycles after reset nothing is
            sent; then come the commands (hexadecimal) {told}, then characters. Before each transfer there is at least
            one
            idle cycle; at its end `lcd_data` takes the byte and `lcd_rs` what it is (0 a command, 1 a character), and
            they
            stay until the next transfer. `lcd_en` is high for the {strobe} cycles after that edge; then it is low for
            {long} cycles after a slow command, {short} after all else, before the next idle cycle. `ready` is high in
            idle
            cycles after the last command; one with `char_valid` sends `char_code`, and the others stay idle. Outputs
            are 0
            after reset.""",
        model=Machine(reset, step),
        names=("lcd_init", "lcd_controller", "display_startup"),
        stimulus={"char_valid": 0.5},
        cycles=power + size * (strobe + long + 2) + 120,
    )


@family(variants=3)
def breathing_light(r: Random, variant: int) -> Draft:
    """A lamp that grows brighter and darker again."""
    bits = r.choice((3, 4))
    top = (1 << bits) - 1
    repeat = r.choice((1, 2, 3))
    rest = r.choice((0, 2, 3))
    low = r.random() < 0.4
    lit = "en && (phase < level)"
    shown = f"!({lit})" if low else lit
    rbits = max(1, (repeat - 1).bit_length())
    hbits = max(1, rest.bit_length())
    divide = (
        f"""
  logic [{rbits - 1}:0] count; // periods of this brightness

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (!en) count <= '0;
    else if (period_end) count <= step ? '0 : count + 1'b1;
  end

  assign step = period_end && (count == REPEAT - 1);
"""
        if repeat > 1
        else "\n  assign step = period_end;\n"
    )
    go_dark = (
        f"""
  logic [{hbits - 1}:0] rest; // steps that the lamp stays dark
"""
        if rest
        else ""
    )
    clear_rest = "      rest <= '0;\n" if rest else ""
    at_zero = (
        """
        if (rest == REST) begin
          rest <= '0;
          falling <= 1'b0;
          level <= 1;
        end else begin
          rest <= rest + 1'b1;
        end
"""
        if rest
        else """
        falling <= 1'b0;
        level <= 1;
"""
    )
    flagged = f"""{go_dark}
  logic falling;

  always_ff @(posedge clk) begin
    if (rst) begin
      level <= '0;
      falling <= 1'b0;
{clear_rest}
    end else if (!en) begin
      level <= '0;
      falling <= 1'b0;
{clear_rest}
    end else if (step) begin
      if (!falling) begin
        if (level == TOP - 1) falling <= 1'b1;
        level <= level + 1'b1;
      end else if (level != 0) begin
        level <= level - 1'b1;
      end else begin
{at_zero}
      end
    end
  end
"""
    # States: brighter, darker, dark.
    dark_state = ", DARK" if rest else ""
    darker = (
        "if (level == 1) state <= DARK;\n          level <= level - 1'b1;"
        if rest
        else "if (level == 0) begin\n            state <= BRIGHTER;\n            level <= 1;\n"
        "          end else begin\n            level <= level - 1'b1;\n          end"
    )
    dark_arm = (
        """
        default: if (rest == 0) begin
          state <= BRIGHTER;
          level <= 1;
        end
"""
        if rest
        else "        default: state <= BRIGHTER;"
    )
    dark_timer = (
        """
  // counts down while the lamp is dark
  always_ff @(posedge clk) begin
    if (rst) rest <= '0;
    else if (state != DARK) rest <= REST;
    else if (step) rest <= rest - 1'b1;
  end
"""
        if rest
        else ""
    )
    machine = f"""{go_dark}
  typedef enum logic [1:0] {{BRIGHTER, DARKER{dark_state}}} state_t;
  state_t state;

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= BRIGHTER;
      level <= '0;
    end else if (!en) begin
      state <= BRIGHTER;
      level <= '0;
    end else if (step) begin
      case (state)
        BRIGHTER: begin
          level <= level + 1'b1;
          if (level == TOP - 1) state <= DARKER;
        end
        DARKER: begin
          {darker}
        end
{dark_arm}
      endcase
    end
  end
{dark_timer}
"""
    span = 2 * top + 1 + rest
    pbits = span.bit_length()
    folded = f"""
  logic [{pbits - 1}:0] place; // in the whole breath

  always_ff @(posedge clk) begin
    if (rst) place <= '0;
    else if (!en) place <= '0;
    else if (step) place <= (place == {2 * top + rest}) ? 1 : place + 1'b1;
  end

  // up, down{" and the rest" if rest else ""}
  always_comb begin
    if (place <= TOP) level = place;
    else {"if (place < 2 * TOP) " if rest else ""}level = 2 * TOP - place;{" else level = '0;" if rest else ""}
  end
"""
    body = (flagged, machine, folded)[variant]

    def reset(s: State) -> None:
        s.phase = s.count = s.place = 0

    def step(s: State, i: Pins) -> Outputs:
        level = s.place if s.place <= top else max(0, 2 * top - s.place)
        on = int(i.en and s.phase < level)
        out = {"lamp": on ^ 1 if low else on, "level": level}
        if not i.en:
            s.phase = s.count = s.place = 0
            return out
        s.phase += 1
        if s.phase == top:
            s.phase = 0
            s.count += 1
            if s.count == repeat:
                s.count = 0
                s.place = 1 if s.place == 2 * top + rest else s.place + 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        left = getattr(s, "left", 0)
        if left == 0:
            s.on = getattr(s, "on", 0) ^ 1
            left = top * repeat * (2 * top + rest + 4) + r.randrange(40) if s.on else 2
        s.left = left - 1
        return {"en": s.on}

    held = f"; after the 0 it stays dark for {rest} further steps" if rest else ""
    return Draft(
        rtl=f"""
module breathing_light #(
  parameter int TOP = {top}, // the highest brightness, and the cycles of a period
  parameter int REPEAT = {repeat}{f", parameter int REST = {rest}" if rest else ""}
) (
  input logic clk,
  input logic rst,
  input logic en,
  output logic lamp, // {"low" if low else "high"} is on
  output logic [{bits - 1}:0] level
);
  logic [{bits - 1}:0] phase; // within a period of the pulse width modulation
  logic period_end, step;

  assign period_end = (phase == TOP - 1);
  assign lamp = {shown};

  always_ff @(posedge clk) begin
    if (rst) phase <= '0;
    else if (!en) phase <= '0;
    else phase <= period_end ? '0 : phase + 1'b1;
  end
  {divide}
  {body}
endmodule
""",
        about=f"""Makes a lamp breathe. A period is {top} cycles; in its first `level` cycles `lamp` is
            {"low" if low else "high"}
            (on), in the others off. After every {"period" if repeat == 1 else f"{repeat} periods"} the level makes a
            step:
            from 0 up to {top} by 1, down to 0 by 1, and then up again{held}. Without `en` the lamp is off at once, and
            period and level start again from 0, as after reset.""",
        model=Machine(reset, step),
        names=("led_breather", "led_fader", "pulsing_lamp"),
        drive=drive,
        cycles=min(400, 30 + top * repeat * (2 * top + rest + 4)),
    )


@family(variants=3)
def blink_code(r: Random, variant: int) -> Draft:
    """Tells a number by so many flashes, and a pause."""
    on, off = r.choice((1, 2, 3)), r.choice((1, 2, 3))
    pause = off + r.choice((2, 3, 5))
    width = r.choice((3, 4))
    ticked = r.random() < 0.5
    repeat = r.random() < 0.6
    longest = max(on, pause)
    bits = longest.bit_length()
    guard = "if (tick) " if ticked else ""
    machine = f"""
  typedef enum logic [1:0] {{IDLE, LIT, DARK, PAUSE}} state_t;
  state_t state;

  assign lamp = (state == LIT);
  assign busy = (state != IDLE);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      left <= '0;
      timer <= '0;
    end else begin
      case (state)
        IDLE: if (show && code != 0) begin
          state <= LIT;
          left <= code;
          timer <= ON_TIME - 1;
        end
        LIT: {guard}begin
          if (timer != 0) begin
            timer <= timer - 1'b1;
          end else begin
            left <= left - 1'b1;
            state <= (left == 1) ? PAUSE : DARK;
            timer <= (left == 1) ? PAUSE_TIME - 1 : OFF_TIME - 1;
          end
        end
        DARK: {guard}begin
          if (timer != 0) begin
            timer <= timer - 1'b1;
          end else begin
            state <= LIT;
            timer <= ON_TIME - 1;
          end
        end
        default: {guard}begin
          if (timer != 0) timer <= timer - 1'b1;
          else state <= IDLE;
        end
      endcase
    end
  end
"""
    parted = f"""
  typedef enum logic [1:0] {{IDLE, LIT, DARK, PAUSE}} state_t;
  state_t state, state_next;
  logic time_over;

  assign time_over = {"tick && " if ticked else ""}(timer == 0);

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (show && code != 0) state_next = LIT;
      LIT: if (time_over) state_next = (left == 1) ? PAUSE : DARK;
      DARK: if (time_over) state_next = LIT;
      PAUSE: if (time_over) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  // each state starts with its time
  always_ff @(posedge clk) begin
    if (rst) begin
      timer <= '0;
    end else if (state_next != state) begin
      case (state_next)
        LIT: timer <= ON_TIME - 1;
        DARK: timer <= OFF_TIME - 1;
        default: timer <= PAUSE_TIME - 1;
      endcase
    end else if (timer != 0{" && tick" if ticked else ""}) begin
      timer <= timer - 1'b1;
    end
  end

  // flashes still to come, with the present one
  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (state == IDLE && show) left <= code;
    else if (state == LIT && time_over) left <= left - 1'b1;
  end

  assign lamp = (state == LIT);
  assign busy = (state != IDLE);
"""
    flags = f"""
  logic pausing, time_over, start;

  assign start = show && !busy && (code != 0);
  assign time_over = busy && (timer == 0){" && tick" if ticked else ""};

  always_ff @(posedge clk) begin
    if (rst) begin
      busy <= 1'b0;
      lamp <= 1'b0;
      pausing <= 1'b0;
      left <= '0;
      timer <= '0;
    end else if (start) begin
      busy <= 1'b1;
      lamp <= 1'b1;
      left <= code;
      timer <= ON_TIME - 1;
    end else if (time_over) begin
      if (lamp) begin
        // the last flash is followed by the pause
        lamp <= 1'b0;
        left <= left - 1'b1;
        pausing <= (left == 1);
        timer <= (left == 1) ? PAUSE_TIME - 1 : OFF_TIME - 1;
      end else if (pausing) begin
        busy <= 1'b0;
        pausing <= 1'b0;
      end else begin
        lamp <= 1'b1;
        timer <= ON_TIME - 1;
      end
    end else if (busy{" && tick" if ticked else ""}) begin
      timer <= timer - 1'b1;
    end
  end
"""
    body = (machine, parted, flags)[variant]
    show = "assign show = 1'b1;" if repeat else ""

    def reset(s: State) -> None:
        s.mode, s.left, s.timer = "idle", 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"lamp": int(s.mode == "lit"), "busy": int(s.mode != "idle")}
        if s.mode == "idle":
            if (repeat or i.show) and i.code:
                s.mode, s.left, s.timer = "lit", i.code, on - 1
        elif ticked and not i.tick:
            pass
        elif s.timer:
            s.timer -= 1
        elif s.mode == "lit":
            s.left -= 1
            s.mode, s.timer = ("dark", off - 1) if s.left else ("pause", pause - 1)
        elif s.mode == "dark":
            s.mode, s.timer = "lit", on - 1
        else:
            s.mode = "idle"
        return out

    unit = "ticks" if ticked else "cycles"
    return Draft(
        rtl=f"""
module blink_code #(
  parameter int WIDTH = {width},
  parameter int ON_TIME = {on},
  parameter int OFF_TIME = {off},
  parameter int PAUSE_TIME = {pause}
) (
  input logic clk,
  input logic rst,
  {"input logic tick, // the unit of all times" if ticked else ""}
  {"" if repeat else "input logic show,"}
  input logic [WIDTH-1:0] code,
  output logic lamp,
  output logic busy
);
  logic [WIDTH-1:0] left;
  logic [{bits - 1}:0] timer;
  {"logic show; // over and over" if repeat else ""}
  {show}
  {body}
endmodule
""",
        about=f"""Tells a number by flashes of a lamp, as in an error indicator. In a cycle that is not `busy`{
            "" if repeat else " with `show` high"
        } and in which `code` is not 0, the code is taken, and from the next cycle on `lamp` flashes as often: each time
            on for {on} {unit}, and off for {off} between two flashes and for {
            pause
        } after the last. `busy` is high from the
            first flash to the end of the last pause{
            ", and after one idle cycle the code of that cycle follows" if repeat else ""
        }.{" The times pass only in cycles with `tick`; it does not matter in idle cycles." if ticked else ""}""",
        model=Machine(reset, step),
        names=("error_blinker", "flash_code", "status_blinker"),
        stimulus={"tick": 0.75, "show": 0.4, "code": lambda r: r.choice((0, 1, 2, 3, r.getrandbits(width)))},
        cycles=260,
    )


@family(variants=3)
def melody_player(r: Random, variant: int) -> Draft:
    """Plays a tune from a table of notes and lengths."""
    size = r.choice((4, 5, 6, 8))
    bits = size.bit_length()
    beat = r.choice((8, 10, 12))
    scale = {"C": 6, "D": 5, "E": 4, "G": 3, "A": 2}
    tune = [(r.choice([*scale, "-"]), r.choice((1, 1, 2, 3))) for _ in range(size)]
    tune[0] = (r.choice(list(scale)), tune[0][1])
    loop = r.random() < 0.5
    stoppable = loop or r.random() < 0.5
    bbits = (beat - 1).bit_length()
    arms = "\n".join(
        f"      {bits}'d{k}: {{half_period, length}} = {{3'd{scale.get(note, 0)}, 2'd{beats}}};"
        f" // {'a rest' if note == '-' else note}"
        for k, (note, beats) in enumerate(tune)
    )
    rom = f"""
  // half a period of the tone in cycles, zero for a rest, and the length in beats
  always_comb begin
    case (index)
{arms}
      default: {{half_period, length}} = '0;
    endcase
  end
"""
    last = "(index == NOTES - 1)"
    down = "else if (stop) begin\n      playing <= 1'b0;\n    end " if stoppable else ""
    together = f"""
  // note by note, beat by beat
  always_ff @(posedge clk) begin
    if (rst) begin
      playing <= 1'b0;
      index <= '0;
      beat_timer <= '0;
      beats <= '0;
    end {down}else if (!playing) begin
      playing <= start;
      index <= '0;
      beat_timer <= '0;
      beats <= '0;
    end else if (beat_timer != BEAT - 1) begin
      beat_timer <= beat_timer + 1'b1;
    end else begin
      beat_timer <= '0;
      if (beats != length - 1'b1) begin
        beats <= beats + 1'b1;
      end else begin
        beats <= '0;
        index <= index + 1'b1;
        if {last} begin
          {"index <= '0;" if loop else "playing <= 1'b0;"}
        end
      end
    end
  end

  assign note_end = playing && (beat_timer == BEAT - 1) && (beats == length - 1'b1);
"""
    apart = f"""
  logic beat_end;

  assign beat_end = (beat_timer == BEAT - 1);
  assign note_end = playing && beat_end && (beats + 1'b1 == length);

  always_ff @(posedge clk) begin
    if (rst) playing <= 1'b0;
    {"else if (stop) playing <= 1'b0;" if stoppable else ""}
    else if (!playing) playing <= start;
    {"" if loop else f"else if (note_end && {last}) playing <= 1'b0;"}
  end

  always_ff @(posedge clk) begin
    if (rst) beat_timer <= '0;
    else beat_timer <= (!playing || beat_end) ? '0 : beat_timer + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      beats <= '0;
      index <= '0;
    end else if (!playing) begin
      beats <= '0;
      index <= '0;
    end else if (note_end) begin
      beats <= '0;
      index <= {f"{last} ? '0 : " if loop else ""}index + 1'b1;
    end else if (beat_end) begin
      beats <= beats + 1'b1;
    end
  end
"""
    # One timer over the whole note, loaded with its length in cycles.
    cycles = (beat * 3).bit_length()
    loaded = f"""
  logic [{cycles - 1}:0] note_timer; // cycles of this note so far
  logic [{cycles - 1}:0] note_cycles;

  assign note_cycles = BEAT * length;
  assign note_end = playing && (note_timer == note_cycles - 1'b1);

  always_ff @(posedge clk) begin
    if (rst) begin
      playing <= 1'b0;
      index <= '0;
      note_timer <= '0;
    end else if (!playing{" || stop" if stoppable else ""}) begin
      playing <= start{" && !playing && !stop" if stoppable else ""};
      index <= '0;
      note_timer <= '0;
    end else begin
      note_timer <= note_end ? '0 : note_timer + 1'b1;
      if (note_end) begin
        index <= {f"{last} ? '0 : " if loop else ""}index + 1'b1;
        {"" if loop else f"if {last} playing <= 1'b0;"}
      end
    end
  end
"""
    body = rom + (together, apart, loaded)[variant]
    timers = f"  logic [{bbits - 1}:0] beat_timer;\n  logic [1:0] beats;\n" if variant < 2 else ""

    def reset(s: State) -> None:
        s.on = s.index = s.time = s.tone = s.speaker = 0

    def step(s: State, i: Pins) -> Outputs:
        note, beats = tune[s.index] if s.index < size else ("-", 0)
        out = {"speaker": s.speaker, "playing": s.on}
        half = scale.get(note, 0)
        over = s.on and s.time == beats * beat - 1
        if not s.on or over or not half:
            s.tone = s.speaker = 0
        elif s.tone == half - 1:
            s.tone, s.speaker = 0, s.speaker ^ 1
        else:
            s.tone += 1
        if not s.on or (stoppable and i.stop):
            s.on = int(i.start and not s.on and not (stoppable and i.stop))
            s.index = s.time = 0
        elif over:
            s.time, s.index = 0, s.index + 1
            if s.index == size:
                s.index, s.on = 0, int(loop)
        else:
            s.time += 1
        return out

    heard = ", ".join(
        f"{'a rest' if note == '-' else scale[note]} ({beats} beat{'s' * (beats > 1)})" for note, beats in tune
    )
    length = beat * sum(beats for _, beats in tune)
    return Draft(
        rtl=f"""
module melody_player #(
  parameter int BEAT = {beat} // cycles
) (
  input logic clk,
  input logic rst,
  input logic start,
  {"input logic stop," if stoppable else ""}
  output logic playing,
  output logic speaker
);
  localparam int NOTES = {size};
  logic [{bits - 1}:0] index;
{timers}
  logic [2:0] half_period, tone_timer;
  logic [1:0] length;
  logic note_end;
  {body}
  // a square wave that begins anew, low, with each note
  always_ff @(posedge clk) begin
    if (rst) begin
      tone_timer <= '0;
      speaker <= 1'b0;
    end else if (!playing || note_end || half_period == 0) begin
      tone_timer <= '0;
      speaker <= 1'b0;
    end else if (tone_timer == half_period - 1'b1) begin
      tone_timer <= '0;
      speaker <= ~speaker;
    end else begin
      tone_timer <= tone_timer + 1'b1;
    end
  end
endmodule
""",
        about=f"""Plays a tune of {
            size
        } notes; `start` while not `playing` begins it, from the next cycle on. The notes, as
            half their period in cycles: {heard}; a beat is {
            beat
        } cycles. Within a note `speaker` starts low and changes
            after each half period; it is low in rests and while nothing is played{
            ", and falls one cycle after `playing` does" if stoppable else ""
        }. After the last note {"the tune begins again" if loop else "`playing` falls"}.{
            " `stop` ends the tune with the next edge; it goes before `start`." if stoppable else ""
        }""",
        model=Machine(reset, step),
        names=("tune_player", "jingle", "buzzer_melody"),
        stimulus={"start": 0.3, "stop": 0.4 / length},
        cycles=min(400, 60 + 2 * length),
    )
