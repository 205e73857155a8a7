"""Peripherals on simple buses."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=3)
def strobe_register_file(r: Random, variant: int) -> Draft:
    """A few registers behind write and read strobes, one of them read-only."""
    width = r.choice((8, 16, 32))
    late = r.random() < 0.5
    init = r.choice((0, 1, 5, 0x3C))
    wide = f"{width}'d"
    selects = """
  logic wr_control, wr_limit, wr_scratch;

  assign wr_control = wr && (addr == CONTROL);
  assign wr_limit = wr && (addr == LIMIT);
  assign wr_scratch = wr && (addr == SCRATCH);

  always_ff @(posedge clk) begin
    if (rst) control <= '0;
    else if (wr_control) control <= wdata;
  end

  always_ff @(posedge clk) begin
    if (rst) limit <= INIT;
    else if (wr_limit) limit <= wdata;
  end

  always_ff @(posedge clk) begin
    if (rst) scratch <= '0;
    else if (wr_scratch) scratch <= wdata;
  end
"""
    cased = """
  // `status` cannot be written
  always_ff @(posedge clk) begin
    if (rst) begin
      control <= '0;
      limit <= INIT;
      scratch <= '0;
    end else if (wr) begin
      case (addr)
        CONTROL: control <= wdata;
        LIMIT: limit <= wdata;
        SCRATCH: scratch <= wdata;
        default: ;
      endcase
    end
  end
"""
    array = """
  logic [WIDTH-1:0] regs [0:3]; // the place of `status` is not used

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < 4; i++) regs[i] <= (i == LIMIT) ? INIT : 0;
    end else if (wr && addr != STATUS) begin
      regs[addr] <= wdata;
    end
  end

  assign control = regs[CONTROL];
  assign limit = regs[LIMIT];
  assign scratch = regs[SCRATCH];
"""
    order = r.sample(("CONTROL", "STATUS", "LIMIT", "SCRATCH"), 4)
    places = "\n".join(f"  localparam logic [1:0] {one} = 2'd{k};" for k, one in enumerate(order))
    names = {"CONTROL": "control", "STATUS": "status", "LIMIT": "limit", "SCRATCH": "scratch"}
    read = "\n".join(f"      {one}: word = {names[one]};" for one in order[:3])
    chosen = (
        f"""
  always_comb begin
    case (addr)
{read}
      default: word = {names[order[3]]};
    endcase
  end
"""
        if variant != 2
        else "\n  assign word = (addr == STATUS) ? status : regs[addr];\n"
    )
    out = """
  // the answer comes one cycle later and stays
  always_ff @(posedge clk) begin
    if (rst) rdata <= '0;
    else if (rd) rdata <= word;
  end
"""
    body = (selects, cased, array)[variant] + chosen + (out if late else "\n  assign rdata = rd ? word : '0;\n")

    def reset(s: State) -> None:
        s.regs = {"CONTROL": 0, "LIMIT": init, "SCRATCH": 0}
        s.rdata = 0

    def step(s: State, i: Pins) -> Outputs:
        name = order[i.addr]
        word = i.status if name == "STATUS" else s.regs[name]
        out = {"control": s.regs["CONTROL"], "limit": s.regs["LIMIT"], "rdata": s.rdata if late else word * i.rd}
        if i.rd:
            s.rdata = word
        if i.wr and name != "STATUS":
            s.regs[name] = i.wdata
        return out

    listing = ", ".join(f"{k} {one.lower()}" for k, one in enumerate(order))
    return Draft(
        rtl=f"""
module strobe_register_file #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic wr,
  input logic rd,
  input logic [1:0] addr,
  input logic [WIDTH-1:0] wdata,
  output logic [WIDTH-1:0] rdata,
  input logic [WIDTH-1:0] status, // from the hardware
  output logic [WIDTH-1:0] control,
  output logic [WIDTH-1:0] limit
);
{places}
  localparam logic [WIDTH-1:0] INIT = {wide}{init};
  logic [WIDTH-1:0] scratch, word;
  {body}
endmodule
""",
        about=f"""Register block on a bus with strobes: `wr` writes `wdata` to the register at `addr`, `rd` reads it.
            Registers of {width} bits: {listing}. Control and scratch start at 0, limit at {init}; status is the input
            `status` and writing it does nothing. {
            "`rdata` is registered: it takes the word at the edge with `rd`, the one from before a write in the same "
            "cycle, keeps it, and is 0 after reset."
            if late
            else "`rdata` answers in the same cycle and is 0 without `rd`."
        }""",
        model=Machine(reset, step),
        names=("regs", "register_block", "csr_block", "control_regs"),
    )


@family(variants=3)
def apb_slave(r: Random, variant: int) -> Draft:
    """An APB peripheral: a reload counter with control registers and error answers."""
    width = r.choice((8, 16, 32))
    waits = r.choice((0, 0, 1, 2))
    ready = (
        "  assign pready = 1'b1;\n"
        if waits == 0
        else f"""
  logic [1:0] wait_count;

  // a transfer takes {waits} wait state{"s" if waits > 1 else ""}
  always_ff @(posedge clk) begin
    if (rst) wait_count <= '0;
    else if (psel && penable && !pready) wait_count <= wait_count + 1'b1;
    else wait_count <= '0;
  end

  assign pready = (wait_count == {waits});
"""
    )
    access = "psel && penable && pready"
    direct = f"""
  logic write;

  assign write = {access} && pwrite;

  always_ff @(posedge clk) begin
    if (rst) begin
      run <= 1'b0;
      reload <= '0;
      count <= '0;
    end else begin
      if (run) count <= (count == 0) ? reload : count - 1'b1;
      // a write counts more than the counter's own step
      if (write) begin
        case (paddr[3:2])
          2'd0: run <= pwdata[0];
          2'd1: reload <= pwdata;
          2'd2: count <= pwdata;
          default: ;
        endcase
      end
    end
  end

  always_comb begin
    prdata = '0;
    if (psel && !pwrite) begin
      case (paddr[3:2])
        2'd0: prdata = run;
        2'd1: prdata = reload;
        2'd2: prdata = count;
        default: prdata = '0;
      endcase
    end
  end
"""
    split = f"""
  logic wr_run, wr_reload, wr_count;

  assign wr_run = {access} && pwrite && (paddr[3:2] == 2'd0);
  assign wr_reload = {access} && pwrite && (paddr[3:2] == 2'd1);
  assign wr_count = {access} && pwrite && (paddr[3:2] == 2'd2);

  always_ff @(posedge clk) begin
    if (rst) run <= 1'b0;
    else if (wr_run) run <= pwdata[0];
  end

  always_ff @(posedge clk) begin
    if (rst) reload <= '0;
    else if (wr_reload) reload <= pwdata;
  end

  // writing goes before counting
  always_ff @(posedge clk) begin
    if (rst) count <= '0;
    else if (wr_count) count <= pwdata;
    else if (run && count == 0) count <= reload;
    else if (run) count <= count - 1'b1;
  end

  logic [WIDTH-1:0] word;

  assign word = paddr[3] ? (paddr[2] ? 0 : count) : (paddr[2] ? reload : run);
  assign prdata = (psel && !pwrite) ? word : 0;
"""
    nexts = f"""
  logic write;
  logic [2:0] sel; // one hot: which register is written
  logic [WIDTH-1:0] count_next;

  assign write = {access} && pwrite;
  assign sel = {{paddr[3:2] == 2'd2, paddr[3:2] == 2'd1, paddr[3:2] == 2'd0}} & {{3{{write}}}};

  always_comb begin
    count_next = count;
    if (sel[2]) count_next = pwdata;
    else if (run) count_next = (count != 0) ? count - 1'b1 : reload;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      count <= '0;
      run <= 1'b0;
      reload <= '0;
    end else begin
      count <= count_next;
      if (sel[0]) run <= pwdata[0];
      if (sel[1]) reload <= pwdata;
    end
  end

  // reading has no effect, so the address decides alone
  always_comb begin
    if (!psel || pwrite || (&paddr[3:2])) prdata = '0;
    else if (paddr[3]) prdata = count;
    else if (paddr[2]) prdata = reload;
    else prdata = run;
  end
"""
    body = (direct, split.replace("\n  logic [WIDTH-1:0] word;\n", ""), nexts)[variant]
    word = "\n  logic [WIDTH-1:0] word;" if variant == 1 else ""
    top = (1 << width) - 1

    def reset(s: State) -> None:
        s.run = s.reload = s.count = s.waited = 0

    def step(s: State, i: Pins) -> Outputs:
        register = i.paddr >> 2
        word = (s.run, s.reload, s.count, 0)[register]
        done = s.waited == waits
        out = {
            "prdata": word if i.psel and not i.pwrite else 0,
            "pready": int(done),
            "pslverr": int(i.psel and i.penable and done and register == 3),
            "irq": int(s.run and s.count == 0),
        }
        active = i.psel and i.penable
        if s.run:
            s.count = s.reload if s.count == 0 else (s.count - 1) & top
        if active and done and i.pwrite:
            if register == 0:
                s.run = i.pwdata & 1
            elif register == 1:
                s.reload = i.pwdata
            elif register == 2:
                s.count = i.pwdata
        s.waited = s.waited + 1 if active and not done else 0
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # Transfers as the protocol has them: setup, then access until ready.
        held = getattr(s, "held", None)
        if held is None:
            if r.random() < 0.3:
                return {"psel": 0, "penable": 0}
            register = r.choice((0, 1, 2, 3))
            data = r.choice((1, 1, 3, 6, 0)) if register else r.choice((1, 1, 1, 0))
            data = r.getrandbits(width) if r.random() < 0.1 else data
            s.held = {"psel": 1, "penable": 0, "pwrite": int(r.random() < 0.55), "paddr": register << 2, "pwdata": data}
            s.left = waits
            return dict(s.held)
        row = {**held, "penable": 1}
        s.left -= 1
        if s.left < 0:
            s.held = None
        return row

    return Draft(
        rtl=f"""
module apb_slave #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic psel,
  input logic penable,
  input logic pwrite,
  input logic [3:0] paddr,
  input logic [WIDTH-1:0] pwdata,
  output logic [WIDTH-1:0] prdata,
  output logic pready,
  output logic pslverr,
  output logic irq
);
  logic run;
  logic [WIDTH-1:0] reload, count;{word}
  {ready}{body}
  assign pslverr = {access} && (paddr[3:2] == 2'd3);
  assign irq = run && (count == 0);
endmodule
""",
        about=f"""APB peripheral with a {width}-bit timer. Registers by `paddr[3:2]`: 0 control (bit 0 is `run`, other
            bits read as 0), 1 reload, 2 count; 3 does not exist and answers with `pslverr` in the last access cycle. A
            write takes effect at the end of the access phase (`psel`, `penable` and `pready`). {
            "`pready` is always high." if waits == 0 else f"Each access phase has {waits} wait states before `pready`."
        } `prdata` shows the register while `psel` is high without `pwrite`, else 0. While
            `run` is set the count goes down by one a cycle and after 0 starts again from reload; a write to it in the
            same cycle goes first. `irq` is high while it runs and the count is 0. All registers start at 0.""",
        model=Machine(reset, step),
        names=("apb_timer", "apb_regs", "apb_peripheral"),
        stimulus={"paddr": (0, 4, 8, 12)},
        drive=drive,
        cycles=160,
    )


@family(variants=3)
def wishbone_slave(r: Random, variant: int) -> Draft:
    """A Wishbone register with byte selects, and a count of the writes."""
    lanes = r.choice((2, 4))
    late = r.random() < 0.7
    acks = {
        True: """
  // one acknowledge for each access, a cycle after it begins
  always_ff @(posedge clk) begin
    if (rst) ack <= 1'b0;
    else ack <= cyc && stb && !ack;
  end
""",
        False: "\n  assign ack = cyc && stb;\n",
    }[late]
    take = "cyc && stb && we" + (" && !ack" if late else "")
    loop = f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      data <= '0;
      writes <= '0;
    end else if (write) begin
      if (addr) begin
        writes <= '0; // any write clears the count
      end else begin
        writes <= writes + 1'b1;
        for (int i = 0; i < {lanes}; i++) begin
          if (sel[i]) data[8*i +: 8] <= wdata[8*i +: 8];
        end
      end
    end
  end
"""
    generated = f"""
  // each lane is written by its own select
  for (genvar k = 0; k < {lanes}; k++) begin : gen_lane
    always_ff @(posedge clk) begin
      if (rst) data[8*k +: 8] <= 8'd0;
      else if (write && !addr && sel[k]) data[8*k +: 8] <= wdata[8*k +: 8];
    end
  end

  always_ff @(posedge clk) begin
    if (rst) writes <= '0;
    else if (write) writes <= addr ? 8'd0 : writes + 1'b1;
  end
"""
    lane_mask = ", ".join(f"{{8{{sel[{k}]}}}}" for k in reversed(range(lanes)))
    masked = f"""
  logic [{8 * lanes - 1}:0] mask;

  assign mask = {{{lane_mask}}};

  always_ff @(posedge clk) begin
    if (rst) begin
      data <= '0;
    end else if (write && !addr) begin
      data <= (data & ~mask) | (wdata & mask); // the other lanes stay
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      writes <= '0;
    end else if (write) begin
      if (addr) writes <= '0;
      else writes <= writes + 1'b1;
    end
  end
"""
    body = (loop, generated, masked)[variant]

    def reset(s: State) -> None:
        s.data = s.writes = s.ack = 0

    def step(s: State, i: Pins) -> Outputs:
        asked = i.cyc & i.stb
        ack = s.ack if late else asked
        out = {"ack": ack, "rdata": s.writes if i.addr else s.data}
        begins = asked and not (late and s.ack)
        s.ack = int(begins)
        if begins and i.we:
            if i.addr:
                s.writes = 0
            else:
                s.writes = s.writes + 1 & 255
                for k in range(lanes):
                    if i.sel >> k & 1:
                        s.data = s.data & ~(255 << 8 * k) | i.wdata & 255 << 8 * k
        return out

    when = "in the cycle after an access begins, for one cycle" if late else "in the same cycle"
    return Draft(
        rtl=f"""
module wishbone_slave (
  input logic clk,
  input logic rst,
  input logic cyc,
  input logic stb,
  input logic we,
  input logic addr,
  input logic [{lanes - 1}:0] sel,
  input logic [{8 * lanes - 1}:0] wdata,
  output logic [{8 * lanes - 1}:0] rdata,
  output logic ack
);
  logic [{8 * lanes - 1}:0] data;
  logic [7:0] writes;
  logic write;

  assign write = {take};
  {acks}{body}
  assign rdata = addr ? writes : data;
endmodule
""",
        about=f"""Wishbone slave with two words of {
            8 * lanes
        } bits. Address 0 is a data register, of which `sel` chooses
            the bytes that are written; address 1 reads how often address 0 has been written (8 bits, wrapping) and is
            cleared by writing anything to it. An access is `cyc` with `stb`; `ack` answers {when}{
            ", and an access in the cycle of the `ack` is the end of the old one, not a new one" if late else ""
        }. A write happens at the edge that ends the first cycle of the access. `rdata` shows the
            word at `addr` all the time.""",
        model=Machine(reset, step),
        names=("wb_slave", "wb_regs", "wishbone_regs"),
        stimulus={"cyc": 0.85, "stb": 0.8, "we": 0.6, "addr": 0.3},
    )


@family(variants=2)
def axi_lite_slave(r: Random, variant: int) -> Draft:
    """Four registers behind AXI-Lite, one write and one read at a time."""
    width = 32
    count = r.choice((2, 3, 4))
    joined = """
  logic write, read;

  // address and data are taken together, once the last answer is gone
  assign write = awvalid && wvalid && !bvalid;
  assign awready = write;
  assign wready = write;

  assign read = arvalid && !rvalid;
  assign arready = read;

  always_ff @(posedge clk) begin
    if (rst) bvalid <= 1'b0;
    else if (write) bvalid <= 1'b1;
    else if (bready) bvalid <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) rvalid <= 1'b0;
    else if (read) rvalid <= 1'b1;
    else if (rready) rvalid <= 1'b0;
  end
"""
    apart = """
  logic write, read;
  typedef enum logic [1:0] {IDLE, WRITE, RESPOND} state_t;
  state_t state;

  // both halves are there: they are acknowledged while the register is written
  assign write = (state == WRITE);
  assign awready = write;
  assign wready = write;
  assign bvalid = (state == RESPOND);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
    end else begin
      case (state)
        IDLE: if (awvalid && wvalid) state <= WRITE;
        WRITE: state <= RESPOND;
        RESPOND: if (bready) state <= IDLE;
        default: state <= IDLE;
      endcase
    end
  end

  assign arready = !rvalid;
  assign read = arvalid && arready;

  always_ff @(posedge clk) begin
    if (rst) begin
      rvalid <= 1'b0;
    end else begin
      case ({read, rready})
        2'b10, 2'b11: rvalid <= 1'b1;
        2'b01: rvalid <= 1'b0; // taken
        default: rvalid <= rvalid;
      endcase
    end
  end
"""
    body = (joined, apart)[variant]
    arms = "\n".join(f"        2'd{k}: rdata <= regs[{k}];" for k in range(count))

    def reset(s: State) -> None:
        s.regs, s.state, s.rvalid, s.rdata, s.bad, s.bbad = [0] * 4, "idle", 0, None, None, None

    def step(s: State, i: Pins) -> Outputs:
        if variant == 0:
            write, bvalid = bool(i.awvalid and i.wvalid and s.state == "idle"), s.state == "respond"
            arready = int(i.arvalid and not s.rvalid)
        else:
            write, bvalid = s.state == "write", s.state == "respond"
            arready = int(not s.rvalid)
        out = {
            "awready": int(write),
            "wready": int(write),
            "bvalid": int(bvalid),
            "bresp": s.bbad if bvalid else None,
            "arready": arready,
            "rvalid": s.rvalid,
            "rdata": s.rdata if s.rvalid else None,
            "rresp": s.bad if s.rvalid else None,
        }
        if i.arvalid and arready:
            place = i.araddr >> 2
            s.rvalid, s.rdata, s.bad = 1, s.regs[place] if place < count else 0, 0 if place < count else 2
        elif i.rready:
            s.rvalid = 0
        if write:
            place = i.awaddr >> 2
            s.bbad = 0 if place < count else 2
            if place < count:
                for k in range(4):
                    if i.wstrb >> k & 1:
                        s.regs[place] = s.regs[place] & ~(255 << 8 * k) | i.wdata & 255 << 8 * k
            s.state = "respond"
        elif bvalid:
            s.state = "idle" if i.bready else "respond"
        elif variant == 1 and i.awvalid and i.wvalid:
            s.state = "write"
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        # What is valid stays as it is until it has been taken.
        row: dict[str, int] = {}
        took = (variant == 0 and getattr(s, "shown", False) and s.state == "respond") or (
            variant == 1 and s.state == "respond"
        )
        if took or not hasattr(s, "address"):
            s.address, s.word = None, None
        if s.address is None and s.state == "idle" and r.random() < 0.6:
            s.address = r.choice((0, 4, 8, 12))
        if s.word is None and s.state == "idle" and r.random() < 0.6:
            s.word = r.getrandbits(32), r.choice((15, 15, 15, 1, 6, 12))
        row |= {"awvalid": int(s.address is not None), "awaddr": s.address or 0, "wvalid": int(s.word is not None)}
        row |= {"wdata": s.word[0] if s.word else 0, "wstrb": s.word[1] if s.word else 0}
        return row

    return Draft(
        rtl=f"""
module axi_lite_slave (
  input logic clk,
  input logic rst,
  input logic awvalid,
  output logic awready,
  input logic [3:0] awaddr,
  input logic wvalid,
  output logic wready,
  input logic [{width - 1}:0] wdata,
  input logic [3:0] wstrb,
  output logic bvalid,
  input logic bready,
  output logic [1:0] bresp,
  input logic arvalid,
  output logic arready,
  input logic [3:0] araddr,
  output logic rvalid,
  input logic rready,
  output logic [{width - 1}:0] rdata,
  output logic [1:0] rresp
);
  localparam logic [1:0] OKAY = 2'b00;
  localparam logic [1:0] SLVERR = 2'b10;
  logic [31:0] regs [0:{count - 1}];
  {body}
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < {count}; i++) regs[i] <= 32'd0;
      bresp <= OKAY;
    end else if (write) begin
      bresp <= {"OKAY" if count == 4 else f"(awaddr[3:2] < {count}) ? OKAY : SLVERR"};
      for (int i = 0; i < {count}; i++) begin
        for (int b = 0; b < 4; b++) begin
          if (awaddr[3:2] == i && wstrb[b]) regs[i][8*b +: 8] <= wdata[8*b +: 8];
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      rdata <= 32'd0;
      rresp <= OKAY;
    end else if (read) begin
      rresp <= {"OKAY" if count == 4 else f"(araddr[3:2] < {count}) ? OKAY : SLVERR"};
      case (araddr[3:2])
{arms}
        default: rdata <= 32'd0;
      endcase
    end
  end
endmodule
""",
        about=f"""AXI4-Lite slave with {count} registers of 32 bits at the byte addresses 0 to {4 * count - 4}, all 0
            after reset, written by bytes with `wstrb`. {
            "A write is taken, with `awready` and `wready` in the same cycle, when `awvalid` and `wvalid` are both high"
            " and no answer is waiting"
            if variant == 0
            else "When `awvalid` and `wvalid` are both high and no answer is waiting, `awready` and `wready` are"
            " both high in the next cycle, in which the register is written"
        }; `bvalid` follows in the cycle after and stays until `bready`. A read is taken when no read data is waiting{
            " and `arvalid` is high (`arready` waits for it)" if variant == 0 else " (`arready` says so)"
        }; `rvalid` and `rdata` follow in the next cycle and stay until `rready`. {
            "All addresses exist, so the answers are always OKAY (0)."
            if count == 4
            else "Other addresses read as 0, ignore writes and answer SLVERR (2) instead of OKAY (0)."
        }""",
        model=Machine(reset, step),
        names=("axil_regs", "axil_slave", "axi_lite_regs"),
        stimulus={"araddr": (0, 4, 8, 12), "arvalid": 0.6, "rready": 0.6, "bready": 0.6},
        drive=drive,
        cycles=140,
    )


@family(variants=3)
def sticky_status(r: Random, variant: int) -> Draft:
    """Events set bits that software clears by writing ones."""
    width = r.choice((4, 6, 8, 16))
    set_first = r.random() < 0.6
    plain = "(pending & ~clear) | event_in" if set_first else "(pending | event_in) & ~clear"
    order = (
        ("event_in[{k}]", "1'b1", "clear[{k}]", "1'b0")
        if set_first
        else ("clear[{k}]", "1'b0", "event_in[{k}]", "1'b1")
    )
    body = (
        f"""
  always_ff @(posedge clk) begin
    if (rst) pending <= '0;
    else pending <= {plain};
  end
""",
        f"""
  // {"an event in the cycle of its clearing is kept" if set_first else "clearing goes before a new event"}
  for (genvar k = 0; k < WIDTH; k++) begin : gen_flag
    always_ff @(posedge clk) begin
      if (rst) pending[k] <= 1'b0;
      else if ({order[0].format(k="k")}) pending[k] <= {order[1]};
      else if ({order[2].format(k="k")}) pending[k] <= {order[3]};
    end
  end
""",
        f"""
  always_ff @(posedge clk) begin
    if (rst) begin
      pending <= '0;
    end else begin
      for (int i = 0; i < WIDTH; i++) begin
        if ({order[0].format(k="i")}) pending[i] <= {order[1]};
        else if ({order[2].format(k="i")}) pending[i] <= {order[3]};
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.pending, s.mask = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"pending": s.pending, "mask": s.mask, "irq": int(bool(s.pending & s.mask))}
        clear = i.wdata if i.wr_status else 0
        s.pending = s.pending & ~clear | i.event_in if set_first else (s.pending | i.event_in) & ~clear
        if i.wr_mask:
            s.mask = i.wdata
        return out

    return Draft(
        rtl=f"""
module sticky_status #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic [WIDTH-1:0] event_in,
  input logic wr_status,
  input logic wr_mask,
  input logic [WIDTH-1:0] wdata,
  output logic [WIDTH-1:0] pending,
  output logic [WIDTH-1:0] mask,
  output logic irq
);
  logic [WIDTH-1:0] clear;

  // ones that are written clear their bits
  assign clear = wdata & {{WIDTH{{wr_status}}}};
  assign irq = |(pending & mask);
  {body}
  always_ff @(posedge clk) begin
    if (rst) mask <= '0;
    else if (wr_mask) mask <= wdata;
  end
endmodule
""",
        about=f"""Status register of {width} sticky bits, write one to clear. Each bit of `event_in` sets the bit of
            `pending`; `wr_status` clears the bits that are 1 in `wdata`. Where both happen to one bit in the same cycle
            it {"stays set" if set_first else "is cleared"}. `wr_mask` loads `mask`, which starts at 0; `irq` is high
            while a pending bit is enabled in the mask.""",
        model=Machine(reset, step),
        names=("w1c_status", "event_status", "irq_status"),
        stimulus={
            "event_in": lambda r: r.getrandbits(width) & r.getrandbits(width),
            "wr_status": 0.4,
            "wr_mask": 0.15,
        },
    )


@family(variants=2, held_out=True)
def bus_mailbox(r: Random, variant: int) -> Draft:
    """Two processors leave each other one word at a time."""
    width = r.choice((8, 16, 32))
    joint = """
  always_ff @(posedge clk) begin
    if (rst) begin
      full_ab <= 1'b0;
      full_ba <= 1'b0;
      error_a <= 1'b0;
      error_b <= 1'b0;
    end else begin
      // a box that is read may be written again in the same cycle
      if (a_wr && (!full_ab || b_rd)) full_ab <= 1'b1;
      else if (b_rd) full_ab <= 1'b0;
      if (b_wr && (!full_ba || a_rd)) full_ba <= 1'b1;
      else if (a_rd) full_ba <= 1'b0;
      error_a <= a_wr && full_ab && !b_rd;
      error_b <= b_wr && full_ba && !a_rd;
    end
  end

  always_ff @(posedge clk) begin
    if (a_wr && (!full_ab || b_rd)) box_ab <= a_wdata;
    if (b_wr && (!full_ba || a_rd)) box_ba <= b_wdata;
  end

  assign a_rdata = box_ba;
  assign b_rdata = box_ab;
"""
    top = """
  mail_slot #(.WIDTH(WIDTH)) slot_ab (
    .clk(clk), .rst(rst), .put(a_wr), .din(a_wdata), .get(b_rd), .full(full_ab), .dout(b_rdata), .refused(error_a)
  );
  mail_slot #(.WIDTH(WIDTH)) slot_ba (
    .clk(clk), .rst(rst), .put(b_wr), .din(b_wdata), .get(a_rd), .full(full_ba), .dout(a_rdata), .refused(error_b)
  );
"""
    slot = """
module mail_slot #(
  parameter int WIDTH = 8
) (
  input logic clk,
  input logic rst,
  input logic put,
  input logic [WIDTH-1:0] din,
  input logic get,
  output logic full,
  output logic [WIDTH-1:0] dout,
  output logic refused
);
  logic room;

  assign room = !full || get;

  always_ff @(posedge clk) begin
    if (rst) begin
      full <= 1'b0;
      refused <= 1'b0;
    end else begin
      full <= put || (full && !get);
      refused <= put && !room;
    end
  end

  always_ff @(posedge clk) begin
    if (put && room) dout <= din;
  end
endmodule
"""
    body = (joint, top)[variant]
    boxes = "  logic [WIDTH-1:0] box_ab, box_ba;\n" if variant == 0 else ""

    def reset(s: State) -> None:
        s.ab = s.ba = None
        s.error = 0, 0

    def step(s: State, i: Pins) -> Outputs:
        out = {
            "a_rdata": s.ba,
            "b_rdata": s.ab,
            "a_irq": int(s.ba is not None),
            "b_irq": int(s.ab is not None),
            "error_a": s.error[0],
            "error_b": s.error[1],
        }
        bad = []
        for name, put, word, get in (("ab", i.a_wr, i.a_wdata, i.b_rd), ("ba", i.b_wr, i.b_wdata, i.a_rd)):
            held = None if get else getattr(s, name)
            bad.append(int(put and held is not None))
            setattr(s, name, word if put and held is None else held)
        s.error = tuple(bad)
        return out

    return Draft(
        rtl=f"""
module bus_mailbox #(
  parameter int WIDTH = {width}
) (
  input logic clk,
  input logic rst,
  input logic a_wr,
  input logic [WIDTH-1:0] a_wdata,
  input logic a_rd,
  output logic [WIDTH-1:0] a_rdata,
  output logic a_irq, // a word for A is there
  output logic error_a, // the last word of A was refused
  input logic b_wr,
  input logic [WIDTH-1:0] b_wdata,
  input logic b_rd,
  output logic [WIDTH-1:0] b_rdata,
  output logic b_irq,
  output logic error_b
);
  logic full_ab, full_ba;
{boxes}  {body}
  assign a_irq = full_ba;
  assign b_irq = full_ab;
endmodule
{slot if variant else ""}""",
        about=f"""Mailbox between two processors A and B, one {width}-bit word in each direction. `a_wr` puts `a_wdata`
            into the box for B; `b_irq` is high while a word is there, `b_rdata` shows it and `b_rd` takes it away; the
            same the other way round. A write to a full box is refused, and `error_a` or `error_b` is high in the next
            cycle, unless the box is read in the same cycle: then the new word takes the old one's place. Reading an
            empty box does nothing.""",
        model=Machine(reset, step),
        names=("mailbox", "mail_box", "ipc_mailbox"),
        stimulus={"a_wr": 0.5, "b_wr": 0.4, "a_rd": 0.4, "b_rd": 0.4},
    )
