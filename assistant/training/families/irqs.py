"""Interrupts, general purpose pins and what else sits between software and hardware."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def interrupt_controller(r: Random, variant: int) -> Draft:
    """Level and edge sources, a mask, and the number of the most urgent one."""
    count = r.choice((4, 6, 8))
    bits = (count - 1).bit_length()
    edges = r.randrange(1, (1 << count) - 1)
    low_first = r.random() < 0.7
    order = range(count) if low_first else range(count - 1, -1, -1)
    chain = "\n".join(
        f"    {'if' if n == 0 else 'else if'} (active[{k}]) irq_id = {bits}'d{k};" for n, k in enumerate(order)
    )
    loop = "for (int i = N - 1; i >= 0; i--)" if low_first else "for (int i = 0; i < N; i++)"
    searches = (
        f"""
  // the last one found wins, so the most urgent comes last
  always_comb begin
    irq_id = '0;
    {loop} begin
      if (active[i]) irq_id = i;
    end
  end
""",
        f"""
  always_comb begin
    irq_id = '0;
{chain}
  end
""",
        f"""
  logic found;

  always_comb begin
    irq_id = '0;
    found = 1'b0;
    {"for (int i = 0; i < N; i++)" if low_first else "for (int i = N - 1; i >= 0; i--)"} begin
      if (!found && active[i]) begin
        irq_id = i;
        found = 1'b1;
      end
    end
  end
""",
    )
    kept = (
        """
  // an edge is kept until it is acknowledged; a new one in that cycle is not lost
  always_ff @(posedge clk) begin
    if (rst) begin
      source_prev <= '0;
      latched <= '0;
    end else begin
      source_prev <= source;
      latched <= (latched & ~acked) | (source & ~source_prev);
    end
  end

  assign pending = (EDGE & latched) | (~EDGE & source);
""",
        """
  for (genvar k = 0; k < N; k++) begin : gen_source
    always_ff @(posedge clk) begin
      if (rst) begin
        source_prev[k] <= 1'b0;
        latched[k] <= 1'b0;
      end else begin
        source_prev[k] <= source[k];
        if (source[k] && !source_prev[k]) latched[k] <= 1'b1;
        else if (acked[k]) latched[k] <= 1'b0;
      end
    end

    assign pending[k] = EDGE[k] ? latched[k] : source[k];
  end
""",
        """
  always_ff @(posedge clk) begin
    if (rst) source_prev <= '0;
    else source_prev <= source;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      latched <= '0;
    end else begin
      for (int i = 0; i < N; i++) begin
        if (source[i] & ~source_prev[i]) latched[i] <= 1'b1; // a new edge goes before the acknowledge
        else if (acked[i]) latched[i] <= 1'b0;
      end
    end
  end

  always_comb begin
    pending = source & ~EDGE; // levels as they are
    pending = pending | (latched & EDGE);
  end
""",
    )
    body = kept[variant] + "\n  assign active = pending & enable;\n  assign irq = |active;\n" + searches[variant]

    def reset(s: State) -> None:
        s.prev = s.latched = s.enable = 0

    def step(s: State, i: Pins) -> Outputs:
        pending = edges & s.latched | ~edges & i.source
        active = pending & s.enable
        number = next((k for k in order if active >> k & 1), 0)
        out = {"pending": pending, "irq": int(active != 0), "irq_id": number}
        acked = 1 << number if i.ack and active else 0
        s.latched = s.latched & ~acked | i.source & ~s.prev
        s.prev = i.source
        if i.wr_enable:
            s.enable = i.wdata
        return out

    edge_list = ", ".join(str(k) for k in range(count) if edges >> k & 1)
    return Draft(
        rtl=f"""
module interrupt_controller #(
  parameter int N = {count}
) (
  input logic clk,
  input logic rst,
  input logic [N-1:0] source,
  input logic wr_enable,
  input logic [N-1:0] wdata,
  input logic ack, // the processor takes the interrupt shown
  output logic [N-1:0] pending,
  output logic irq,
  output logic [{bits - 1}:0] irq_id
);
  localparam logic [N-1:0] EDGE = {count}'b{edges:0{count}b}; // the others are levels
  logic [N-1:0] enable, source_prev, latched, active, acked;

  always_ff @(posedge clk) begin
    if (rst) enable <= '0;
    else if (wr_enable) enable <= wdata;
  end

  assign acked = (ack && irq) ? {{{{(N-1){{1'b0}}}}, 1'b1}} << irq_id : 0;
  {body}
endmodule
""",
        about=f"""Interrupt controller for {count} sources. Sources {edge_list} are sensitive to rising edges (against
            the cycle before, 0 after reset): an edge sets their pending bit from the next cycle on; the others are
            levels and pending while they are high. `wr_enable` loads the enable mask from `wdata`; it starts at 0.
            `irq` is high while an enabled source is pending, and `irq_id` is then the {
            "lowest" if low_first else "highest"
        } such source, else 0. `ack` with `irq` clears the pending bit of source `irq_id` where it is of the edge kind,
            unless a new edge comes in the same cycle. Edges are recorded whether enabled or not.""",
        model=Machine(reset, step),
        names=("irq_ctrl", "intc", "interrupt_ctrl", "pic"),
        stimulus={
            "source": lambda r: r.getrandbits(count) & r.getrandbits(count),
            "wr_enable": 0.15,
            "ack": 0.4,
            "wdata": lambda r: r.getrandbits(count) | r.getrandbits(count),
        },
        cycles=120,
    )


@family(variants=3)
def gpio_port(r: Random, variant: int) -> Draft:
    """Pins with direction, and registers that set, clear and toggle."""
    width = r.choice((4, 8, 16))
    order = r.sample(("DATA", "SET", "CLEAR", "TOGGLE"), 4)
    ops = {"DATA": "wdata", "SET": "data | wdata", "CLEAR": "data & ~wdata", "TOGGLE": "data ^ wdata"}
    places = "\n".join(f"  localparam logic [2:0] {one} = 3'd{k};" for k, one in enumerate(order))
    arms = "\n".join(f"        {one}: data <= {ops[one]};" for one in order)
    cased = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      data <= '0;
      dir <= '0;
    end else if (wr) begin
      case (addr)
{arms}
        DIR: dir <= wdata;
        default: ;
      endcase
    end
  end
"""
    masks = """
  logic [WIDTH-1:0] set_mask, clear_mask, toggle_mask;

  // each write is a change of some bits; plain data sets the ones and clears the zeros
  assign set_mask = {WIDTH{wr && (addr == SET || addr == DATA)}} & wdata;
  assign clear_mask = ({WIDTH{wr && addr == CLEAR}} & wdata) | ({WIDTH{wr && addr == DATA}} & ~wdata);
  assign toggle_mask = {WIDTH{wr && addr == TOGGLE}} & wdata;

  always_ff @(posedge clk) begin
    if (rst) data <= '0;
    else data <= ((data | set_mask) & ~clear_mask) ^ toggle_mask;
  end

  always_ff @(posedge clk) begin
    if (rst) dir <= '0;
    else if (wr && addr == DIR) dir <= wdata;
  end
"""
    next_arms = "\n".join(f"      {one}: data_next = {ops[one]};" for one in order if one != "DATA")
    chosen = f"""
  logic [WIDTH-1:0] data_next;

  always_comb begin
    case (addr)
{next_arms}
      DATA: data_next = wdata;
      default: data_next = data; // other registers leave the data alone
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      dir <= '0;
      data <= '0;
    end else if (wr) begin
      data <= data_next;
      if (addr == DIR) dir <= wdata;
    end
  end
"""
    body = (cased, masks, chosen)[variant]

    def reset(s: State) -> None:
        s.data = s.dir = s.meta = s.sync = 0

    def step(s: State, i: Pins) -> Outputs:
        seen = s.data & s.dir | s.sync & ~s.dir
        word = seen if i.addr == 5 else s.dir if i.addr == 4 else s.data
        out = {"pin_out": s.data, "pin_oe": s.dir, "rdata": word if i.addr < 6 else 0}
        if i.wr and i.addr < 4:
            old, word = s.data, i.wdata
            s.data = {"DATA": word, "SET": old | word, "CLEAR": old & ~word, "TOGGLE": old ^ word}[order[i.addr]]
        if i.wr and i.addr == 4:
            s.dir = i.wdata
        s.sync, s.meta = s.meta, i.pin_in
        return out

    listing = ", ".join(f"{k} {one.lower()}" for k, one in enumerate(order))
    return Draft(
        rtl=f"""
module gpio_port #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic wr,
  input logic [2:0] addr,
  input logic [WIDTH-1:0] wdata,
  output logic [WIDTH-1:0] rdata,
  input logic [WIDTH-1:0] pin_in,
  output logic [WIDTH-1:0] pin_out,
  output logic [WIDTH-1:0] pin_oe // high: the pin is driven
);
{places}
  localparam logic [2:0] DIR = 3'd4;
  localparam logic [2:0] PINS = 3'd5;
  logic [WIDTH-1:0] data, dir, pin_meta, pin_sync;

  assign pin_out = data;
  assign pin_oe = dir;

  always_ff @(posedge clk) begin
    if (rst) begin
      pin_meta <= '0;
      pin_sync <= '0;
    end else begin
      pin_meta <= pin_in;
      pin_sync <= pin_meta;
    end
  end
  {body}
  always_comb begin
    case (addr)
      DATA, SET, CLEAR, TOGGLE: rdata = data;
      DIR: rdata = dir;
      PINS: rdata = (data & dir) | (pin_sync & ~dir); // an output reads as what it drives
      default: rdata = '0;
    endcase
  end
endmodule
""",
        about=f"""GPIO port of {width} pins. `wr` writes `wdata` to the address: {listing} (all four act on the data
            register: load it, set, clear or invert the bits that are 1 in `wdata`), 4 direction (1 is an output), 5
            pins
            (read only). `pin_out` is the data register and `pin_oe` the direction. `rdata` shows the addressed register
            without delay: the data for 0 to 3, the direction for 4; for 5 each output bit as driven and each input bit
            from `pin_in` through two flip-flops; 0 for 6 and 7. Everything starts at 0.""",
        model=Machine(reset, step),
        names=("gpio", "pio", "gpio_regs", "port_io"),
        stimulus={"wr": 0.7, "addr": (0, 1, 2, 3, 4, 5, 5, 6)},
        cycles=120,
    )


@family(variants=2, held_out=True)
def hardware_semaphores(r: Random, variant: int) -> Draft:
    """Locks that processors take by reading and give back by writing."""
    locks = r.choice((4, 8))
    bits = locks.bit_length() - 1
    owners = r.choice((2, 4))
    obits = owners.bit_length() - 1
    arrays = f"""
  logic [LOCKS-1:0] held;
  logic [{obits - 1}:0] owner [0:LOCKS-1];

  assign free = !held[index];
  assign mine = held[index] && (owner[index] == who);

  always_ff @(posedge clk) begin
    if (rst) begin
      held <= '0;
    end else begin
      if (take && free) held[index] <= 1'b1;
      else if (give && mine) held[index] <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (take && free) owner[index] <= who;
  end

  assign locked = held;
"""
    generated = f"""
  logic [LOCKS-1:0] free_all, mine_all;

  // one small machine for each lock
  for (genvar k = 0; k < LOCKS; k++) begin : gen_lock
    logic held;
    logic [{obits - 1}:0] owner;

    assign free_all[k] = !held;
    assign mine_all[k] = held && (owner == who);
    assign locked[k] = held;

    always_ff @(posedge clk) begin
      if (rst) begin
        held <= 1'b0;
        owner <= {obits}'d0;
      end else if (index == k) begin
        if (take && !held) begin
          held <= 1'b1;
          owner <= who;
        end else if (give && held && owner == who) begin
          held <= 1'b0;
        end
      end
    end
  end

  assign free = free_all[index];
  assign mine = mine_all[index];
"""
    body = (arrays, generated)[variant]

    def reset(s: State) -> None:
        s.owner = [None] * locks

    def step(s: State, i: Pins) -> Outputs:
        held = s.owner[i.index]
        out = {
            "granted": int(i.take and (held is None or held == i.who)),
            "refused": int((i.take and held not in (None, i.who)) or (i.give and not i.take and held != i.who)),
            "locked": sum(1 << k for k in range(locks) if s.owner[k] is not None),
        }
        if i.take and held is None:
            s.owner[i.index] = i.who
        elif i.give and held == i.who:
            s.owner[i.index] = None
        return out

    return Draft(
        rtl=f"""
module hardware_semaphores #(
  parameter int LOCKS = {locks}
) (
  input logic clk,
  input logic rst,
  input logic take,
  input logic give,
  input logic [{bits - 1}:0] index,
  input logic [{obits - 1}:0] who, // the processor that asks
  output logic granted,
  output logic refused,
  output logic [LOCKS-1:0] locked
);
  logic free, mine;
  {body}
  assign granted = take && (free || mine);
  assign refused = (take && !free && !mine) || (give && !take && !mine);
endmodule
""",
        about=f"""{locks} hardware semaphores for {owners} processors. In a cycle with `take`, `granted` says that lock
            `index` is free or belongs to processor `who` already; a free one belongs to it from the next cycle on.
            `give` frees the lock `index` from the next cycle on if it belongs to `who`. `refused` is high where `take`
            asks for the lock of another one, and where `give`, without `take`, names a lock that does not belong to
            `who`.
            With both, a free lock is taken, and an own one is given back. `locked` shows all locks; all are free after
            reset.""",
        model=Machine(reset, step),
        names=("semaphore_bank", "hw_semaphore", "lock_bank"),
        stimulus={"take": 0.6, "give": 0.5, "index": lambda r: r.randrange(locks) & r.randrange(locks)},
        cycles=140,
    )


@family(variants=3)
def bus_timeout(r: Random, variant: int) -> Draft:
    """Ends bus accesses that nobody answers."""
    limit = r.choice((5, 8, 10, 15))
    bits = limit.bit_length()
    body = (
        f"""
  logic [{bits - 1}:0] count; // cycles of waiting

  assign expired = req && !slave_ack && (count == LIMIT - 1);

  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (!req || slave_ack || expired) count <= '0;
    else count <= count + 1'b1;
  end
""",
        f"""
  logic [{bits - 1}:0] left; // cycles that the slave still has

  assign expired = req && !slave_ack && (left == 0);

  always_ff @(posedge clk) begin
    if (rst) left <= LIMIT - 1;
    else if (req && !slave_ack && left != 0) left <= left - 1'b1;
    else left <= LIMIT - 1;
  end
""",
        f"""
  typedef enum logic [0:0] {{IDLE, WAITING}} state_t;
  state_t state;
  logic [{bits - 1}:0] count;

  assign expired = (state == WAITING) && req && !slave_ack && (count == LIMIT - 1);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      count <= '0;
    end else begin
      case (state)
        IDLE: if (req && !slave_ack) begin
          state <= WAITING;
          count <= {bits}'d1; // this cycle counts
        end
        default: begin
          count <= count + 1'b1;
          if (!req || slave_ack || expired) state <= IDLE;
        end
      endcase
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.waited = s.failures = 0

    def step(s: State, i: Pins) -> Outputs:
        expired = i.req and not i.slave_ack and s.waited == limit - 1
        out = {"ack": int(i.req and (i.slave_ack or expired)), "error": int(expired), "failures": s.failures}
        s.waited = s.waited + 1 if i.req and not i.slave_ack and not expired else 0
        if i.clear:
            s.failures = 0
        elif expired and s.failures < 15:
            s.failures += 1
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if s.waited == 0:
            s.dead = r.random() < 0.5
        return {"req": int(r.random() < (0.98 if s.waited else 0.7)), "slave_ack": int(not s.dead and r.random() < 0.3)}

    return Draft(
        rtl=f"""
module bus_timeout #(
  parameter int LIMIT = {limit}
) (
  input logic clk,
  input logic rst,
  input logic req,
  input logic slave_ack,
  input logic clear,
  output logic ack,
  output logic error,
  output logic [3:0] failures
);
  logic expired;

  assign ack = req && (slave_ack || expired);
  assign error = expired;
  {body}
  // stays at its greatest value
  always_ff @(posedge clk) begin
    if (rst) failures <= '0;
    else if (clear) failures <= '0;
    else if (expired && failures != 4'd15) failures <= failures + 1'b1;
  end
endmodule
""",
        about=f"""Watches the accesses on a bus. While `req` is high, `slave_ack` is passed on as `ack`. If `req` stays
            without `slave_ack`, the {limit}th cycle in a row answers with `ack` and `error` instead, and the next cycle
            counts as the first of a new access. `failures` counts these errors up to 15, where it stays, and is
            zeroed by
            `clear`, which goes first.""",
        model=Machine(reset, step),
        names=("bus_watchdog", "ack_timeout", "access_guard"),
        stimulus={"clear": 0.02},
        drive=drive,
        cycles=80 + 12 * limit,
    )


@family(variants=3)
def bus_address_map(r: Random, variant: int) -> Draft:
    """Chooses one of several slaves by address, and collects their answers."""
    slaves = r.choice((3, 4))
    names = ["rom", "ram", "uart", "timer"][:slaves]
    tops = r.sample((0x0, 0x1, 0x2, 0x4, 0x8, 0xC, 0xE, 0xF), slaves)
    width = r.choice((8, 16, 32))
    compares = "\n".join(
        f"  assign sel[{k}] = req && (addr[15:12] == 4'h{top:x}); // {names[k]}" for k, top in enumerate(tops)
    )
    arms = "\n".join(f"        4'h{top:x}: sel[{k}] = 1'b1; // {names[k]}" for k, top in enumerate(tops))
    decode = (
        compares,
        f"""
  always_comb begin
    sel = '0;
    if (req) begin
      case (addr[15:12])
{arms}
        default: ;
      endcase
    end
  end
""",
        "\n".join(f"  localparam logic [3:0] {names[k].upper()}_BASE = 4'h{top:x};" for k, top in enumerate(tops))
        + "\n  logic [3:0] page;\n\n  assign page = addr[15:12];\n  assign sel = {"
        + ", ".join(f"page == {names[k].upper()}_BASE" for k in reversed(range(slaves)))
        + f"}} & {{{slaves}{{req}}}};\n",
    )[variant]
    gather = (
        "\n  assign rdata = "
        + " | ".join(f"({{WIDTH{{sel_prev[{k}]}}}} & rdata_{names[k]})" for k in range(slaves))
        + ";\n",
        "\n  always_comb begin\n    case (sel_prev)\n"
        + "\n".join(f"      {slaves}'b{1 << k:0{slaves}b}: rdata = rdata_{names[k]};" for k in range(slaves))
        + "\n      default: rdata = '0;\n    endcase\n  end\n",
        "\n  always_comb begin\n    rdata = '0;\n"
        + "\n".join(f"    if (sel_prev[{k}]) rdata = rdata_{names[k]};" for k in range(slaves))
        + "\n  end\n",
    )[variant]

    def reset(s: State) -> None:
        s.sel = s.error = 0

    def step(s: State, i: Pins) -> Outputs:
        page = i.addr >> 12
        sel = 1 << tops.index(page) if i.req and page in tops else 0
        words = [getattr(i, f"rdata_{one}") for one in names]
        out = {"sel": sel, "rdata": next((words[k] for k in range(slaves) if s.sel >> k & 1), 0), "error": s.error}
        s.sel, s.error = sel, int(i.req and not sel)
        return out

    ports = "\n".join(f"  input logic [WIDTH-1:0] rdata_{one}," for one in names)
    listing = ", ".join(
        f"{one} at {top:x}000 (bit {k} of `sel`)" for k, (one, top) in enumerate(zip(names, tops, strict=True))
    )
    return Draft(
        rtl=f"""
module bus_address_map #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic req,
  input logic [15:0] addr,
{ports}
  output logic [{slaves - 1}:0] sel,
  output logic [WIDTH-1:0] rdata,
  output logic error // nobody lives there
);
  logic [{slaves - 1}:0] sel_prev;

{decode}
  // slaves answer in the cycle after the request
  always_ff @(posedge clk) begin
    if (rst) begin
      sel_prev <= '0;
      error <= 1'b0;
    end else begin
      sel_prev <= sel;
      error <= req && (sel == 0);
    end
  end
{gather}
endmodule
""",
        about=f"""Address decoder and read multiplexer of a small bus. The upper four bits of the 16-bit `addr` choose a
            slave, in hexadecimal: {listing}. `sel` is one-hot and shows the slave in the same cycle while `req` is
            high,
            else it is 0. In the cycle after, `rdata` passes on the word of the slave that was selected, or 0, and
            `error` is high after a request to an address that belongs to none.""",
        model=Machine(reset, step),
        names=("bus_decoder", "bus_mux", "soc_bus", "interconnect"),
        stimulus={
            "req": 0.8,
            "addr": lambda r: (r.choice(tops) if r.random() < 0.8 else r.randrange(16)) << 12 | r.getrandbits(12),
        },
    )


@family(variants=2)
def apb_bridge(r: Random, variant: int) -> Draft:
    """Turns requests with valid and ready into APB transfers."""
    width = r.choice((8, 16, 32))
    machine = """
  typedef enum logic [1:0] {IDLE, SETUP, ACCESS} state_t;
  state_t state, state_next;

  always_comb begin
    state_next = state;
    case (state)
      IDLE: if (req_valid) state_next = SETUP;
      SETUP: state_next = ACCESS;
      ACCESS: if (pready) state_next = req_valid ? SETUP : IDLE;
      default: state_next = IDLE;
    endcase
  end

  always_ff @(posedge clk) begin
    if (rst) state <= IDLE;
    else state <= state_next;
  end

  assign psel = (state != IDLE);
  assign penable = (state == ACCESS);
  // the next request may come in while the last transfer ends
  assign req_ready = (state == IDLE) || (penable && pready);
"""
    flags = """
  assign req_ready = !psel || (penable && pready);

  always_ff @(posedge clk) begin
    if (rst) begin
      psel <= 1'b0;
      penable <= 1'b0;
    end else begin
      if (req_ready) psel <= req_valid;
      if (!psel || (penable && pready)) penable <= 1'b0;
      else penable <= 1'b1; // the setup phase takes one cycle
    end
  end
"""
    body = (machine, flags)[variant]

    def reset(s: State) -> None:
        s.mode, s.request, s.answer = "idle", (None, None, None), (0, None, None)

    def step(s: State, i: Pins) -> Outputs:
        done = s.mode == "access" and i.pready
        ready = s.mode == "idle" or done
        valid, data, error = s.answer
        out = {
            "req_ready": int(ready),
            "psel": int(s.mode != "idle"),
            "penable": int(s.mode == "access"),
            "pwrite": s.request[0] if s.mode != "idle" else None,
            "paddr": s.request[1] if s.mode != "idle" else None,
            "pwdata": s.request[2] if s.mode != "idle" else None,
            "rsp_valid": valid,
            "rsp_data": data if valid else None,
            "rsp_error": error if valid else None,
        }
        s.answer = (int(done), i.prdata, i.pslverr)
        if ready:
            s.mode = "setup" if i.req_valid else "idle"
            if i.req_valid:
                s.request = i.req_write, i.req_addr, i.req_data
        else:
            s.mode = "access"
        return out

    return Draft(
        rtl=f"""
module apb_bridge #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic req_valid,
  output logic req_ready,
  input logic req_write,
  input logic [7:0] req_addr,
  input logic [WIDTH-1:0] req_data,
  output logic rsp_valid,
  output logic [WIDTH-1:0] rsp_data,
  output logic rsp_error,
  output logic psel,
  output logic penable,
  output logic pwrite,
  output logic [7:0] paddr,
  output logic [WIDTH-1:0] pwdata,
  input logic [WIDTH-1:0] prdata,
  input logic pready,
  input logic pslverr
);
  {body}
  // the request is held for the whole transfer
  always_ff @(posedge clk) begin
    if (rst) begin
      pwrite <= 1'b0;
      paddr <= '0;
      pwdata <= '0;
    end else if (req_valid && req_ready) begin
      pwrite <= req_write;
      paddr <= req_addr;
      pwdata <= req_data;
    end
  end

  // the answer, one cycle after the transfer
  always_ff @(posedge clk) begin
    if (rst) begin
      rsp_valid <= 1'b0;
      rsp_data <= '0;
      rsp_error <= 1'b0;
    end else begin
      rsp_valid <= penable && pready;
      rsp_data <= prdata;
      rsp_error <= pslverr;
    end
  end
endmodule
""",
        about=f"""Bridge from a request port to an APB master of {width} data bits. A request is taken where `req_valid`
            and `req_ready` are high: when no transfer is under way or one ends. The transfer starts in the next cycle
            with the setup phase (`psel` without `penable`) and goes on with the access phase (`penable`) until
            `pready`; address, data and direction stay. In the cycle after its end `rsp_valid` is high for one cycle
            with
            `rsp_data` and `rsp_error` as `prdata` and `pslverr` were; writes are answered too. A request taken at the
            end
            of a transfer follows without an idle cycle.""",
        model=Machine(reset, step),
        names=("apb_master", "req_to_apb", "apb_initiator"),
        stimulus={"req_valid": 0.6, "pready": 0.55, "pslverr": 0.2},
        cycles=120,
    )
