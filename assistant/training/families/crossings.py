"""What carries words and events from one clock domain to another."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family

_RATIOS = (((1, 0), (2, 1)), ((1, 0), (3, 1)), ((2, 1), (1, 0)), ((3, 1), (1, 0)), ((3, 1), (2, 0)), ((2, 0), (3, 2)))
"""In which cycles two clocks tick."""


def _pair(r: Random, first: str, second: str) -> dict[str, tuple[int, int]]:
    return dict(zip((first, second), r.choice(_RATIOS), strict=True))


@family(variants=3)
def async_fifo(r: Random, variant: int) -> Draft:
    """A queue between two clocks, whose pointers cross in Gray code."""
    width, bits, stages = r.choice((4, 8, 16)), r.choice((2, 3)), r.choice((2, 2, 3))
    depth, around = 1 << bits, 2 << bits
    sticky = r.random() < 0.5
    last = stages - 1
    port = ",\n  output logic overflow // a push came while `full`, and none has been forgotten since" if sticky else ""
    watch = (
        """
  always_ff @(posedge wr_clk) begin
    if (wr_rst) overflow <= 1'b0;
    else if (push && full) overflow <= 1'b1;
  end
"""
        if sticky
        else ""
    )

    def crossing(source: str, target: str, clock: str, style: int) -> str:
        if stages == 2 and style:
            moves = f"{target}_meta <= {source};\n      {target}_sync <= {target}_meta;"
            clears = f"{target}_meta <= '0;\n      {target}_sync <= '0;"
            declared = f"  logic [ADDR:0] {target}_meta, {target}_sync;"
        else:
            names = [f"{target}_{k}" for k in range(1, stages)] + [f"{target}_sync"]
            froms = [source, *names[:-1]]
            moves = "\n      ".join(f"{a} <= {b};" for a, b in zip(names, froms, strict=True))
            clears = "\n      ".join(f"{a} <= '0;" for a in names)
            declared = f"  logic [ADDR:0] {', '.join(names)};"
        return f"""
{declared}

  always_ff @(posedge {clock}_clk) begin
    if ({clock}_rst) begin
      {clears}
    end else begin
      {moves}
    end
  end
"""

    plain = f"""
  function automatic logic [ADDR:0] to_gray(input logic [ADDR:0] value);
    to_gray = value ^ (value >> 1);
  endfunction

  logic [ADDR:0] wr_ptr, rd_ptr; // with one bit more than the address
  logic [ADDR:0] wr_gray, rd_gray;

  // only one bit of a Gray pointer changes at a time, so the other clock sees the old or the new one
  always_ff @(posedge wr_clk) begin
    if (wr_rst) begin
      wr_ptr <= '0;
      wr_gray <= '0;
    end else if (push && !full) begin
      wr_ptr <= wr_ptr + 1'b1;
      wr_gray <= to_gray(wr_ptr + 1'b1);
    end
  end

  always_ff @(posedge rd_clk) begin
    if (rd_rst) begin
      rd_ptr <= '0;
      rd_gray <= '0;
    end else if (pop && !empty) begin
      rd_ptr <= rd_ptr + 1'b1;
      rd_gray <= to_gray(rd_ptr + 1'b1);
    end
  end
{crossing("wr_gray", "rd_wr_gray", "rd", 1)}{crossing("rd_gray", "wr_rd_gray", "wr", 1)}
  // in Gray code, a whole turn ahead differs in the two upper bits
  assign full = (wr_gray == {{~wr_rd_gray_sync[ADDR:ADDR-1], wr_rd_gray_sync[ADDR-2:0]}});
  assign empty = (rd_gray == rd_wr_gray_sync);
"""
    early = f"""
  logic [ADDR:0] wr_ptr, wr_ptr_next, wr_gray, wr_gray_next;
  logic [ADDR:0] rd_ptr, rd_ptr_next, rd_gray, rd_gray_next;
{crossing("wr_gray", "wr_seen", "rd", 0)}{crossing("rd_gray", "rd_seen", "wr", 0)}
  assign wr_ptr_next = wr_ptr + (push & ~full);
  assign wr_gray_next = wr_ptr_next ^ (wr_ptr_next >> 1);
  assign rd_ptr_next = rd_ptr + (pop & ~empty);
  assign rd_gray_next = rd_ptr_next ^ (rd_ptr_next >> 1);

  // both flags come from flip-flops
  always_ff @(posedge wr_clk) begin
    if (wr_rst) begin
      wr_ptr <= '0;
      wr_gray <= '0;
      full <= 1'b0;
    end else begin
      wr_ptr <= wr_ptr_next;
      wr_gray <= wr_gray_next;
      full <= (wr_gray_next[ADDR] != rd_seen_sync[ADDR]) && (wr_gray_next[ADDR-1] != rd_seen_sync[ADDR-1])
        && (wr_gray_next[ADDR-2:0] == rd_seen_sync[ADDR-2:0]);
    end
  end

  always_ff @(posedge rd_clk) begin
    if (rd_rst) begin
      rd_ptr <= '0;
      rd_gray <= '0;
      empty <= 1'b1;
    end else begin
      rd_ptr <= rd_ptr_next;
      rd_gray <= rd_gray_next;
      empty <= (rd_gray_next == wr_seen_sync);
    end
  end
"""
    levels = f"""
  logic [ADDR:0] wr_ptr, rd_ptr, wr_gray, rd_gray;
  logic [ADDR:0] wr_seen, rd_seen; // the other side's pointer, in binary again
  logic [ADDR:0] wr_level, rd_level;

  always_ff @(posedge wr_clk) begin
    if (wr_rst) wr_ptr <= '0;
    else if (push && !full) wr_ptr <= wr_ptr + 1'b1;
  end

  always_ff @(posedge rd_clk) begin
    if (rd_rst) rd_ptr <= '0;
    else if (pop && !empty) rd_ptr <= rd_ptr + 1'b1;
  end

  assign wr_gray = wr_ptr ^ (wr_ptr >> 1);
  assign rd_gray = rd_ptr ^ (rd_ptr >> 1);
{crossing("wr_gray", "wr_gray", "rd", 0)}{crossing("rd_gray", "rd_gray", "wr", 0)}
  // each bit is the parity of the Gray bits from it upwards
  always_comb begin
    for (int k = 0; k <= ADDR; k++) begin
      wr_seen[k] = ^(wr_gray_sync >> k);
      rd_seen[k] = ^(rd_gray_sync >> k);
    end
  end

  // each side knows how many words there are at least, or at most
  assign wr_level = wr_ptr - rd_seen;
  assign rd_level = wr_seen - rd_ptr;
  assign full = (wr_level == DEPTH);
  assign empty = (rd_level == 0);
"""
    body = (plain, early, levels)[variant]

    def reset(s: State) -> None:
        s.wr = s.rd = s.full = s.overflow = 0
        s.empty = 1
        s.wr_seen, s.rd_seen = [0] * stages, [0] * stages
        s.mem = [0] * depth

    def step(s: State, i: Pins) -> Outputs:
        if variant == 1:
            full, empty = s.full, s.empty
        else:
            full = int((s.wr - s.rd_seen[last]) % around == depth)
            empty = int(s.rd == s.wr_seen[last])
        out = {"dout": None if empty else s.mem[s.rd % depth], "full": full, "empty": empty}
        if sticky:
            out["overflow"] = s.overflow
        wr, rd = s.wr, s.rd
        if i.wr_clk:
            if i.push and full:
                s.overflow = 1
            elif i.push:
                s.mem[wr % depth] = i.din
                s.wr = (wr + 1) % around
            s.full = int((s.wr - s.rd_seen[last]) % around == depth)
            s.rd_seen = [rd, *s.rd_seen[:-1]]
        if i.rd_clk:
            if i.pop and not empty:
                s.rd = (rd + 1) % around
            s.empty = int(s.rd == s.wr_seen[last])
            s.wr_seen = [wr, *s.wr_seen[:-1]]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.filling = getattr(s, "filling", 1) ^ (r.random() < 0.03)
        return {"push": int(r.random() < 0.9 - 0.5 * (1 - s.filling)), "pop": int(r.random() < 0.9 - 0.7 * s.filling)}

    when = "a clock after the cycle that makes it so" if variant == 1 else "without delay"
    return Draft(
        rtl=f"""
module async_fifo #(
  parameter int WIDTH = {width},
  parameter int ADDR = {bits}
) (
  input logic wr_clk,
  input logic wr_rst,
  input logic push,
  input logic [WIDTH-1:0] din,
  output logic full,
  input logic rd_clk,
  input logic rd_rst,
  input logic pop,
  output logic [WIDTH-1:0] dout,
  output logic empty{port}
);
  localparam int DEPTH = 1 << ADDR;
  logic [WIDTH-1:0] mem [0:DEPTH-1];
{body}
  always_ff @(posedge wr_clk) begin
    if (push && !full) mem[wr_ptr[ADDR-1:0]] <= din;
  end

  assign dout = mem[rd_ptr[ADDR-1:0]];
{watch}endmodule
""",
        about=(
            f"""FIFO of {depth} words of {width} bits between the write clock and the read clock. `push` writes `din`
            unless `full`; `pop` takes away the oldest word, which `dout` shows, unless `empty`. The pointers have
            {bits + 1} bits and cross in Gray code through {stages} flip-flops on each side. `full` compares the write
            pointer, `empty` the read pointer with what has come across from the other side, {when}."""
            + (" `overflow` is set by a push while `full` and stays set until reset." if sticky else ""),
            f"""Asynchronous FIFO, depth {depth}, width {width}, Gray-coded pointers, {
                stages
            }-stage synchronisers, first
            word falls through. Pushes while `full` and pops while `empty` are ignored. The flags are
            {
                "registered: they are computed from the next pointer and the synchronised one"
                if variant == 1
                else "combinational functions of the local pointer and the synchronised one"
            }."""
            + (" A push while `full` also sets `overflow` for good." if sticky else ""),
        ),
        model=Machine(reset, step),
        names=("dual_clock_fifo", "afifo", "fifo_async", "cdc_fifo"),
        drive=drive,
        cycles=260,
        clocks=_pair(r, "wr_clk", "rd_clk"),
    )


@family(variants=3)
def pulse_crossing(r: Random, variant: int) -> Draft:
    """A pulse becomes a toggle, crosses, and becomes a pulse again."""
    guarded, late = r.random() < 0.6, r.random() < 0.5
    busy_port = "\n  output logic busy, // the last pulse has not been confirmed yet" if guarded else ""
    take = "send && !busy" if guarded else "send"
    back_flops = """
  // the toggle comes back, so that the source knows when it may send again
  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      back_meta <= 1'b0;
      back_sync <= 1'b0;
    end else begin
      back_meta <= toggle_sync;
      back_sync <= back_meta;
    end
  end

  assign busy = (back_sync != toggle);
"""
    edge_late = """
  always_ff @(posedge dst_clk) begin
    if (dst_rst) pulse <= 1'b0;
    else pulse <= toggle_sync ^ toggle_prev;
  end
"""
    flops = f"""
  logic toggle, toggle_meta, toggle_sync, toggle_prev;
{"  logic back_meta, back_sync;" if guarded else ""}

  always_ff @(posedge src_clk) begin
    if (src_rst) toggle <= 1'b0;
    else if ({take}) toggle <= ~toggle;
  end

  // the level that stands for the pulse is synchronised, and kept once more to see it change
  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      toggle_meta <= 1'b0;
      toggle_sync <= 1'b0;
      toggle_prev <= 1'b0;
    end else begin
      toggle_meta <= toggle;
      toggle_sync <= toggle_meta;
      toggle_prev <= toggle_sync;
    end
  end
{edge_late if late else "  assign pulse = toggle_sync ^ toggle_prev;"}
{back_flops if guarded else ""}"""
    chain = f"""
  logic toggle;
  logic [2:0] chain; // the newest in bit 0
{"  logic [1:0] back;" if guarded else ""}

  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      toggle <= 1'b0;
{"      back <= '0;" if guarded else ""}
    end else begin
      toggle <= toggle ^ ({take});
{"      back <= {back[0], chain[1]};" if guarded else ""}
    end
  end

  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      chain <= '0;
{"      pulse <= 1'b0;" if late else ""}
    end else begin
      chain <= {{chain[1:0], toggle}};
{"      pulse <= (chain[2] != chain[1]);" if late else ""}
    end
  end
{"" if late else "  assign pulse = (chain[2] != chain[1]);"}
{"  assign busy = toggle ^ back[1];" if guarded else ""}
"""
    back_instance = """
  bit_synchroniser u_back (
    .clk(src_clk),
    .rst(src_rst),
    .din(toggle_sync),
    .dout(back_sync)
  );

  assign busy = (toggle != back_sync);
"""
    parts = f"""
  logic toggle, toggle_next, toggle_sync, toggle_prev;
{"  logic back_sync;" if guarded else ""}

  assign toggle_next = ({take}) ? ~toggle : toggle;

  always_ff @(posedge src_clk) begin
    if (src_rst) toggle <= 1'b0;
    else toggle <= toggle_next;
  end

  bit_synchroniser u_forth (
    .clk(dst_clk),
    .rst(dst_rst),
    .din(toggle),
    .dout(toggle_sync)
  );
{back_instance if guarded else ""}
  always_ff @(posedge dst_clk) begin
    if (dst_rst) toggle_prev <= 1'b0;
    else toggle_prev <= toggle_sync;
  end
{edge_late if late else "  assign pulse = toggle_sync != toggle_prev;"}
"""
    part = """
module bit_synchroniser (
  input logic clk,
  input logic rst,
  input logic din, // from another clock domain
  output logic dout
);
  logic meta;

  always_ff @(posedge clk) begin
    if (rst) begin
      meta <= 1'b0;
      dout <= 1'b0;
    end else begin
      meta <= din;
      dout <= meta;
    end
  end
endmodule
"""
    body = (flops, chain, parts)[variant]

    def reset(s: State) -> None:
        s.toggle, s.chain, s.back, s.pulse = 0, [0, 0, 0], [0, 0], 0

    def step(s: State, i: Pins) -> Outputs:
        busy = int(s.toggle != s.back[1])
        changed = s.chain[1] ^ s.chain[2]
        out = {"pulse": s.pulse if late else changed}
        if guarded:
            out["busy"] = busy
        toggle, seen = s.toggle, s.chain[1]
        if i.src_clk:
            if i.send and not (guarded and busy):
                s.toggle ^= 1
            s.back = [seen, s.back[0]]
        if i.dst_clk:
            s.pulse = changed
            s.chain = [toggle, s.chain[0], s.chain[1]]
        return out

    ignored = (
        """The toggle comes back through two flip-flops of the source clock; `busy` is high while it differs from the
        one
        sent, and a `send` meanwhile is ignored."""
        if guarded
        else "Sends must be far enough apart for the other clock to see the level in between."
    )
    return Draft(
        rtl=f"""
module pulse_crossing (
  input logic src_clk,
  input logic src_rst,
  input logic send,{busy_port}
  input logic dst_clk,
  input logic dst_rst,
  output logic pulse
);
  {body}
endmodule
{part if variant == 2 else ""}""",
        about=(
            f"""Takes a pulse from one clock domain to another. Each `send` inverts a level in the source domain, which
            passes two flip-flops of the destination clock; `pulse` is high for one cycle of that clock when the
            synchronised level changes{", one cycle late, from a flip-flop" if late else ""}. {ignored}""",
            f"""Toggle-based pulse synchroniser: `send` (source clock) gives one `pulse` (destination clock). Two-stage
            synchroniser; `pulse` is the {"registered " if late else ""}exclusive or of the synchronised toggle and the
            one of the cycle before. {ignored}""",
        ),
        model=Machine(reset, step),
        names=("pulse_sync", "toggle_sync", "cdc_pulse", "strobe_crossing"),
        stimulus={"send": 0.3 if guarded else 0.12},
        cycles=150,
        clocks=_pair(r, "src_clk", "dst_clk"),
    )


@family(variants=3)
def handshake_crossing(r: Random, variant: int) -> Draft:
    """A word waits in the source domain until the other one has acknowledged it."""
    width = r.choice((4, 8, 12, 16))
    four = variant == 2 or r.random() < 0.5
    levels = """
  // a request is up until it is acknowledged, and the next one waits until the acknowledge is down again
  assign ready = !req && !ack_sync;

  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      req <= 1'b0;
    end else if (valid && ready) begin
      req <= 1'b1;
      hold <= din;
    end else if (ack_sync) begin
      req <= 1'b0;
    end
  end

  // the held word is stable by now
  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      ack <= 1'b0;
      strobe <= 1'b0;
      dout <= '0;
    end else begin
      ack <= req_sync;
      strobe <= req_sync && !ack;
      if (req_sync && !ack) dout <= hold;
    end
  end
"""
    toggles = """
  // request and acknowledge differ while a word is on its way
  assign ready = (req == ack_sync);

  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      req <= 1'b0;
    end else if (valid && ready) begin
      req <= ~req;
      hold <= din;
    end
  end

  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      ack <= 1'b0;
      strobe <= 1'b0;
      dout <= '0;
    end else begin
      strobe <= 1'b0;
      if (req_sync != ack) begin
        ack <= req_sync;
        strobe <= 1'b1;
        dout <= hold;
      end
    end
  end
"""
    split = f"""
  logic send, take;

  assign send = valid & ready;
  assign take = req_sync {"& ~ack" if four else "^ ack"};
  assign ready = {"~(req | ack_sync)" if four else "~(req ^ ack_sync)"};

  always_ff @(posedge src_clk) begin
    if (src_rst) req <= 1'b0;
    else req <= {"send | (req & ~ack_sync)" if four else "req ^ send"};
  end

  always_ff @(posedge src_clk) begin
    if (send) hold <= din;
  end

  always_ff @(posedge dst_clk) begin
    if (dst_rst) ack <= 1'b0;
    else ack <= req_sync; // whatever has been asked is granted a clock later
  end

  always_ff @(posedge dst_clk) begin
    if (dst_rst) strobe <= 1'b0;
    else strobe <= take;
  end

  always_ff @(posedge dst_clk) begin
    if (dst_rst) dout <= '0;
    else if (take) dout <= hold;
  end
"""
    states = """
  typedef enum logic [1:0] {IDLE, ASK, RELEASE} state_t;
  typedef enum logic {WAITING, TAKEN} side_t;
  state_t state, state_next;
  side_t side;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (valid) state_next = ASK;
      ASK: if (ack_sync) state_next = RELEASE;
      RELEASE: if (!ack_sync) state_next = IDLE;
      default: state_next = IDLE;
    endcase
  end

  // the request has a flip-flop of its own, because it crosses
  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      state <= IDLE;
      req <= 1'b0;
    end else begin
      state <= state_next;
      req <= (state_next == ASK);
      if (state == IDLE && valid) hold <= din;
    end
  end

  assign ready = (state == IDLE);

  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      side <= WAITING;
      strobe <= 1'b0;
      dout <= '0;
    end else begin
      strobe <= 1'b0;
      case (side)
        WAITING: if (req_sync) begin
          side <= TAKEN;
          strobe <= 1'b1;
          dout <= hold;
        end
        TAKEN: if (!req_sync) side <= WAITING;
        default: side <= WAITING;
      endcase
    end
  end

  assign ack = (side == TAKEN);
"""
    body = (levels if four else toggles, split, states)[variant]

    def reset(s: State) -> None:
        s.req = s.ack = s.strobe = s.dout = s.hold = s.state = 0
        s.req_sync, s.ack_sync = [0, 0], [0, 0]

    def step(s: State, i: Pins) -> Outputs:
        idle = not (s.req or s.ack_sync[1]) if four else s.req == s.ack_sync[1]
        ready = s.state == 0 if variant == 2 else idle
        out = {"ready": int(ready), "strobe": s.strobe, "dout": s.dout}
        req, ack, hold, wanted = s.req, s.ack, s.hold, s.req_sync[1]
        if i.src_clk:
            acked = s.ack_sync[1]
            if variant == 2:
                s.state = {0: int(i.valid), 1: 1 + acked, 2: 2 * acked}[s.state]
                s.req = int(s.state == 1)
            elif i.valid and ready:
                s.req ^= 1
            elif four and acked:
                s.req = 0
            if i.valid and ready:
                s.hold = i.din
            s.ack_sync = [ack, s.ack_sync[0]]
        if i.dst_clk:
            s.strobe = int(wanted and not ack) if four else wanted ^ ack
            s.ack = wanted
            if s.strobe:
                s.dout = hold
            s.req_sync = [req, s.req_sync[0]]
        return out

    protocol = (
        """four phases: the request rises when a word is taken, falls when the acknowledge has come, and a state machine
        waits in a third state until the acknowledge is low again before it is `ready` for the next word"""
        if variant == 2
        else """four phases: the request rises with a word and falls when the acknowledge has come, which falls after
        it; both
        are levels, and the next word is taken when both are low"""
        if four
        else "two phases: each word inverts the request, and the acknowledge follows it; they are equal when idle"
    )
    return Draft(
        rtl=f"""
module handshake_crossing #(
  parameter int WIDTH = {width}
) (
  input logic src_clk,
  input logic src_rst,
  input logic valid,
  output logic ready,
  input logic [WIDTH-1:0] din,
  input logic dst_clk,
  input logic dst_rst,
  output logic strobe, // one cycle for each word
  output logic [WIDTH-1:0] dout
);
  logic req, req_meta, req_sync;
  logic ack, ack_meta, ack_sync;
  logic [WIDTH-1:0] hold;

  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      req_meta <= 1'b0;
      req_sync <= 1'b0;
    end else begin
      req_meta <= req;
      req_sync <= req_meta;
    end
  end

  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      ack_meta <= 1'b0;
      ack_sync <= 1'b0;
    end else begin
      ack_meta <= ack;
      ack_sync <= ack_meta;
    end
  end
  {body}
endmodule
""",
        about=(
            f"""Carries words of {width} bits between two clocks by request and acknowledge in {protocol}. A word is
            taken with `valid` and `ready` and held. Request and acknowledge each pass two flip-flops. When the
            destination sees a request that it has not acknowledged, it copies the held word to `dout`, raises `strobe`
            for one cycle and acknowledges, all at the same edge. `dout` keeps its word; it is 0 after reset.""",
            f"""Clock-domain crossing for {width}-bit data with a handshake of {protocol}. Source side: `valid`,
            `ready`,
            `din`. Destination side: `dout` is loaded and `strobe` high for a cycle for each word, at the edge at which
            the acknowledge changes. Two-stage synchronisers both ways.""",
        ),
        model=Machine(reset, step),
        names=("cdc_handshake", "word_crossing", "data_sync", "req_ack_sync"),
        stimulus={"valid": 0.5},
        cycles=220,
        clocks=_pair(r, "src_clk", "dst_clk"),
    )


@family(variants=3)
def counter_crossing(r: Random, variant: int) -> Draft:
    """A count of events that another clock reads, in Gray code on the way."""
    width = r.choice((3, 4, 5, 6))
    full = (1 << width) - 1
    down = r.random() < 0.3
    registered = r.random() < 0.5
    step_by = "- 1'b1" if down else "+ 1'b1"
    result = "count_next" if registered else "count"
    binary = f"""
  logic [WIDTH-1:0] number;

  // counts in binary, and keeps the Gray code of the count in flip-flops, because it crosses
  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      number <= '0;
      gray <= '0;
    end else if (pulse) begin
      number <= number {step_by};
      gray <= (number {step_by}) ^ ((number {step_by}) >> 1);
    end
  end

  always_comb begin
    {result}[WIDTH-1] = gray_sync[WIDTH-1];
    for (int k = WIDTH - 2; k >= 0; k--) {result}[k] = {result}[k+1] ^ gray_sync[k];
  end
"""
    looped = f"""
  logic [WIDTH-1:0] number, number_next;

  assign number_next = pulse ? number {step_by} : number;

  always_ff @(posedge src_clk) begin
    if (src_rst) number <= '0;
    else number <= number_next;
  end

  always_ff @(posedge src_clk) begin
    if (src_rst) gray <= '0;
    else gray <= {{number_next[WIDTH-1], number_next[WIDTH-1:1] ^ number_next[WIDTH-2:0]}};
  end

  for (genvar k = 0; k < WIDTH; k++) begin : gen_bit
    assign {result}[k] = ^gray_sync[WIDTH-1:k];
  end
"""
    direct = f"""
  logic [WIDTH-1:0] toggles;
  logic even;

  assign even = ~^gray;

  // {"down" if down else "up"}, without a binary count: every other time bit 0 changes, else the bit above the lowest 1
  always_comb begin
    toggles = '0;
    if ({"!even" if down else "even"}) begin
      toggles[0] = 1'b1;
    end else if ((gray & {{1'b0, {{(WIDTH-1){{1'b1}}}}}}) == 0) begin
      toggles[WIDTH-1] = 1'b1; // the count begins again
    end else begin
      for (int k = WIDTH - 2; k >= 0; k--) begin
        if (gray[k]) begin
          toggles = '0;
          toggles[k+1] = 1'b1;
        end
      end
    end
  end

  always_ff @(posedge src_clk) begin
    if (src_rst) gray <= '0;
    else if (pulse) gray <= gray ^ toggles;
  end

  function automatic logic [WIDTH-1:0] to_binary(input logic [WIDTH-1:0] code);
    to_binary = code ^ (code >> 1);
    to_binary = to_binary ^ (to_binary >> 2);
    to_binary = to_binary ^ (to_binary >> 4);
  endfunction

  assign {result} = to_binary(gray_sync);
"""
    body = (binary, looped, direct)[variant]
    out_stage = """
  always_ff @(posedge dst_clk) begin
    if (dst_rst) count <= '0;
    else count <= count_next;
  end
"""

    def reset(s: State) -> None:
        s.number, s.meta, s.sync, s.count = 0, 0, 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"count": s.count if registered else s.sync}
        number = s.number
        if i.src_clk and i.pulse:
            s.number = (number + (-1 if down else 1)) & full
        if i.dst_clk:
            s.count, s.sync, s.meta = s.sync, s.meta, number
        return out

    return Draft(
        rtl=f"""
module counter_crossing #(
  parameter int WIDTH = {width}
) (
  input logic src_clk,
  input logic src_rst,
  input logic pulse, // counted in each cycle of `src_clk` in which it is high
  input logic dst_clk,
  input logic dst_rst,
  output logic [WIDTH-1:0] count
);
  logic [WIDTH-1:0] gray, gray_meta, gray_sync;
{"  logic [WIDTH-1:0] count_next;" if registered else ""}
{body}
  always_ff @(posedge dst_clk) begin
    if (dst_rst) begin
      gray_meta <= '0;
      gray_sync <= '0;
    end else begin
      gray_meta <= gray;
      gray_sync <= gray_meta;
    end
  end
{out_stage if registered else ""}endmodule
""",
        about=(
            f"""Counts `pulse` in one clock domain for a reader in another. The count has {
                width
            } bits, starts at 0, goes
            {"down" if down else "up"} and wraps around. Its Gray code stands in flip-flops of the source clock, passes
            two flip-flops of the destination clock and is turned to binary there: `count`{
                ", registered once more" if registered else ", without further delay"
            }.""",
            f"""{width}-bit {"down" if down else "up"} counter of events whose value is safe to read in another clock
            domain: it crosses in Gray code through a two-stage synchroniser and comes out in binary on `count`{
                " from a third register" if registered else ""
            }.""",
        ),
        model=Machine(reset, step),
        names=("gray_crossing", "count_sync", "cdc_counter", "event_count_cdc"),
        stimulus={"pulse": 0.7},
        cycles=200,
        clocks=_pair(r, "src_clk", "dst_clk"),
    )


@family(variants=2)
def event_crossing(r: Random, variant: int) -> Draft:
    """Events that come faster than they can cross are counted and sent one by one."""
    width = r.choice((3, 4, 5))
    top = (1 << width) - 1
    ported = r.random() < 0.5
    one = """
  // a new event and a departing one balance; a full count forgets events
  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      pending <= '0;
      toggle <= 1'b0;
      lost <= 1'b0;
    end else begin
      if (depart) toggle <= ~toggle;
      if (pulse && !depart) begin
        if (pending == LIMIT) lost <= 1'b1;
        else pending <= pending + 1'b1;
      end else if (depart && !pulse) begin
        pending <= pending - 1'b1;
      end
    end
  end
"""
    two = """
  logic [WIDTH-1:0] pending_next;
  logic overflow;

  assign overflow = pulse & ~depart & (&pending);

  always_comb begin
    case ({pulse, depart})
      2'b10: pending_next = overflow ? pending : pending + 1'b1;
      2'b01: pending_next = pending - 1'b1;
      default: pending_next = pending;
    endcase
  end

  always_ff @(posedge src_clk) begin
    if (src_rst) begin
      pending <= '0;
      toggle <= 1'b0;
    end else begin
      pending <= pending_next;
      toggle <= toggle ^ depart;
    end
  end

  // stays until reset
  always_ff @(posedge src_clk) begin
    if (src_rst) lost <= 1'b0;
    else lost <= lost | overflow;
  end
"""
    body = (one, two)[variant]

    def reset(s: State) -> None:
        s.pending = s.toggle = s.lost = 0
        s.forth, s.back = [0, 0, 0], [0, 0]

    def step(s: State, i: Pins) -> Outputs:
        out = {"event_out": s.forth[1] ^ s.forth[2], "lost": s.lost}
        if ported:
            out["waiting"] = s.pending
        toggle, seen = s.toggle, s.forth[1]
        if i.src_clk:
            depart = int(s.pending != 0 and s.back[1] == s.toggle)
            if i.pulse and not depart:
                s.lost |= int(s.pending == top)
                s.pending = min(s.pending + 1, top)
            elif depart and not i.pulse:
                s.pending -= 1
            s.toggle ^= depart
            s.back = [seen, s.back[0]]
        if i.dst_clk:
            s.forth = [toggle, s.forth[0], s.forth[1]]
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        s.dense = getattr(s, "dense", 1) ^ (r.random() < 0.04)
        return {"pulse": int(r.random() < (0.75 if s.dense else 0.04))}

    limit = "  localparam int LIMIT = (1 << WIDTH) - 1;\n" if variant == 0 else ""
    port = ",\n  output logic [WIDTH-1:0] waiting // events that have not left yet" if ported else ""
    return Draft(
        rtl=f"""
module event_crossing #(
  parameter int WIDTH = {width}
) (
  input logic src_clk,
  input logic src_rst,
  input logic pulse,
  output logic lost,
  input logic dst_clk,
  input logic dst_rst,
  output logic event_out{port}
);
{limit}  logic [WIDTH-1:0] pending;
  logic toggle, depart;
  logic back_meta, back_sync;
  logic [2:0] forth;

  // the next event leaves when the one before has come back
  assign depart = (pending != 0) && (back_sync == toggle);
{"  assign waiting = pending;" if ported else ""}
{body}
  always_ff @(posedge src_clk) begin
    if (src_rst) {{back_sync, back_meta}} <= 2'b00;
    else {{back_sync, back_meta}} <= {{back_meta, forth[1]}};
  end

  always_ff @(posedge dst_clk) begin
    if (dst_rst) forth <= 3'b000;
    else forth <= {{forth[1:0], toggle}};
  end

  assign event_out = forth[2] ^ forth[1];
endmodule
""",
        about=f"""Carries events to another clock without losing those that come close together. Each cycle with `pulse`
            adds one to a count of up to {top} waiting events. When the count is not 0 and the toggle that was sent
            last has come back, one event leaves: the toggle is inverted and the count goes down by one (a `pulse` in
            the same cycle leaves it as it is). A `pulse` at the full count without a departure is dropped and sets
            `lost` until reset. The toggle passes two flip-flops of the destination clock, from whose second it returns
            through two flip-flops of the source clock; `event_out` is high for a cycle of the destination clock for
            each change.{" `waiting` shows the count." if ported else ""}""",
        model=Machine(reset, step),
        names=("pulse_accumulating_sync", "event_sync", "tick_crossing", "burst_pulse_cdc"),
        drive=drive,
        cycles=320,
        clocks=_pair(r, "src_clk", "dst_clk"),
    )
