"""Links: how two ends come together, stay together, and find out that they do not."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family

_TAP = {
    "TEST_RESET": ("RUN_IDLE", "TEST_RESET"),
    "RUN_IDLE": ("RUN_IDLE", "SELECT_DR"),
    "SELECT_DR": ("CAPTURE_DR", "SELECT_IR"),
    "CAPTURE_DR": ("SHIFT_DR", "EXIT1_DR"),
    "SHIFT_DR": ("SHIFT_DR", "EXIT1_DR"),
    "EXIT1_DR": ("PAUSE_DR", "UPDATE_DR"),
    "PAUSE_DR": ("PAUSE_DR", "EXIT2_DR"),
    "EXIT2_DR": ("SHIFT_DR", "UPDATE_DR"),
    "UPDATE_DR": ("RUN_IDLE", "SELECT_DR"),
    "SELECT_IR": ("CAPTURE_IR", "TEST_RESET"),
    "CAPTURE_IR": ("SHIFT_IR", "EXIT1_IR"),
    "SHIFT_IR": ("SHIFT_IR", "EXIT1_IR"),
    "EXIT1_IR": ("PAUSE_IR", "UPDATE_IR"),
    "PAUSE_IR": ("PAUSE_IR", "EXIT2_IR"),
    "EXIT2_IR": ("SHIFT_IR", "UPDATE_IR"),
    "UPDATE_IR": ("RUN_IDLE", "SELECT_DR"),
}
"""The states of a test access port, with what follows for `tms` 0 and 1."""


@family(variants=3)
def tap_controller(r: Random, variant: int) -> Draft:
    """The sixteen states of a test port, and its instruction register."""
    bits = r.choice((3, 4, 5))
    first = r.randrange(1, (1 << bits) - 1)  # the instruction after reset
    order = [name for name in _TAP if name != "TEST_RESET"]
    if r.random() < 0.6:
        r.shuffle(order)
    order.insert(0, "TEST_RESET")
    number = {name: k for k, name in enumerate(order)}
    arms = "\n".join(f"      {name}: state_next = tms ? {_TAP[name][1]} : {_TAP[name][0]};" for name in order)
    flags = """
  assign test_reset = (state == TEST_RESET);
  assign capture_dr = (state == CAPTURE_DR);
  assign shift_dr = (state == SHIFT_DR);
  assign update_dr = (state == UPDATE_DR);
"""
    cased = f"""
  typedef enum logic [3:0] {{
    {", ".join(order)}
  }} state_t;
  state_t state, state_next;

  always_comb begin
    case (state)
{arms}
      default: state_next = TEST_RESET;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= TEST_RESET;
    else state <= state_next;
  end

  assign capture_ir = (state == CAPTURE_IR);
  assign shift_ir = (state == SHIFT_IR);
  assign update_ir = (state == UPDATE_IR);
{flags}"""
    names = "\n".join(f"  localparam logic [3:0] {name} = 4'd{k};" for name, k in number.items())
    tables = [
        f"  localparam logic [63:0] AFTER_{tms} = 64'h"
        + "".join(f"{number[_TAP[name][tms]]:x}" for name in reversed(order))
        + ";"
        for tms in (0, 1)
    ]
    tabled = f"""
{names}
  // what follows state 0 stands in the lowest digit
{tables[0]}
{tables[1]}
  logic [3:0] state;

  always_ff @(posedge clk) begin
    if (rst) state <= TEST_RESET;
    else state <= tms ? AFTER_1[4*state +: 4] : AFTER_0[4*state +: 4];
  end

  assign capture_ir = (state == CAPTURE_IR);
  assign shift_ir = (state == SHIFT_IR);
  assign update_ir = (state == UPDATE_IR);
{flags}"""
    columns = """
  typedef enum logic [3:0] {RESET, IDLE, SELECT, CAPTURE, SHIFT, EXIT1, PAUSE, EXIT2, UPDATE} place_t;
  place_t place;
  logic instruction_side; // the two columns are alike, and this bit says which it is

  always_ff @(posedge clk) begin
    if (rst) begin
      place <= RESET;
      instruction_side <= 1'b0;
    end else begin
      case (place)
        RESET: if (!tms) place <= IDLE;
        IDLE, UPDATE: begin
          instruction_side <= 1'b0;
          if (tms) place <= SELECT;
          else place <= IDLE;
        end
        SELECT: begin
          if (!tms) begin
            place <= CAPTURE;
          end else if (instruction_side) begin
            place <= RESET;
          end else begin
            instruction_side <= 1'b1; // on to the other column
          end
        end
        CAPTURE, SHIFT: begin
          if (tms) place <= EXIT1;
          else place <= SHIFT;
        end
        EXIT1: begin
          if (tms) place <= UPDATE;
          else place <= PAUSE;
        end
        PAUSE: if (tms) place <= EXIT2;
        EXIT2: begin
          if (tms) place <= UPDATE;
          else place <= SHIFT;
        end
        default: place <= RESET;
      endcase
    end
  end

  assign test_reset = (place == RESET);
  assign capture_dr = (place == CAPTURE) && !instruction_side;
  assign shift_dr = (place == SHIFT) && !instruction_side;
  assign update_dr = (place == UPDATE) && !instruction_side;
  assign capture_ir = (place == CAPTURE) && instruction_side;
  assign shift_ir = (place == SHIFT) && instruction_side;
  assign update_ir = (place == UPDATE) && instruction_side;
"""
    body = (cased, tabled, columns)[variant]

    def reset(s: State) -> None:
        s.state, s.shift, s.instruction, s.bypass = "TEST_RESET", 0, first, 0

    def step(s: State, i: Pins) -> Outputs:
        out: dict[str, int | None] = {
            name.lower(): int(s.state == name) for name in ("TEST_RESET", "CAPTURE_DR", "SHIFT_DR", "UPDATE_DR")
        }
        all_ones = (1 << bits) - 1
        bypassed = s.bypass if s.instruction == all_ones else i.dr_tdo
        out |= {
            "instruction": s.instruction,
            "tdo": s.shift & 1 if s.state == "SHIFT_IR" else bypassed if s.state == "SHIFT_DR" else None,
        }
        if s.state == "TEST_RESET":
            s.instruction = first
        elif s.state == "CAPTURE_IR":
            s.shift = 1
        elif s.state == "SHIFT_IR":
            s.shift = s.shift >> 1 | i.tdi << (bits - 1)
        elif s.state == "UPDATE_IR":
            s.instruction = s.shift
        if s.state == "CAPTURE_DR":
            s.bypass = 0
        elif s.state == "SHIFT_DR":
            s.bypass = i.tdi
        s.state = _TAP[s.state][i.tms]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        likely = 0.15 if s.state.startswith("SHIFT") else 0.6 if s.state == "SELECT_DR" else 0.35
        tdi = int(r.random() < getattr(s, "ones", 0.5))
        if r.random() < 0.05:
            s.ones = r.choice((0.3, 0.5, 1.0))
        return {"tms": int(r.random() < likely), "tdi": tdi}

    return Draft(
        rtl=f"""
module tap_controller (
  input logic clk,
  input logic rst,
  input logic tms,
  input logic tdi,
  input logic dr_tdo, // of the data register that the instruction selects
  output logic tdo,
  output logic test_reset,
  output logic capture_dr,
  output logic shift_dr,
  output logic update_dr,
  output logic [{bits - 1}:0] instruction
);
  logic capture_ir, shift_ir, update_ir;
  logic [{bits - 1}:0] ir_shift;
  logic bypass;
  {body}
  // instruction register; its lowest bit comes and goes first
  always_ff @(posedge clk) begin
    if (rst) ir_shift <= '0;
    else if (capture_ir) ir_shift <= {bits}'d1;
    else if (shift_ir) ir_shift <= {{tdi, ir_shift[{bits - 1}:1]}};
  end

  always_ff @(posedge clk) begin
    if (rst) instruction <= {bits}'d{first};
    else if (test_reset) instruction <= {bits}'d{first};
    else if (update_ir) instruction <= ir_shift;
  end

  always_ff @(posedge clk) begin
    if (rst) bypass <= 1'b0;
    else if (capture_dr) bypass <= 1'b0;
    else if (shift_dr) bypass <= tdi;
  end

  // the instruction of all ones selects the bypass bit
  assign tdo = shift_ir ? ir_shift[0] : ((&instruction) ? bypass : dr_tdo);
endmodule
""",
        about=f"""A JTAG test access port on one clock edge, with an instruction register of {bits} bits. `tms` steers
            the sixteen standard states: test-logic-reset (also after `rst`), run-test/idle, and for data and for
            instruction registers select, capture, shift, exit1, pause, exit2 and update. The outputs `test_reset`,
            `capture_dr`, `shift_dr` and `update_dr` are high in their states. At the end of a cycle in capture-IR the
            instruction's shift register is set to 1, in shift-IR it shifts right with `tdi` coming in at the top, in
            update-IR it is copied to `instruction`, which is {first} from reset on and set to that in
            test-logic-reset. A bypass bit is cleared in capture-DR and takes `tdi` in shift-DR. In shift-IR `tdo` is
            the shift register's lowest bit; in shift-DR it is the bypass bit where `instruction` is all ones, else
            `dr_tdo`; at other times it means nothing.""",
        model=Machine(reset, step),
        names=("jtag_tap", "tap_fsm", "test_access_port", "jtag_controller"),
        drive=drive,
        cycles=400,
    )


@family(variants=3)
def boundary_register(r: Random, variant: int) -> Draft:
    """A chain of cells between a chip's core and its pins."""
    cells = r.choice((4, 6, 8))
    upward = r.random() < 0.5
    safe = r.choice((0, (1 << cells) - 1, r.getrandbits(cells)))
    frozen = r.random() < 0.5
    out_bit, moved = (
        (f"chain[{cells - 1}]", "{chain[CELLS-2:0], tdi}") if upward else ("chain[0]", "{tdi, chain[CELLS-1:1]}")
    )
    vector = f"""
  always_ff @(posedge clk) begin
    if (rst) chain <= '0;
    else if (capture) chain <= core_out;
    else if (shift) chain <= {moved};
  end

  // the pins keep still while the chain moves
  always_ff @(posedge clk) begin
    if (rst) held <= SAFE;
    {"else if (update && !freeze) held <= chain;" if frozen else "else if (update) held <= chain;"}
  end

  assign tdo = {out_bit};
  assign pin_out = test_mode ? held : core_out;
"""
    feed = (
        "(k == 0) ? tdi : chain[(k + CELLS - 1) % CELLS]"
        if upward
        else "(k == CELLS - 1) ? tdi : chain[(k + 1) % CELLS]"
    )
    generated = f"""
  // one cell for each pin
  for (genvar k = 0; k < CELLS; k++) begin : gen_cell
    logic from_neighbour;

    assign from_neighbour = {feed};

    always_ff @(posedge clk) begin
      if (rst) begin
        chain[k] <= 1'b0;
        held[k] <= SAFE[k];
      end else begin
        if (capture) chain[k] <= core_out[k];
        else if (shift) chain[k] <= from_neighbour;
        if (update{" && !freeze" if frozen else ""}) held[k] <= chain[k];
      end
    end

    assign pin_out[k] = test_mode ? held[k] : core_out[k];
  end

  assign tdo = {out_bit};
"""
    planned = f"""
  logic [CELLS-1:0] chain_next, held_next;

  always_comb begin
    case ({{capture, shift}})
      2'b00: chain_next = chain;
      2'b01: chain_next = {moved};
      default: chain_next = core_out; // capturing goes before shifting
    endcase
  end

  always_comb begin
    held_next = held;
    if (update) held_next = chain;
    {"if (freeze) held_next = held;" if frozen else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      chain <= '0;
      held <= SAFE;
    end else begin
      chain <= chain_next;
      held <= held_next;
    end
  end

  assign pin_out = (held & {{CELLS{{test_mode}}}}) | (core_out & ~{{CELLS{{test_mode}}}});
  assign tdo = {out_bit};
"""
    body = (vector, generated, planned)[variant]

    def reset(s: State) -> None:
        s.chain, s.held = 0, safe

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "tdo": s.chain >> (cells - 1) if upward else s.chain & 1,
            "pin_out": s.held if i.test_mode else i.core_out,
        }
        if i.update and not (frozen and i.freeze):
            s.held = s.chain
        if i.capture:
            s.chain = i.core_out
        elif i.shift:
            mask = (1 << cells) - 1
            s.chain = (s.chain << 1 | i.tdi) & mask if upward else s.chain >> 1 | i.tdi << (cells - 1)
        return out

    way = (
        f"towards the higher numbers: `tdi` goes to cell 0, and `tdo` is cell {cells - 1}"
        if upward
        else f"towards the lower numbers: `tdi` goes to cell {cells - 1}, and `tdo` is cell 0"
    )
    kept = " unless `freeze` is high" if frozen else ""
    return Draft(
        rtl=f"""
module boundary_register #(
  parameter int CELLS = {cells}
) (
  input logic clk,
  input logic rst,
  input logic capture,
  input logic shift,
  input logic update,
{"  input logic freeze," if frozen else ""}
  input logic test_mode,
  input logic tdi,
  output logic tdo,
  input logic [CELLS-1:0] core_out,
  output logic [CELLS-1:0] pin_out
);
  localparam logic [CELLS-1:0] SAFE = {cells}'b{safe:0{cells}b}; // for the pins, until something is written
  logic [CELLS-1:0] chain, held;
  {body}
endmodule
""",
        about=(
            f"Boundary scan register of {cells} cells. `capture` loads the chain with `core_out`; else `shift` moves it"
            f" by one cell {way}. `update` copies the chain, as it stands before that cycle's change, to a holding"
            f" register{kept}, which is {safe:0{cells}b} (binary) after reset; the chain is 0 then. `pin_out` is the"
            " holding register in `test_mode` and `core_out` otherwise, without delay.",
            f"The scan cells between {cells} outputs of a core and the pins. Normally `pin_out` follows `core_out`"
            " combinationally; in `test_mode` it shows a holding register. That register takes the scan chain with"
            f" `update`{kept}. The chain takes `core_out` with `capture`, which has precedence over `shift`. Shifting"
            f" goes {way}. After reset the chain is 0 and the holding register {safe:0{cells}b} (binary). An `update`"
            " in the same cycle as `capture` or `shift` copies the old value of the chain.",
        ),
        model=Machine(reset, step),
        names=("boundary_scan", "scan_cells", "bsr", "scan_chain"),
        stimulus={"capture": 0.15, "shift": 0.7, "update": 0.2, "freeze": 0.3},
        cycles=120,
    )


@family(variants=2)
def link_trainer(r: Random, variant: int) -> Draft:
    """Brings a link up: both ends first hear each other, then tell each other so."""
    need, more, patience, bad = r.choice((2, 3, 4)), r.choice((2, 3)), r.choice((24, 30)), r.choice((2, 3))
    codes = r.sample(range(4), 4)  # of nothing, hello, agree, data
    names = ("NOTHING", "HELLO", "AGREE", "DATA")
    places = "\n".join(f"  localparam logic [1:0] {name} = 2'd{code};" for name, code in zip(names, codes, strict=True))
    nothing, hello, agree, data = codes
    single = """
  typedef enum logic [1:0] {DOWN, CALL, CONFIRM, UP} state_t;
  state_t state;

  assign up = (state == UP);

  always_comb begin
    case (state)
      CALL: tx_kind = HELLO;
      CONFIRM: tx_kind = AGREE;
      UP: tx_kind = DATA;
      default: tx_kind = NOTHING;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= DOWN;
      heard <= '0;
      extra <= '0;
      timer <= '0;
      failed <= 1'b0;
    end else begin
      failed <= 1'b0;
      if (!enable) begin
        state <= DOWN;
        heard <= '0;
      end else begin
        case (state)
          DOWN: begin
            state <= CALL;
            heard <= '0;
            timer <= '0;
          end
          CALL: begin
            timer <= timer + 1'b1;
            // whoever agrees already has heard us
            if (rx_kind == HELLO || rx_kind == AGREE) heard <= heard + 1'b1;
            else heard <= '0;
            if ((rx_kind == HELLO || rx_kind == AGREE) && heard == NEED - 1) begin
              state <= CONFIRM;
              heard <= '0;
              extra <= '0;
              timer <= '0;
            end else if (timer == PATIENCE - 1) begin
              state <= DOWN;
              failed <= 1'b1;
            end
          end
          CONFIRM: begin
            timer <= timer + 1'b1;
            if (heard == NEED) extra <= extra + 1'b1;
            else if (rx_kind == AGREE) heard <= heard + 1'b1;
            else heard <= '0;
            // the other end may need some more of our words
            if (heard == NEED && extra == MORE - 1) begin
              state <= UP;
              heard <= '0;
            end else if (timer == PATIENCE - 1) begin
              state <= DOWN;
              failed <= 1'b1;
            end
          end
          UP: begin
            if (rx_kind == DATA) heard <= '0;
            else heard <= heard + 1'b1;
            if (rx_kind != DATA && heard == BAD - 1) begin
              state <= DOWN;
              failed <= 1'b1;
            end
          end
        endcase
      end
    end
  end
"""
    split = """
  logic [1:0] state, state_next; // what is sent is the state
  logic good, enough, satisfied, expired, broken;

  assign tx_kind = state;
  assign up = (state == DATA);

  // what counts depends on where we are; in `DATA` the bad ones are counted
  always_comb begin
    case (state)
      HELLO: good = (rx_kind == HELLO) || (rx_kind == AGREE);
      AGREE: good = (rx_kind == AGREE);
      DATA: good = (rx_kind != DATA);
      default: good = 1'b0;
    endcase
  end

  assign enough = (state == HELLO) && good && (heard == NEED - 1);
  assign satisfied = (state == AGREE) && (heard == NEED) && (extra == MORE - 1);
  assign expired = (state == HELLO || state == AGREE) && (timer == PATIENCE - 1) && !enough && !satisfied;
  assign broken = (state == DATA) && good && (heard == BAD - 1);

  always_comb begin
    state_next = state;
    if (!enable || expired || broken) state_next = NOTHING;
    else if (state == NOTHING) state_next = HELLO;
    else if (enough) state_next = AGREE;
    else if (satisfied) state_next = DATA;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= NOTHING;
      failed <= 1'b0;
    end else begin
      state <= state_next;
      failed <= enable && (expired || broken);
    end
  end

  // everything is counted anew in each state
  always_ff @(posedge clk) begin
    if (rst) begin
      heard <= '0;
      extra <= '0;
      timer <= '0;
    end else if (state_next != state) begin
      heard <= '0;
      extra <= '0;
      timer <= '0;
    end else begin
      timer <= timer + 1'b1;
      if (state == AGREE && heard == NEED) extra <= extra + 1'b1;
      else if (good) heard <= heard + 1'b1;
      else heard <= '0;
    end
  end
"""
    body = (single, split)[variant]

    def reset(s: State) -> None:
        s.state, s.heard, s.extra, s.timer, s.failed = "down", 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        sent = {"down": nothing, "call": hello, "confirm": agree, "up": data}[s.state]
        out = {"tx_kind": sent, "up": int(s.state == "up"), "failed": s.failed}
        s.failed = 0
        old = s.state
        if not i.enable:
            s.state = "down"
        elif s.state == "down":
            s.state = "call"
        elif s.state == "call":
            s.heard = s.heard + 1 if i.rx_kind in (hello, agree) else 0
            s.timer += 1
            if s.heard == need:
                s.state = "confirm"
            elif s.timer == patience:
                s.state, s.failed = "down", 1
        elif s.state == "confirm":
            if s.heard == need:
                s.extra += 1
            else:
                s.heard = s.heard + 1 if i.rx_kind == agree else 0
            s.timer += 1
            if s.extra == more:
                s.state = "up"
            elif s.timer == patience:
                s.state, s.failed = "down", 1
        else:
            s.heard = s.heard + 1 if i.rx_kind != data else 0
            if s.heard == bad:
                s.state, s.failed = "down", 1
        if s.state != old:
            s.heard = s.extra = s.timer = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.06:
            s.quality = r.choice((0.4, 0.8, 0.95))
        wished = {"down": nothing, "call": r.choice((hello, hello, agree)), "confirm": agree, "up": data}[s.state]
        kept = r.random() < getattr(s, "quality", 0.8)
        return {"rx_kind": wished if kept else r.choice(codes)}

    listing = ", ".join(
        f"{code} {name}" for name, code in zip(("nothing", "hello", "agree", "data"), codes, strict=True)
    )
    return Draft(
        rtl=f"""
module link_trainer #(
  parameter int NEED = {need},
  parameter int MORE = {more},
  parameter int PATIENCE = {patience},
  parameter int BAD = {bad}
) (
  input logic clk,
  input logic rst,
  input logic enable,
  input logic [1:0] rx_kind,
  output logic [1:0] tx_kind,
  output logic up,
  output logic failed
);
{places}
  logic [2:0] heard, extra;
  logic [4:0] timer;
  {body}
endmodule
""",
        about=f"""Brings up a link on which a word of some kind goes each way in every cycle: {listing}. In the state
            down it sends nothing, and goes on to calling at once if `enable` is high. Calling, it sends hello until it
            has received {need} words in a row that are hello or agree. Confirming, it sends agree until it has received
            {need} agree in a row, and then for {more} more cycles whatever comes. Then it is `up`, sends data, and goes
            down after {bad} received words in a row that are not data. Calling and confirming may last {patience}
            cycles each; who is not through in the last of these goes down. `failed` is high for the cycle after going
            down for one of these reasons. Low `enable` goes down from anywhere, without `failed`. Counting starts anew
            in each state, with the first cycle in it.""",
        model=Machine(reset, step),
        names=("link_training", "link_fsm", "handshake_trainer", "link_bringup"),
        stimulus={"enable": 0.985},
        drive=drive,
        cycles=400,
    )


@family(variants=2)
def lane_deskew(r: Random, variant: int) -> Draft:
    """Delays the lanes that are early, so that all markers stand side by side."""
    lanes = r.choice((2, 3, 4))
    skew = r.choice((2, 3))
    width = r.choice((3, 4))
    marker = r.randrange(1, 1 << width)
    arrays = """
  logic [WIDTH-1:0] past [0:LANES*SKEW-1]; // of each lane: one cycle ago, two, and so on
  logic [2:0] age [0:LANES-1]; // cycles since the marker
  logic [2:0] delay [0:LANES-1];

  always_comb begin
    late = 1'b0;
    for (int k = 0; k < LANES; k++) begin
      hit[k] = (din[k*WIDTH +: WIDTH] == MARKER);
      if (found[k] && age[k] == SKEW) late = 1'b1;
      // from the present or from the past, as its lane needs
      if (delay[k] == 0) aligned[k*WIDTH +: WIDTH] = din[k*WIDTH +: WIDTH];
      else aligned[k*WIDTH +: WIDTH] = past[k*SKEW + delay[k] - 1];
      marked[k] = (aligned[k*WIDTH +: WIDTH] == MARKER);
    end
  end

  always_ff @(posedge clk) begin
    for (int k = 0; k < LANES; k++) begin
      past[k*SKEW] <= din[k*WIDTH +: WIDTH];
      for (int j = 1; j < SKEW; j++) past[k*SKEW+j] <= past[k*SKEW+j-1];
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int k = 0; k < LANES; k++) begin
        age[k] <= '0;
        delay[k] <= '0;
      end
    end else if (!locked) begin
      for (int k = 0; k < LANES; k++) begin
        age[k] <= found[k] ? age[k] + 1'b1 : 1;
        delay[k] <= found[k] ? age[k] : 0;
      end
    end
  end
"""
    generated = """
  logic [LANES-1:0] too_old;

  for (genvar k = 0; k < LANES; k++) begin : gen_lane
    logic [WIDTH*(SKEW+1)-1:0] window; // the newest symbol is lowest
    logic [WIDTH*SKEW-1:0] past;
    logic [2:0] age, delay;

    assign window = {past, din[k*WIDTH +: WIDTH]};
    assign hit[k] = (din[k*WIDTH +: WIDTH] == MARKER);
    assign too_old[k] = found[k] && (age == SKEW);
    assign aligned[k*WIDTH +: WIDTH] = window[delay*WIDTH +: WIDTH];
    assign marked[k] = (aligned[k*WIDTH +: WIDTH] == MARKER);

    always_ff @(posedge clk) begin
      past <= window[WIDTH*SKEW-1:0];
    end

    // the marker's age when the last lane shows its own is this lane's delay
    always_ff @(posedge clk) begin
      if (rst) begin
        age <= 3'd0;
        delay <= 3'd0;
      end else if (!locked) begin
        if (found[k]) begin
          age <= age + 3'd1;
          delay <= age;
        end else begin
          age <= 3'd1;
          delay <= 3'd0;
        end
      end
    end
  end

  assign late = |too_old;
"""
    body = (arrays, generated)[variant]

    def reset(s: State) -> None:
        s.past = [[None] * skew for _ in range(lanes)]
        s.age = [None] * lanes
        s.delay, s.locked, s.dout, s.valid, s.error = [0] * lanes, 0, None, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"locked": s.locked, "valid": s.valid, "dout": s.dout if s.valid else None, "error": s.error}
        now = [i.din >> k * width & (1 << width) - 1 for k in range(lanes)]
        s.error = 0
        s.valid = s.locked
        if s.locked:
            symbols = [now[k] if d == 0 else s.past[k][d - 1] for k, d in enumerate(s.delay)]
            marks = sum(one == marker for one in symbols)
            s.dout = sum(one << k * width for k, one in enumerate(symbols))
            if 0 < marks < lanes:
                s.locked, s.valid, s.error = 0, 0, 1
                s.age = [None] * lanes
        else:
            ages = [0 if one is None and now[k] == marker else one for k, one in enumerate(s.age)]
            if all(one is not None for one in ages):
                s.locked, s.delay = 1, [one for one in ages if one is not None]
                s.age = [None] * lanes
            elif skew in ages:
                s.error, s.age = 1, [None] * lanes
            else:
                s.age = [None if one is None else one + 1 for one in ages]
        s.past = [[now[k], *s.past[k][:-1]] for k in range(lanes)]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "wires") or r.random() < 0.03:
            s.wires = [[] for _ in range(lanes)]
            s.skews = [r.randrange(skew + 1 + (r.random() < 0.2)) for _ in range(lanes)]
            for k in range(lanes):
                s.wires[k] = [0] * s.skews[k]
        if min(len(one) for one in s.wires) == 0:
            marked = [r.random() < 0.97 for _ in range(lanes)]
            length = r.randrange(skew + 1, 9)
            for k in range(lanes):
                rest = [r.choice([n for n in range(1 << width) if n != marker]) for _ in range(length)]
                s.wires[k] += [marker if marked[k] else 0, *rest]
        return {"din": sum(one.pop(0) << k * width for k, one in enumerate(s.wires))}

    return Draft(
        rtl=f"""
module lane_deskew #(
  parameter int LANES = {lanes},
  parameter int WIDTH = {width},
  parameter int SKEW = {skew}
) (
  input logic clk,
  input logic rst,
  input logic [LANES*WIDTH-1:0] din, // lane 0 is lowest
  output logic [LANES*WIDTH-1:0] dout,
  output logic valid,
  output logic locked,
  output logic error
);
  localparam logic [WIDTH-1:0] MARKER = {width}'d{marker};
  logic [LANES-1:0] found, hit, marked;
  logic [LANES*WIDTH-1:0] aligned;
  logic late, complete, torn;
  {body}
  assign complete = &(found | hit);
  assign torn = (|marked) && !(&marked); // markers side by side, or no markers

  always_ff @(posedge clk) begin
    if (rst) begin
      locked <= 1'b0;
      found <= '0;
      valid <= 1'b0;
      dout <= '0;
      error <= 1'b0;
    end else begin
      valid <= locked && !torn;
      dout <= aligned;
      error <= locked ? torn : (late && !complete);
      if (locked) begin
        locked <= !torn;
        found <= '0;
      end else begin
        locked <= complete;
        found <= (complete || late) ? '0 : found | hit;
      end
    end
  end
endmodule
""",
        about=f"""Aligns {lanes} lanes of {width} bits that carry a marker symbol {marker} from time to time, with up to
            {skew} cycles between the first and the last lane. Unlocked, it waits for the first marker on each lane. In
            the
            cycle in which the last lane shows its own, the delay of each lane is fixed as the number of cycles since
            its marker (0 for those that show it now), and `locked` is high from the next cycle on. Where a lane's
            marker is {skew} cycles old and some lane still shows none, `error` is high for the next cycle and all lanes
            are waited for anew, from the next cycle on. Locked, each cycle takes the delayed symbols of all lanes into
            the register `dout`, and `valid` is high in the next cycle, unless some of them but not all are markers:
            then `error` is high for that cycle instead and the lock is lost. `dout` means nothing without
            `valid`.""",
        model=Machine(reset, step),
        names=("lane_aligner", "deskew_buffer", "channel_bonding", "lane_bonder"),
        drive=drive,
        cycles=260,
    )


@family(variants=3)
def line_monitor(r: Random, variant: int) -> Draft:
    """Tells a line at rest from one that is held down."""
    low, high = r.choice(((10, 12), (11, 8), (9, 14), (12, 6)))
    once = r.random() < 0.5
    ending = "a message is over" if once else "the line has come to rest"
    guard = " && heard" if once else ""
    counters = f"""
  logic [3:0] low_count, high_count;
{"  logic heard;" if once else ""}

  assign is_break = (low_count == LOW_TIME);
  assign idle = (high_count == HIGH_TIME);

  always_ff @(posedge clk) begin
    if (rst) begin
      low_count <= '0;
      high_count <= HIGH_TIME; // the line counts as quiet at first
      break_done <= 1'b0;
      quiet <= 1'b0;
{"      heard <= 1'b0;" if once else ""}
    end else begin
      break_done <= 1'b0;
      quiet <= 1'b0;
      if (tick) begin
        if (line) begin
          low_count <= '0;
          break_done <= is_break;
          if (high_count != HIGH_TIME) begin
            high_count <= high_count + 1'b1;
            quiet <= (high_count == HIGH_TIME - 1){guard};
{"            if (high_count == HIGH_TIME - 1) heard <= 1'b0;" if once else ""}
          end
        end else begin
          high_count <= '0;
          if (low_count != LOW_TIME) low_count <= low_count + 1'b1;
{"          if (low_count == 0) heard <= 1'b1;" if once else ""}
{"          if (low_count == LOW_TIME - 1) heard <= 1'b0; // a break is no message" if once else ""}
        end
      end
    end
  end
"""
    shared = f"""
  logic [3:0] count; // ticks since the line changed
  logic level; // at the last tick
{"  logic heard;" if once else ""}
  logic low_over, high_over;

  assign low_over = (count >= LOW_TIME);
  assign high_over = (count >= HIGH_TIME);
  assign is_break = !level && low_over;
  assign idle = level && high_over;

  always_ff @(posedge clk) begin
    if (rst) begin
      level <= 1'b1;
      count <= 4'd15;
    end else if (tick) begin
      level <= line;
      if (line != level) count <= 4'd1;
      else if (count != 4'd15) count <= count + 4'd1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      break_done <= 1'b0;
      quiet <= 1'b0;
    end else begin
      break_done <= tick && line && is_break;
      quiet <= tick && line && level && (count == HIGH_TIME - 1){guard};
    end
  end
{
        '''
  // a low time that does not become a break makes a message
  always_ff @(posedge clk) begin
    if (rst) heard <= 1'b0;
    else if (tick && line && level && count == HIGH_TIME - 1) heard <= 1'b0;
    else if (tick && !line && level) heard <= 1'b1;
    else if (tick && !line && count == LOW_TIME - 1) heard <= 1'b0;
  end
'''
        if once
        else ""
    }"""
    machine = f"""
  typedef enum logic [1:0] {{QUIET, MARK, SPACE, HELD}} state_t;
  state_t state, state_next;
  logic [3:0] count, count_next;
{"  logic heard;" if once else ""}
  logic now_quiet;

  always_comb begin
    state_next = state;
    count_next = count;
    now_quiet = 1'b0;
    case (state)
      QUIET: if (!line) begin
        state_next = SPACE;
        count_next = 4'd1;
      end
      MARK: begin
        count_next = count + 4'd1;
        if (!line) begin
          state_next = SPACE;
          count_next = 4'd1;
        end else if (count == HIGH_TIME - 1) begin
          state_next = QUIET;
          now_quiet = 1'b1;
        end
      end
      SPACE: begin
        count_next = count + 4'd1;
        if (line) begin
          state_next = MARK;
          count_next = 4'd1;
        end else if (count == LOW_TIME - 1) begin
          state_next = HELD;
        end
      end
      HELD: if (line) begin
        state_next = MARK;
        count_next = 4'd1;
      end
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= QUIET;
      count <= 4'd0;
      break_done <= 1'b0;
      quiet <= 1'b0;
    end else begin
      break_done <= tick && (state == HELD) && line;
      quiet <= tick && now_quiet{guard};
      if (tick) begin
        state <= state_next;
        count <= count_next;
      end
    end
  end
{
        '''
  // something other than a break has come since the last rest
  always_ff @(posedge clk) begin
    if (rst) heard <= 1'b0;
    else if (tick && state != SPACE && state_next == SPACE) heard <= 1'b1;
    else if (tick && (now_quiet || (state == SPACE && state_next == HELD))) heard <= 1'b0;
  end
'''
        if once
        else ""
    }
  assign is_break = (state == HELD);
  assign idle = (state == QUIET);
"""
    body = (counters, shared, machine)[variant]

    def reset(s: State) -> None:
        s.level, s.count, s.heard, s.broken, s.done, s.quiet = 1, 15, 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "is_break": int(not s.level and s.count >= low),
            "idle": int(s.level and s.count >= high),
            "break_done": s.done,
            "quiet": s.quiet,
        }
        s.done = s.quiet = 0
        if i.tick:
            s.done = int(out["is_break"] and i.line)
            if i.line == s.level:
                s.count = min(s.count + 1, 15)
            else:
                s.count, s.level = 1, i.line
            if not i.line:
                if s.count == 1:
                    s.heard = 1
                if s.count == low:
                    s.heard = 0
            elif s.count == high:
                s.quiet = int(s.heard or not once)
                s.heard = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if getattr(s, "left", 0) == 0:
            s.left = r.choice((1, 2, 4, low - 1, low, high - 1, high, 16))
            s.pin = 1 - getattr(s, "pin", 1)
        s.ticking = int(r.random() < 0.85)
        s.left -= s.ticking
        return {"line": s.pin, "tick": s.ticking}

    rest = (
        "but only where the line has been low since the last time, and the last low time was not a break"
        if once
        else "each time"
    )
    return Draft(
        rtl=f"""
module line_monitor #(
  parameter int LOW_TIME = {low},
  parameter int HIGH_TIME = {high}
) (
  input logic clk,
  input logic rst,
  input logic tick, // one bit time
  input logic line,
  output logic is_break,
  output logic break_done,
  output logic idle,
  output logic quiet // {ending}
);
  {body}
endmodule
""",
        about=f"""Watches a serial line that rests high, sampled in cycles with `tick`. `is_break` is high, from the
            next cycle on, once {low} samples in a row were low, until one is high; in the cycle behind that one
            `break_done` is high. `idle` is high once {high} samples in a row were high, until one is low, and it is
            high
            after reset. In the cycle behind the sample that makes the line idle `quiet` is high for one cycle,
            {rest}.""",
        model=Machine(reset, step),
        names=("break_detector", "idle_detector", "line_watcher", "rx_line_state"),
        drive=drive,
        cycles=320,
    )


@family(variants=2)
def multidrop_filter(r: Random, variant: int) -> Draft:
    """On a line for many, lets through what is for this one."""
    everyone = r.choice((0xFF, 0x00, None))
    masked = r.random() < 0.4
    forward = r.random() < 0.5
    limit = r.choice((0, 5, 9))
    match = "((data ^ own) & care) == 8'h00" if masked else "data == own"
    mine = match if everyone is None else f"({match}) || (data == 8'h{everyone:02x})"
    one = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      selected <= 1'b0;
      out_valid <= 1'b0;
      out_data <= '0;
{"      out_address <= 1'b0;" if forward else ""}
{"      left <= '0;" if limit else ""}
    end else begin
      out_valid <= 1'b0;
      if (valid) begin
        out_data <= data;
{"        out_address <= mark;" if forward else ""}
        if (mark) begin
          selected <= for_us;
          {"out_valid <= for_us;" if forward else ""}
          {"left <= LIMIT;" if limit else ""}
        end else if (selected) begin
          out_valid <= 1'b1;
          {"left <= left - 1'b1;" if limit else ""}
          {"if (left == 1) selected <= 1'b0; // nobody may send on for ever" if limit else ""}
        end
      end
    end
  end
"""
    split = f"""
  logic take;

  // an address speaks for itself, a data byte needs a selection
  assign take = valid && (mark ? {"for_us" if forward else "1'b0"} : selected);
{
        '''
  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (valid && mark) left <= LIMIT;
    else if (valid && selected) left <= left - 1'b1;
  end
'''
        if limit
        else ""
    }
  always_ff @(posedge clk) begin
    if (rst) selected <= 1'b0;
    else if (valid && mark) selected <= for_us;
{"    else if (valid && left == 1) selected <= 1'b0;" if limit else ""}
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      out_valid <= 1'b0;
      out_data <= 8'h00;
{"      out_address <= 1'b0;" if forward else ""}
    end else begin
      out_valid <= take;
      if (take) begin
        out_data <= data;
{"        out_address <= mark;" if forward else ""}
      end
    end
  end
"""
    body = (one, split)[variant]

    def reset(s: State) -> None:
        s.selected, s.left, s.out = 0, 0, (0, 0, 0)

    def step(s: State, i: Pins) -> Outputs:
        valid, data, mark = s.out
        out = {"selected": s.selected, "out_valid": valid, "out_data": data if valid else None}
        if forward:
            out["out_address"] = mark if valid else None
        s.out = (0, 0, 0)
        if i.valid and i.mark:
            care = i.care if masked else 255
            s.selected = int((i.data ^ i.own) & care == 0 or i.data == everyone)
            s.left = limit
            s.out = (int(forward and s.selected), i.data, 1)
        elif i.valid and s.selected:
            s.out = (1, i.data, 0)
            s.left -= 1
            if s.left == 0:
                s.selected = 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if not hasattr(s, "own") or r.random() < 0.02:
            s.own = r.getrandbits(8)
        near = (s.own, s.own, s.own, s.own ^ 1, s.own ^ 0x80, 0xFF, 0x00, r.getrandbits(8))
        return {"own": s.own, "care": r.choice((0xF0, 0xFF, 0x7E)), "data": r.choice(near)}

    wide = "" if everyone is None else f" or {everyone:02x} (hexadecimal), which is for everyone"
    compared = " in all bits that are 1 in `care`" if masked else ""
    kept = (
        " The address byte itself is given out too where it selects, with `out_address` high, which is low for data."
        if forward
        else " Address bytes are not given out."
    )
    ended = f" After {limit} data bytes the selection ends by itself." if limit else ""
    return Draft(
        rtl=f"""
module multidrop_filter (
  input logic clk,
  input logic rst,
  input logic [7:0] own,
{"  input logic [7:0] care," if masked else ""}
  input logic valid,
  input logic mark, // the ninth bit: an address
  input logic [7:0] data,
  output logic selected,
  output logic out_valid,
{"  output logic out_address," if forward else ""}
  output logic [7:0] out_data
);
{f"  localparam int LIMIT = {limit};" if limit else ""}
{"  logic [3:0] left;" if limit else ""}
  logic for_us;

  assign for_us = {mine};
  {body}
endmodule
""",
        about=(
            "Address filter for a serial line with many stations, on which a ninth bit marks addresses. A byte comes in"
            f" a cycle with `valid`. With `mark` it is an address: `selected` is then set if it equals `own`{compared}"
            f"{wide}, and cleared if not. A byte without `mark` is data, and is given out if `selected` is"
            f" high: in the next cycle, with `out_valid` and `out_data`.{kept}{ended} What comes with no `out_valid`"
            " does not matter.",
        ),
        model=Machine(reset, step),
        names=("nine_bit_filter", "address_filter", "multidrop_receiver", "station_filter"),
        stimulus={"valid": 0.8, "mark": 0.25},
        drive=drive,
        cycles=200,
    )
