"""What keeps memories in order: tests, scrubbing, refreshing, clearing, checking parity."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=2)
def march_tester(r: Random, variant: int) -> Draft:
    """A built-in self-test that marches through a memory and compares what it reads."""
    width, bits = r.choice((4, 8)), r.choice((2, 3))
    words, full = 1 << bits, (1 << width) - 1
    background = r.choice((0, 0x55 & full, 0x33 & full))
    inverse = background ^ full
    stops = r.random() < 0.5
    ends = "\n        if (wrong) state <= IDLE;" if stops else ""
    next_ends = "\n    if (wrong) state_next = IDLE;" if stops else ""
    one = f"""
  // up: write; up: read, write the inverse; down: read the inverse, write; then a last reading upwards
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      addr <= '0;
      write_phase <= 1'b0;
    end else begin
      case (state)
        IDLE: if (start) begin
          state <= FILL;
          addr <= '0;
          write_phase <= 1'b0;
        end
        FILL: begin
          addr <= addr + 1'b1;
          if (&addr) state <= MARCH_UP;
        end
        MARCH_UP: begin
          write_phase <= ~write_phase;
          if (write_phase) begin
            addr <= addr + 1'b1;
            if (&addr) begin
              state <= MARCH_DOWN;
              addr <= {{ADDR{{1'b1}}}};
            end
          end
        end
        MARCH_DOWN: begin
          write_phase <= ~write_phase;
          if (write_phase) begin
            addr <= addr - 1'b1;
            if (addr == 0) begin
              state <= VERIFY;
              addr <= '0;
            end
          end
        end
        VERIFY: begin
          addr <= addr + 1'b1;
          if (&addr) state <= IDLE;
        end
        default: state <= IDLE;
      endcase{ends.replace("        if", "      if")}
    end
  end
"""
    two = f"""
  state_t state_next;
  logic [ADDR-1:0] addr_next;
  logic at_end, moves;

  assign moves = (state != IDLE) && (write_phase || state == FILL || state == VERIFY);
  assign at_end = moves && ((state == MARCH_DOWN) ? (addr == 0) : (addr == {{ADDR{{1'b1}}}}));

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (start) state_next = FILL;
      FILL: if (at_end) state_next = MARCH_UP;
      MARCH_UP: if (at_end) state_next = MARCH_DOWN;
      MARCH_DOWN: if (at_end) state_next = VERIFY;
      VERIFY: if (at_end) state_next = IDLE;
      default: state_next = IDLE;
    endcase{next_ends}
  end

  // every part begins at its own end of the memory
  always_comb begin
    addr_next = addr;
    if (state == IDLE) addr_next = '0;
    else if (at_end) addr_next = (state == MARCH_UP) ? {{ADDR{{1'b1}}}} : 0;
    else if (moves) addr_next = (state == MARCH_DOWN) ? addr - 1'b1 : addr + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      addr <= '0;
      write_phase <= 1'b0;
    end else begin
      state <= state_next;
      addr <= addr_next;
      if (state == IDLE) write_phase <= 1'b0;
      else if (state == MARCH_UP || state == MARCH_DOWN) write_phase <= ~write_phase;
    end
  end
"""
    body = (one, two)[variant]

    def reset(s: State) -> None:
        s.part, s.addr, s.write, s.fail, s.fail_addr, s.passed = "idle", 0, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        marching = s.part in ("up", "down")
        we = int(s.part == "fill" or (marching and s.write))
        want = inverse if s.part == "down" else background
        reading = (marching and not s.write) or s.part == "verify"
        wrong = reading and i.rdata != want
        out = {
            "busy": int(s.part != "idle"),
            "we": we,
            "addr": s.addr if s.part != "idle" else None,
            "wdata": (inverse if s.part == "up" else background) if we else None,
            "fail": s.fail,
            "fail_addr": s.fail_addr if s.fail else None,
        }
        if s.part == "idle":
            if i.start:
                s.part, s.addr, s.write, s.fail = "fill", 0, 0, 0
            return out
        if wrong and not s.fail:
            s.fail, s.fail_addr = 1, s.addr
        moves = not marching or s.write
        at_end = moves and s.addr == (0 if s.part == "down" else words - 1)
        if marching:
            s.write ^= 1
        if wrong and stops:
            s.part = "idle"
        elif at_end:
            s.part = {"fill": "up", "up": "down", "down": "verify", "verify": "idle"}[s.part]
            s.addr = words - 1 if s.part == "down" else 0
        elif moves:
            s.addr = (s.addr + (-1 if s.part == "down" else 1)) % words
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        want = inverse if s.part == "down" else background
        bad = r.random() < 0.015
        return {"rdata": want ^ (1 << r.randrange(width) if bad else 0), "start": int(r.random() < 0.3)}

    after = "ends the test" if stops else "does not end the test"
    return Draft(
        rtl=f"""
module march_tester #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic start,
  output logic busy,
  output logic we,
  output logic [ADDR-1:0] addr,
  output logic [WIDTH-1:0] wdata,
  input logic [WIDTH-1:0] rdata, // the word at `addr`, in the same cycle
  output logic fail,
  output logic [ADDR-1:0] fail_addr // where it failed first
);
  localparam logic [WIDTH-1:0] PATTERN = {width}'h{background:x};
  typedef enum logic [2:0] {{IDLE, FILL, MARCH_UP, MARCH_DOWN, VERIFY}} state_t;
  state_t state;
  logic write_phase; // at each place a march first reads, then writes
  logic reading, wrong;
  logic [WIDTH-1:0] wanted;

  assign busy = (state != IDLE);
  assign we = (state == FILL) || (write_phase && (state == MARCH_UP || state == MARCH_DOWN));
  assign wdata = (state == MARCH_UP) ? ~PATTERN : PATTERN;
  assign wanted = (state == MARCH_DOWN) ? ~PATTERN : PATTERN;
  assign reading = busy && !we;
  assign wrong = reading && (rdata != wanted);
{body}
  // the first error is kept until the next test
  always_ff @(posedge clk) begin
    if (rst) begin
      fail <= 1'b0;
      fail_addr <= '0;
    end else if (!busy && start) begin
      fail <= 1'b0;
    end else if (wrong && !fail) begin
      fail <= 1'b1;
      fail_addr <= addr;
    end
  end
endmodule
""",
        about=f"""Memory self-test for {words} words of {width} bits. `start`, while not `busy`, begins with a clear
            `fail`. Four parts follow: writing {width}'h{background:x} to every address, upwards, one a cycle; upwards,
            at each address a cycle of reading {width}'h{background:x} and a cycle of writing its inverse; downwards,
            reading the inverse and writing {width}'h{background:x}; and reading that upwards, one a cycle. The memory
            answers in the same cycle. A word that is not as it must be sets `fail` and stores its address in
            `fail_addr`, if it is the first; it {after}. `we` marks the cycles that write `wdata`.""",
        model=Machine(reset, step),
        names=("memory_bist", "mbist_controller", "ram_self_test", "march_engine"),
        drive=drive,
        cycles=100 + 20 * words,
    )


@family(variants=2)
def memory_scrubber(r: Random, variant: int) -> Draft:
    """Reads a memory word by word in its idle time and writes back what had to be corrected."""
    width, bits, period = r.choice((8, 12)), r.choice((2, 3)), r.choice((4, 6, 9))
    period_bits = (period - 1).bit_length()
    count_bits = r.choice((3, 4))
    top = (1 << count_bits) - 1
    one = """
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= WAITING;
      addr <= '0;
      fixed <= '0;
    end else begin
      case (state)
        WAITING: if (due) state <= READ;
        READ: if (grant) state <= CHECK;
        CHECK: begin
          // a word with two bad bits is only counted, for nobody knows what it was
          if (correctable) begin
            state <= REPAIR;
            fixed <= rdata_fixed;
          end else begin
            state <= WAITING;
            addr <= addr + 1'b1;
          end
        end
        REPAIR: if (grant) begin
          state <= WAITING;
          addr <= addr + 1'b1;
        end
        default: state <= WAITING;
      endcase
    end
  end
"""
    two = """
  state_t state_next;
  logic leaves;

  // the next address comes with the end of each visit
  assign leaves = (state == CHECK && !correctable) || (state == REPAIR && grant);

  always_comb begin
    case (state)
      WAITING: state_next = due ? READ : WAITING;
      READ: state_next = grant ? CHECK : READ;
      CHECK: state_next = correctable ? REPAIR : WAITING;
      default: state_next = grant ? WAITING : REPAIR;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= WAITING;
    else state <= state_next;
  end

  always_ff @(posedge clk) begin
    if (rst) addr <= '0;
    else if (leaves) addr <= addr + 1'b1;
  end

  always_ff @(posedge clk) begin
    if (rst) fixed <= '0;
    else if (state == CHECK && correctable) fixed <= rdata_fixed;
  end
"""
    body = (one, two)[variant]

    def reset(s: State) -> None:
        s.state, s.addr, s.fixed, s.timer, s.errors, s.lost = "waiting", 0, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        asks = s.state in ("read", "repair")
        out = {
            "req": int(asks),
            "we": int(s.state == "repair"),
            "addr": s.addr,
            "wdata": s.fixed if s.state == "repair" else None,
            "errors": s.errors,
            "lost": s.lost,
        }
        due = s.timer == period - 1
        waits = s.state == "waiting"
        if s.state == "waiting" and due:
            s.state = "read"
        elif s.state == "read" and i.grant:
            s.state = "check"
        elif s.state == "check":
            if i.correctable:
                s.errors, s.fixed, s.state = min(s.errors + 1, top), i.rdata_fixed, "repair"
            else:
                s.lost |= i.uncorrectable
                s.addr, s.state = (s.addr + 1) % (1 << bits), "waiting"
        elif s.state == "repair" and i.grant:
            s.addr, s.state = (s.addr + 1) % (1 << bits), "waiting"
        s.timer = s.timer + 1 if waits and not due else 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        kind = r.random()
        return {"correctable": int(kind < 0.5), "uncorrectable": int(kind > 0.93), "grant": int(r.random() < 0.6)}

    return Draft(
        rtl=f"""
module memory_scrubber #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits},
  parameter int PERIOD = {period}
) (
  input logic clk,
  input logic rst,
  output logic req, // for the port of the memory
  input logic grant,
  output logic we,
  output logic [ADDR-1:0] addr,
  output logic [WIDTH-1:0] wdata,
  input logic [WIDTH-1:0] rdata_fixed, // corrected, in the cycle after the grant
  input logic correctable,
  input logic uncorrectable,
  output logic [{count_bits - 1}:0] errors, // repaired words
  output logic lost
);
  typedef enum logic [1:0] {{WAITING, READ, CHECK, REPAIR}} state_t;
  state_t state;
  logic [{period_bits - 1}:0] timer;
  logic [WIDTH-1:0] fixed;
  logic due;

  assign req = (state == READ) || (state == REPAIR);
  assign we = (state == REPAIR);
  assign wdata = fixed;
  assign due = (timer == PERIOD - 1);

  // the pause between two words
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (state == WAITING && !due) timer <= timer + 1'b1;
    else timer <= '0;
  end
{body}
  // the count stops at its highest value
  always_ff @(posedge clk) begin
    if (rst) begin
      errors <= '0;
      lost <= 1'b0;
    end else if (state == CHECK) begin
      if (correctable && !(&errors)) errors <= errors + 1'b1;
      if (uncorrectable && !correctable) lost <= 1'b1;
    end
  end
endmodule
""",
        about=f"""Scrubber for a memory with error correction. It waits for {period} cycles, asks for the memory (`req`,
            reading) until `grant`, and looks at the answer in the next cycle. If the word was `correctable` it stores
            `rdata_fixed`, adds one to `errors` (which stops at {top}) and asks again, with `we`, to write it back as
            `wdata` to the same place until `grant`; if it was `uncorrectable` instead, `lost` is set for good. Then
            `addr` goes on to the next place, around the whole memory, and the pause begins again.""",
        model=Machine(reset, step),
        names=("ecc_scrubber", "scrub_engine", "background_scrubber"),
        drive=drive,
        cycles=320,
    )


@family(variants=3)
def refresh_scheduler(r: Random, variant: int) -> Draft:
    """Refreshes fall due regularly, may be put off for a while, and then go before everything else."""
    period, most, length = r.choice((6, 8, 10, 12)), r.choice((3, 4, 7)), r.choice((2, 3, 4))
    timer_bits, owed_bits, busy_bits = (period - 1).bit_length(), most.bit_length(), length.bit_length()
    urgent_at = most - 1
    ifs = """
  // one more is owed with each tick, and one less with each start
  always_ff @(posedge clk) begin
    if (rst) begin
      owed <= '0;
      missed <= 1'b0;
    end else if (tick && !begins) begin
      if (owed == MOST) missed <= 1'b1;
      else owed <= owed + 1'b1;
    end else if (begins && !tick) begin
      owed <= owed - 1'b1;
    end
  end
"""
    cased = f"""
  logic [{owed_bits - 1}:0] owed_next;

  always_comb begin
    case ({{tick, begins}})
      2'b10: owed_next = (owed < MOST) ? owed + 1'b1 : MOST;
      2'b01: owed_next = owed - 1'b1;
      default: owed_next = owed;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) owed <= '0;
    else owed <= owed_next;
  end

  // a refresh that could not even be remembered
  always_ff @(posedge clk) begin
    if (rst) missed <= 1'b0;
    else if (tick && !begins && owed == MOST) missed <= 1'b1;
  end
"""
    marks = """
  logic [MOST-1:0] marks; // as many ones as refreshes are owed, from bit 0

  always_ff @(posedge clk) begin
    if (rst) begin
      marks <= '0;
      missed <= 1'b0;
    end else if (tick & ~begins) begin
      marks <= {marks[MOST-2:0], 1'b1};
      missed <= missed | marks[MOST-1];
    end else if (begins & ~tick) begin
      marks <= marks >> 1;
    end
  end

  always_comb begin
    owed = '0;
    for (int k = 0; k < MOST; k++) owed = owed + marks[k];
  end
"""
    body = (ifs, cased, marks)[variant]

    def reset(s: State) -> None:
        s.timer, s.owed, s.left, s.missed = period - 1, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        urgent = s.owed >= urgent_at
        ready = s.left == 0
        begins = ready and s.owed != 0 and i.banks_closed and (urgent or not i.access)
        out = {
            "refresh": int(begins),
            "hold": int(urgent or not ready),
            "busy": int(not ready),
            "owed": s.owed,
            "missed": s.missed,
        }
        tick = s.timer == 0
        s.timer = period - 1 if tick else s.timer - 1
        s.left = length if begins else max(s.left - 1, 0)
        if tick and not begins:
            s.missed |= int(s.owed == most)
            s.owed = min(s.owed + 1, most)
        elif begins and not tick:
            s.owed -= 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.crowded = getattr(s, "crowded", 1) ^ (r.random() < 0.03)
        return {
            "access": int(r.random() < (0.97 if s.crowded else 0.4)),
            "banks_closed": int(r.random() < (0.1 if s.crowded else 0.7)),
        }

    return Draft(
        rtl=f"""
module refresh_scheduler #(
  parameter int PERIOD = {period},
  parameter int MOST = {most}, // refreshes that may be owed
  parameter int LENGTH = {length} // cycles of a refresh
) (
  input logic clk,
  input logic rst,
  input logic access, // somebody wants the memory
  input logic banks_closed,
  output logic refresh, // the command
  output logic hold, // no new accesses, please
  output logic busy,
  output logic [{owed_bits - 1}:0] owed,
  output logic missed
);
  logic [{timer_bits - 1}:0] timer;
  logic [{busy_bits - 1}:0] left;
  logic tick, urgent, begins;

  always_ff @(posedge clk) begin
    if (rst) timer <= PERIOD - 1;
    else timer <= tick ? PERIOD - 1 : timer - 1'b1;
  end

  assign tick = (timer == 0);
  assign urgent = (owed >= MOST - 1);
  assign busy = (left != 0);
  assign hold = urgent || busy;

  // a refresh is polite as long as it can afford to be
  assign begins = !busy && (owed != 0) && banks_closed && (urgent || !access);
  assign refresh = begins;

  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (begins) left <= LENGTH;
    else if (busy) left <= left - 1'b1;
  end
{body}endmodule
""",
        about=(
            f"""Schedules the refreshes of a DRAM. Every {period} cycles (the first time in the {period}th cycle after
            reset) one more is `owed`, up to {most}; what falls due at that number without one starting sets `missed`
            for good. `refresh` is high in the cycle in which one starts: when none is running, one is owed,
            `banks_closed` is high, and there is no `access` or {urgent_at} or more are owed. It is `busy` in the
            {length} cycles after that. `hold` is high while {urgent_at} or more are owed and while it is `busy`. A
            start takes one off `owed`; where a new one falls due in the same cycle, `owed` stays as it is.""",
        ),
        model=Machine(reset, step),
        names=("refresh_timer", "dram_refresh", "refresh_manager", "refresh_arbiter"),
        drive=drive,
        cycles=340,
    )


@family(variants=2)
def parity_memory(r: Random, variant: int) -> Draft:
    """A memory that stores a parity bit with each byte, and can be given a wrong one for tests."""
    lanes, bits = r.choice((1, 2, 4)), r.choice((2, 3))
    odd = r.random() < 0.5
    sticky = r.random() < 0.5
    width = 8 * lanes
    made = "~^" if odd else "^"
    looped = f"""
  // the parity of each byte, inverted on request
  always_comb begin
    for (int k = 0; k < LANES; k++) begin
      parity_in[k] = ({made}din[8*k +: 8]) ^ spoil;
      bad[k] = parity_out[k] != ({made}word[8*k +: 8]);
    end
  end

  always_ff @(posedge clk) begin
    if (en && we) begin
      mem[addr] <= din;
      checks[addr] <= parity_in;
    end
  end

  always_ff @(posedge clk) begin
    if (en && !we) begin
      word <= mem[addr];
      parity_out <= checks[addr];
    end
  end
"""
    generated = f"""
  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    assign parity_in[k] = {"!" if odd else ""}(^{{din[8*k +: 8], spoil}});
    assign bad[k] = {"!" if odd else ""}(^{{parity_out[k], word[8*k +: 8]}});
  end

  // data and parity are written and read together
  always_ff @(posedge clk) begin
    if (en) begin
      if (we) begin
        mem[addr] <= din;
        checks[addr] <= parity_in;
      end else begin
        word <= mem[addr];
        parity_out <= checks[addr];
      end
    end
  end
"""
    body = (looped, generated)[variant]
    log = """
  // the first error stays until it is cleared
  always_ff @(posedge clk) begin
    if (rst) begin
      error <= 1'b0;
      error_addr <= '0;
    end else if (clear) begin
      error <= 1'b0;
    end else if (valid && |bad && !error) begin
      error <= 1'b1;
      error_addr <= addr_prev;
    end
  end
"""
    log_ports = ",\n  input logic clear,\n  output logic error,\n  output logic [ADDR-1:0] error_addr" if sticky else ""
    prev = "  logic [ADDR-1:0] addr_prev;\n" if sticky else ""
    keep = "\n      addr_prev <= addr;" if sticky else ""

    def reset(s: State) -> None:
        s.mem, s.spoiled = [None] * (1 << bits), [0] * (1 << bits)
        s.valid, s.word, s.bad, s.error, s.error_addr, s.prev = 0, None, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        bad = ((1 << lanes) - 1) * s.bad
        out = {"dout": s.word if s.valid else None, "valid": s.valid, "lane_error": bad if s.valid else 0}
        if sticky:
            out |= {"error": s.error, "error_addr": s.error_addr if s.error else None}
            if i.clear:
                s.error = 0
            elif s.valid and s.bad and not s.error:
                s.error, s.error_addr = 1, s.prev
        s.valid = int(i.en and not i.we)
        s.prev = i.addr
        if i.en and i.we:
            s.mem[i.addr], s.spoiled[i.addr] = i.din, i.spoil
        elif i.en:
            s.word, s.bad = s.mem[i.addr], s.spoiled[i.addr]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # What was never written is unknown, so everything is written first.
        empty = [k for k, word in enumerate(s.mem) if word is None]
        return {"en": 1, "we": 1, "addr": empty[0]} if empty else {}

    return Draft(
        rtl=f"""
module parity_memory #(
  parameter int LANES = {lanes},
  parameter int ADDR = {bits}
) (
  input logic clk,
  input logic rst,
  input logic en,
  input logic we,
  input logic spoil, // stores wrong parity, to test the check
  input logic [ADDR-1:0] addr,
  input logic [8*LANES-1:0] din,
  output logic [8*LANES-1:0] dout,
  output logic valid,
  output logic [LANES-1:0] lane_error{log_ports}
);
  logic [8*LANES-1:0] mem [0:(1<<ADDR)-1];
  logic [LANES-1:0] checks [0:(1<<ADDR)-1];
  logic [8*LANES-1:0] word;
  logic [LANES-1:0] parity_in, parity_out, bad;
{prev}{body}
  always_ff @(posedge clk) begin
    if (rst) begin
      valid <= 1'b0;{keep.replace("addr_prev <= addr", "addr_prev <= '0")}
    end else begin
      valid <= en && !we;{keep}
    end
  end

  assign dout = word;
  assign lane_error = valid ? bad : '0;
{log if sticky else ""}endmodule
""",
        about=f"""Memory of {1 << bits} words of {width} bits with one {"odd" if odd else "even"} parity bit for each of
            the {lanes} byte{"s" if lanes > 1 else ""}. `en` with `we` writes `din` to `addr` with its parity, all of it
            inverted if `spoil` is high; `en` without `we` reads: a cycle later `valid` is high, `dout` shows the word,
            and `lane_error` has a 1 for each byte whose stored parity does not fit (else it is 0).{
            " The first such word since the last `clear` sets `error` and its address goes to `error_addr`, at the end"
            " of the cycle with `valid`; `clear` goes before that."
            if sticky
            else ""
        }""",
        model=Machine(reset, step),
        names=("parity_ram", "checked_memory", "ram_with_parity", "guarded_ram"),
        stimulus={"en": 0.85, "we": 0.4, "spoil": 0.25, "clear": 0.15},
        drive=drive,
        cycles=150,
    )


@family(variants=2)
def sdram_sequencer(r: Random, variant: int) -> Draft:
    """Opens a row, reads or writes a word, and closes the row, with the pauses that the memory wants."""
    row_bits, column_bits = r.choice((3, 4)), r.choice((2, 3))
    open_time, read_time, write_time, close_time = (r.choice((2, 3, 4)) for _ in range(4))
    longest = max(open_time, read_time, write_time, close_time)
    bits = longest.bit_length()
    keeps = r.random() < 0.5
    """Whether the row stays open for the next access."""
    codes = r.sample(range(8), 5)
    names = ("NOP", "ACTIVATE", "READ", "WRITE", "PRECHARGE")
    listing = "\n".join(f"  localparam logic [2:0] {n} = 3'd{c};" for n, c in zip(names, codes, strict=True))
    nop, activate, read, write, precharge = codes
    row_open = """
  // the row that the memory has open
  always_ff @(posedge clk) begin
    if (rst) begin
      row_open <= 1'b0;
      row_kept <= '0;
    end else if (command == ACTIVATE) begin
      row_open <= 1'b1;
      row_kept <= row;
    end else if (command == PRECHARGE) begin
      row_open <= 1'b0;
    end
  end
"""
    first = "!row_open ? OPEN : (row_kept == row) ? ACCESS : CLOSE" if keeps else "OPEN"
    after_access = "IDLE" if keeps else "CLOSE"
    after_close = "OPEN" if keeps else "IDLE"
    fresh = """
  // a command is given in the first cycle of its state, and the rest is waiting
  always_comb begin
    command = NOP;
    if (fresh) begin
      case (state)
        OPEN: command = ACTIVATE;
        ACCESS: command = we ? WRITE : READ;
        CLOSE: command = PRECHARGE;
        default: command = NOP;
      endcase
    end
  end
"""
    one = f"""
  logic [{bits - 1}:0] left;
  logic fresh;
{fresh}
  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      left <= '0;
      fresh <= 1'b0;
    end else begin
      fresh <= 1'b0;
      if (left != 0) begin
        left <= left - 1'b1;
      end else begin
        case (state)
          IDLE: if (req) begin
            fresh <= 1'b1;
            {
        '''if (!row_open) begin
              state <= OPEN;
              left <= OPEN_TIME - 1;
            end else if (row_kept == row) begin
              state <= ACCESS;
              left <= (we ? WRITE_TIME : READ_TIME) - 1;
            end else begin
              state <= CLOSE;
              left <= CLOSE_TIME - 1;
            end'''
        if keeps
        else '''state <= OPEN;
            left <= OPEN_TIME - 1;'''
    }
          end
          OPEN: begin
            state <= ACCESS;
            left <= (we ? WRITE_TIME : READ_TIME) - 1;
            fresh <= 1'b1;
          end
          ACCESS: {
        "state <= IDLE;"
        if keeps
        else '''begin
            state <= CLOSE;
            left <= CLOSE_TIME - 1;
            fresh <= 1'b1;
          end'''
    }
          CLOSE: {
        '''begin
            state <= OPEN;
            left <= OPEN_TIME - 1;
            fresh <= 1'b1;
          end'''
        if keeps
        else "state <= IDLE;"
    }
          default: state <= IDLE;
        endcase
      end
    end
  end

  assign done = (state == ACCESS) && (left == 0);
"""
    two = f"""
  state_t state_next;
  logic [{bits - 1}:0] passed, needed; // cycles in this state
  logic fresh, over;

  assign fresh = (passed == 0);
  assign over = (passed == needed - 1'b1);
{fresh}
  always_comb begin
    case (state)
      OPEN: needed = OPEN_TIME;
      ACCESS: needed = we ? WRITE_TIME : READ_TIME;
      CLOSE: needed = CLOSE_TIME;
      default: needed = 1;
    endcase
  end

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (req) state_next = {first};
      OPEN: if (over) state_next = ACCESS;
      ACCESS: if (over) state_next = {after_access};
      CLOSE: if (over) state_next = {after_close};
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      passed <= '0;
    end else begin
      state <= state_next;
      passed <= (state == IDLE || over) ? 0 : passed + 1'b1;
    end
  end

  assign done = (state == ACCESS) && over;
"""
    body = (one, two)[variant]

    def reset(s: State) -> None:
        s.state, s.passed, s.row = "idle", 0, None

    def step(s: State, i: Pins) -> Outputs:
        need = {"idle": 1, "open": open_time, "access": write_time if i.we else read_time, "close": close_time}[s.state]
        gives = {"idle": nop, "open": activate, "access": write if i.we else read, "close": precharge}[s.state]
        command = gives if s.passed == 0 else nop
        over = s.passed == need - 1
        out = {
            "command": command,
            "addr": i.row if command == activate else i.column if command in (read, write) else 0,
            "done": int(s.state == "access" and over),
            "idle": int(s.state == "idle"),
        }
        hit, some = s.row == i.row, s.row is not None
        if command == activate:
            s.row = i.row
        elif command == precharge:
            s.row = None
        if s.state == "idle":
            if i.req:
                s.state = ("access" if hit else "close" if some else "open") if keeps else "open"
        elif over:
            after_access, after_close = ("idle", "open") if keeps else ("close", "idle")
            s.state = {"open": "access", "access": after_access, "close": after_close}[s.state]
            s.passed = 0
        else:
            s.passed += 1
        return out

    rows = [r.randrange(1 << row_bits) for _ in range(2)]

    def drive(r: Random, s: State) -> dict[str, int]:
        # A request stays as it is until it is done.
        if s.state == "idle":
            s.wish = {
                "req": int(r.random() < 0.7),
                "we": r.getrandbits(1),
                "row": r.choice(rows),
                "column": r.getrandbits(column_bits),
            }
        return dict(s.wish)

    kept = "  logic row_open;\n  logic [ROW-1:0] row_kept;\n" if keeps else ""
    story = (
        """A request for the row that is open goes to the access at once; if another one is open it is closed first; if
            none is, as after reset, the row is opened. After the access the row stays open."""
        if keeps
        else "Each request opens its row, makes the access and closes the row."
    )
    return Draft(
        rtl=f"""
module sdram_sequencer #(
  parameter int ROW = {row_bits},
  parameter int COLUMN = {column_bits},
  parameter int OPEN_TIME = {open_time}, // cycles from opening a row to its first use
  parameter int READ_TIME = {read_time},
  parameter int WRITE_TIME = {write_time},
  parameter int CLOSE_TIME = {close_time}
) (
  input logic clk,
  input logic rst,
  input logic req, // stays with its row and column until it is done
  input logic we,
  input logic [ROW-1:0] row,
  input logic [COLUMN-1:0] column,
  output logic [2:0] command,
  output logic [ROW-1:0] addr, // row or column, as the command wants it
  output logic done,
  output logic idle
);
{listing}
  typedef enum logic [1:0] {{IDLE, OPEN, ACCESS, CLOSE}} state_t;
  state_t state;
{kept}{body}{row_open if keeps else ""}
  assign idle = (state == IDLE);

  always_comb begin
    addr = '0;
    if (command == ACTIVATE) addr = row;
    else if (command == READ || command == WRITE) addr = column;
  end
endmodule
""",
        about=f"""Command sequencer for one bank of a synchronous DRAM. Commands: {
            ", ".join(f"{c} {n.lower()}" for n, c in zip(names, codes, strict=True))
        }. A `req`, seen while `idle`, starts in the next cycle; `we`, `row` and `column` stay until `done`.
            {story} Each step gives its command in its first cycle and nop in the others: opening takes {open_time}
            cycles, reading {read_time}, writing {write_time}, closing {close_time}. `done` is high in the last cycle of
            the access. `addr` is the row with activate, the column with read and write, else 0.""",
        model=Machine(reset, step),
        names=("sdram_controller", "dram_command_fsm", "row_column_sequencer", "sdram_bank_fsm"),
        drive=drive,
        cycles=240,
    )
