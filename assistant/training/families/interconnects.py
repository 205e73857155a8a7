"""What stands between the masters and the slaves of a bus, and both ends of it."""

from __future__ import annotations

from random import Random

from veriloop.assistant.training.draft import Draft, Machine, Outputs, Pins, State, family


@family(variants=2)
def ahb_lite_slave(r: Random, variant: int) -> Draft:
    """Registers on AHB-Lite, with wait states and the error answer of two cycles."""
    width, count = r.choice((8, 16, 32)), r.choice((3, 4, 5, 6))
    waits = r.choice((0, 1, 2))
    only_reads = waits > 0 and r.random() < 0.5
    fixed = r.random() < 0.5  # register 0 is an identity that cannot be written
    ident = r.getrandbits(width)
    shift = {8: 0, 16: 1, 32: 2}[width]
    abits = 3 + shift
    index = f"haddr[{abits - 1}:{shift}]"
    slow = "!hwrite" if only_reads else "1'b1"
    first_wait = f"({slow}) ? {waits} : 0" if only_reads else f"{waits}"
    tick = (
        """
      if (left != 0) left <= left - 1'b1;"""
        if waits
        else ""
    )
    writable = "index != 0" if fixed else "1'b1"
    guard = " && index != 0" if fixed else ""
    shown = f"(index == 0) ? {width}'h{ident:x} : regs[index]" if fixed else "regs[index]"
    wait_test = "left != 0" if waits else "1'b0"
    flags = f"""
  logic active, is_write, bad, second;

  // the data phase is over: no wait state is left, or the error's second cycle is there
  assign hreadyout = !active || (bad ? second : !({wait_test}));
  assign hresp = active && bad;
  assign accept = hsel && htrans[1] && hreadyout;
  assign hrdata = {shown};

  always_ff @(posedge clk) begin
    if (rst) begin
      active <= 1'b0;
      is_write <= 1'b0;
      bad <= 1'b0;
      second <= 1'b0;
      index <= '0;
{"      left <= '0;" if waits else ""}
    end else begin{tick}
      second <= active && bad && !second;
      if (hreadyout) begin
        active <= accept;
        if (accept) begin
          is_write <= hwrite;
          index <= {index};
          bad <= ({index} >= COUNT);
{f"          left <= {first_wait};" if waits else ""}
        end
      end
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < COUNT; i++) regs[i] <= '0;
    end else if (active && is_write && hreadyout && !bad && {writable}) begin
      regs[index] <= hwdata;
    end
  end
"""
    flags = flags.replace(" && 1'b1", "")
    if not waits:
        flags = flags.replace("(bad ? second : !(1'b0))", "!bad || second")
    wait_state = ", WAIT" if waits else ""
    wait_arm = (
        """
      WAIT: begin
        hreadyout = 1'b0;
        if (left == 1) state_next = is_write ? WRITE : READ;
      end"""
        if waits
        else ""
    )
    if waits:
        going = f"""
      if ({index} >= COUNT) state_next = FAIL;
      else {"if (hwrite) state_next = WRITE; else " if only_reads else ""}state_next = WAIT;"""
    else:
        going = f"""
      if ({index} >= COUNT) state_next = FAIL;
      else if (hwrite) state_next = WRITE;
      else state_next = READ;"""
    machine = f"""
  typedef enum logic [2:0] {{IDLE, READ, WRITE{wait_state}, FAIL, FAIL_DONE}} state_t;
  state_t state, state_next;
  logic is_write;

  assign accept = hreadyout && hsel && htrans[1];

  always_comb begin
    hreadyout = 1'b1;
    hresp = 1'b0;
    state_next = IDLE;
    case (state)
      FAIL: begin
        hreadyout = 1'b0; // an error takes two cycles
        hresp = 1'b1;
        state_next = FAIL_DONE;
      end
      FAIL_DONE: hresp = 1'b1;{
        wait_arm.replace(
            "if (left == 1)",
            "state_next = WAIT;" + chr(10) + "        if (left == 1)",
        )
    }
      default: ;
    endcase
    // a new address phase meets the end of this data phase
    if (hsel && htrans[1] && hreadyout) begin{going}
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      index <= '0;
      is_write <= 1'b0;
    end else begin
      state <= state_next;
      if (accept) begin
        index <= {index};
        is_write <= hwrite;
      end
    end
  end
{
        '''
  always_ff @(posedge clk) begin
    if (rst) left <= '0;
    else if (accept) left <= LATENCY;
    else if (state == WAIT) left <= left - 1'b1;
  end
'''
        if waits
        else ""
    }
  always_ff @(posedge clk) begin
    if (rst) begin
      for (int i = 0; i < COUNT; i++) regs[i] <= '0;
    end else begin
      if (state == WRITE{guard}) regs[index] <= hwdata;
    end
  end

  always_comb begin
    hrdata = '0;
    if (state == READ) hrdata = {shown};
  end
"""
    body = (flags, machine)[variant]
    parameters = f"parameter int COUNT = {count}"
    if waits and variant == 1:
        parameters += f",\n  parameter int LATENCY = {waits}"

    def reset(s: State) -> None:
        s.regs, s.phase = [0] * count, None

    def step(s: State, i: Pins) -> Outputs:
        ready, resp, data = 1, 0, None
        if s.phase:
            write, place, left = s.phase
            if place >= count:
                ready, resp = int(not left), 1
            else:
                ready = int(not left)
                if not left and not write:
                    data = ident if fixed and place == 0 else s.regs[place]
                if not left and write and not (fixed and place == 0):
                    s.regs[place] = i.hwdata
            s.phase = (write, place, left - 1) if left else None
        out = {"hreadyout": ready, "hresp": resp, "hrdata": data}
        if ready and i.hsel and i.htrans & 2:
            place = i.haddr >> shift
            wait = 1 if place >= count else 0 if only_reads and i.hwrite else waits
            s.phase = (i.hwrite, place, wait)
        return out

    waiting = f"{waits} wait state{'s' if waits > 1 else ''}"
    speed = (
        f"Reads take {waiting}, writes none"
        if only_reads
        else f"Every transfer takes {waiting}"
        if waits
        else "There are no wait states"
    )
    identity = f" Register 0 always reads as {width}'h{ident:x}, and writing to it does nothing." if fixed else ""
    return Draft(
        rtl=f"""
module ahb_lite_slave #(
  {parameters}
) (
  input logic clk,
  input logic rst,
  input logic hsel,
  input logic [{abits - 1}:0] haddr,
  input logic [1:0] htrans,
  input logic hwrite,
  input logic [{width - 1}:0] hwdata, // in the data phase
  output logic [{width - 1}:0] hrdata,
  output logic hreadyout,
  output logic hresp
);
  logic [{width - 1}:0] regs [0:COUNT-1];
  logic [2:0] index; // of the data phase
  logic accept;
{f"  logic [{waits.bit_length() - 1}:0] left; // wait states" if waits else ""}
{body}
endmodule
""",
        about=(
            f"""The only slave of an AHB-Lite bus: {count} registers of {width} bits, 0 after reset, the index in
            `haddr`[{abits - 1}:{shift}]. An address phase is `hsel` with `htrans`[1] high while `hreadyout` is high;
            its data phase starts in the next cycle and ends with the first cycle with `hreadyout`, in which a write
            takes `hwdata` and a read shows `hrdata`. The next address phase may meet that cycle. {speed}. An index from
            {count} up is answered with an error: `hresp` is high for two cycles, `hreadyout` only in the second one;
            nothing is written then.{identity} Without a data phase `hreadyout` is high and `hresp` low.""",
        ),
        model=Machine(reset, step),
        names=("ahb_slave", "ahb_regs", "ahb_registers", "ahb_peripheral"),
        stimulus={
            "hsel": 0.85,
            "htrans": (0, 2, 2, 2, 3, 1),
            "haddr": lambda r: r.choice((r.randrange(8), r.randrange(count))) << shift | r.getrandbits(shift),
        },
        cycles=180,
    )


@family(variants=2)
def wishbone_master(r: Random, variant: int) -> Draft:
    """Carries commands out on a Wishbone bus, with retries and a limit to waiting."""
    width, abits = r.choice((8, 16)), r.choice((4, 6, 8))
    retries = r.choice((0, 1, 2, 3))
    limit = r.choice((0, 4, 6))
    gap = r.choice((1, 2)) if retries else 0
    rbits, tbits = max(1, retries.bit_length()), max(1, limit.bit_length())
    timer_reset = "\n      timer <= '0;" if limit else ""
    timer_start = "\n            timer <= '0;" if limit else ""
    timer_tick = "\n          timer <= timer + 1'b1;" if limit else ""
    if retries:
        retry_arm = f"""
          end else if (rty) begin
            if (tries == RETRIES) begin
              state <= IDLE;
              done <= 1'b1;
              failed <= 1'b1;
            end else begin
              tries <= tries + 1'b1;
              state <= PAUSE; // the bus is free for {"a cycle" if gap == 1 else "two cycles"}
            end"""
        pause = (
            f"""
        PAUSE: begin{timer_start.replace("            ", "          ")}
          state <= BUS;
        end"""
            if gap == 1
            else f"""
        PAUSE: state <= PAUSE_MORE;
        PAUSE_MORE: begin{timer_start.replace("            ", "          ")}
          state <= BUS;
        end"""
        )
    else:
        retry_arm = pause = ""
    timeout_arm = (
        f"""
          end else if (timer == {limit - 1}) begin
            state <= IDLE;
            done <= 1'b1;
            failed <= 1'b1; // nobody answers"""
        if limit
        else ""
    )
    names = ["IDLE", "BUS"] + (["PAUSE"] if retries else []) + (["PAUSE_MORE"] if gap == 2 else [])
    high = 0 if len(names) == 2 else 1
    vector = f"logic [{high}:0]" if high else "logic"
    joint = f"""
  typedef enum {vector} {{{", ".join(names)}}} state_t;
  state_t state;

  assign cmd_ready = (state == IDLE);
  assign cyc = (state == BUS);
  assign stb = (state == BUS);

  always_ff @(posedge clk) begin
    if (rst) begin
      state <= IDLE;
      done <= 1'b0;
      failed <= 1'b0;
      we <= 1'b0;
      adr <= '0;
      dat_w <= '0;
      rdata <= '0;{timer_reset}
{"      tries <= '0;" if retries else ""}
    end else begin
      done <= 1'b0;
      case (state)
        IDLE: begin
          if (cmd_valid) begin
            we <= cmd_write;
            adr <= cmd_addr;
            dat_w <= cmd_data;{timer_start}
{"            tries <= '0;" if retries else ""}
            state <= BUS;
          end
        end
        BUS: begin{timer_tick}
          if (ack) begin
            state <= IDLE;
            done <= 1'b1;
            failed <= 1'b0;
            if (!we) rdata <= dat_r;
          end else if (err) begin
            state <= IDLE;
            done <= 1'b1;
            failed <= 1'b1;{retry_arm}{timeout_arm}
          end
        end{pause}
        default: state <= IDLE;
      endcase
    end
  end
"""
    again = "rty && !ack && !err && tries != RETRIES" if retries else "1'b0"
    give_up = " || (rty && tries == RETRIES)" if retries else ""
    late = f" || (timer == {limit - 1}{' && !rty' if retries else ''})" if limit else ""
    pause_line = (
        f"""
  logic [{gap - 1}:0] pause; // a one runs through it between two tries
"""
        if retries
        else ""
    )
    busy_ends = f"""
  assign finish = on_bus && (ack || err{give_up}{late});
"""
    apart = f"""
  logic on_bus, busy, take, finish{", again" if retries else ""};
{pause_line}
  assign take = cmd_valid && !busy;
  assign cmd_ready = !busy;
  assign {{cyc, stb}} = {{2{{on_bus}}}};
{busy_ends}{f"  assign again = on_bus && {again};" if retries else ""}

  always_ff @(posedge clk) begin
    if (rst) busy <= 1'b0;
    else if (take) busy <= 1'b1;
    else if (finish) busy <= 1'b0;
  end

  always_ff @(posedge clk) begin
    if (rst) on_bus <= 1'b0;
    else if (take{f" || pause[{gap - 1}]" if retries else ""}) on_bus <= 1'b1;
    else if (finish{" || again" if retries else ""}) on_bus <= 1'b0;
  end
{
        f'''
  always_ff @(posedge clk) begin
    if (rst) pause <= '0;
    else pause <= {"again" if gap == 1 else "{pause[0], again}"};
  end

  always_ff @(posedge clk) begin
    if (rst) tries <= '0;
    else if (take) tries <= '0;
    else if (again) tries <= tries + 1'b1;
  end
'''
        if retries
        else ""
    }{
        '''
  always_ff @(posedge clk) begin
    if (rst) timer <= '0;
    else if (on_bus && !finish) timer <= timer + 1'b1;
    else timer <= '0;
  end
'''
        if limit
        else ""
    }
  // the command stays on the bus until it is finished
  always_ff @(posedge clk) begin
    if (rst) begin
      we <= 1'b0;
      adr <= '0;
      dat_w <= '0;
    end else if (take) begin
      we <= cmd_write;
      adr <= cmd_addr;
      dat_w <= cmd_data;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      done <= 1'b0;
      failed <= 1'b0;
      rdata <= '0;
    end else begin
      done <= finish;
      if (finish) failed <= !ack;
      if (finish && ack && !we) rdata <= dat_r;
    end
  end
"""
    body = (joint, apart)[variant]

    def reset(s: State) -> None:
        s.state, s.tries, s.timer, s.wait = "idle", 0, 0, 0
        s.we = s.adr = s.data = s.rdata = s.done = s.failed = 0

    def step(s: State, i: Pins) -> Outputs:
        bus = s.state == "bus"
        out = {
            "cmd_ready": int(s.state == "idle"),
            "cyc": int(bus),
            "stb": int(bus),
            "we": s.we if bus else None,
            "adr": s.adr if bus else None,
            "dat_w": s.data if bus else None,
            "done": s.done,
            "failed": s.failed if s.done else None,
            "rdata": s.rdata,
        }
        s.done = 0
        if s.state == "idle":
            if i.cmd_valid:
                s.state, s.tries, s.timer = "bus", 0, 0
                s.we, s.adr, s.data = i.cmd_write, i.cmd_addr, i.cmd_data
        elif bus:
            late = limit and s.timer == limit - 1
            s.timer += 1
            if i.ack:
                s.state, s.done, s.failed = "idle", 1, 0
                if not s.we:
                    s.rdata = i.dat_r
            elif i.err or (retries and i.rty and s.tries == retries):
                s.state, s.done, s.failed = "idle", 1, 1
            elif retries and i.rty:
                s.tries, s.state, s.wait = s.tries + 1, "pause", gap
            elif late:
                s.state, s.done, s.failed = "idle", 1, 1
        else:
            s.wait -= 1
            if not s.wait:
                s.state, s.timer = "bus", 0
        return out

    rty_port = "\n  input logic rty," if retries else ""
    retry_text = (
        f""" `rty` takes the strobe away for {"one cycle" if gap == 1 else "two cycles"} and then tries again; after
            {retries} further {"tries" if retries > 1 else "try"} another `rty` is a failure. `ack` goes before `err`,
            and `err` before `rty`."""
        if retries
        else " `ack` goes before `err`."
    )
    limit_text = f" {limit} cycles of strobe in a row without an answer are a failure too." if limit else ""
    return Draft(
        rtl=f"""
module wishbone_master{f" #(parameter int RETRIES = {retries})" if retries else ""} (
  input logic clk,
  input logic rst,
  input logic cmd_valid,
  output logic cmd_ready,
  input logic cmd_write,
  input logic [{abits - 1}:0] cmd_addr,
  input logic [{width - 1}:0] cmd_data,
  output logic cyc,
  output logic stb,
  output logic we,
  output logic [{abits - 1}:0] adr,
  output logic [{width - 1}:0] dat_w,
  input logic [{width - 1}:0] dat_r,
  input logic ack,
  input logic err,{rty_port}
  output logic done,
  output logic failed, // together with `done`
  output logic [{width - 1}:0] rdata
);
{f"  logic [{rbits - 1}:0] tries;" if retries else ""}
{f"  logic [{tbits - 1}:0] timer;" if limit else ""}
{body}
endmodule
""",
        about=f"""Wishbone classic master for single transfers. A command (`cmd_valid` with `cmd_ready`, which is high
            while nothing is in work) is put on the bus from the next cycle on, with `cyc` and `stb` high, until the
            slave answers: `ack` ends it well, and a read takes `dat_r` into `rdata`; `err` ends it with a
            failure.{retry_text}{limit_text} In the cycle after the end `done` is high, with `failed` telling how it
            went, and the next command may be taken. Answers count only while `stb` is high.""",
        model=Machine(reset, step),
        names=("wb_master", "bus_master", "wb_initiator", "wishbone_initiator"),
        stimulus={"cmd_valid": 0.7, "ack": 0.2, "err": 0.05, "rty": 0.25},
        cycles=240,
    )


@family(variants=3)
def small_crossbar(r: Random, variant: int) -> Draft:
    """Two masters and several slaves, each pair of which may work at the same time."""
    slaves, width = r.choice((2, 3, 4)), r.choice((4, 8))
    bits = (slaves - 1).bit_length()
    fair = r.random() < 0.6
    start = r.choice((0, 1))
    # Who wins where both want the same slave.
    flags = """
  logic clash, winner;

  assign want_0 = valid_0 && (target_0 < SLAVES);
  assign want_1 = valid_1 && (target_1 < SLAVES);
  assign clash = want_0 && want_1 && (target_0 == target_1);
  assign winner = WINNER;
  assign ready_0 = want_0 && !(clash && winner) && slave_ready[target_0];
  assign ready_1 = want_1 && !(clash && !winner) && slave_ready[target_1];

  always_comb begin
    slave_valid = '0;
    slave_data = '0;
    for (int s = 0; s < SLAVES; s++) begin
      if (want_0 && target_0 == s && !(clash && winner)) begin
        slave_valid[s] = 1'b1;
        slave_data[WIDTH*s +: WIDTH] = data_0;
      end else if (want_1 && target_1 == s) begin
        slave_valid[s] = 1'b1;
        slave_data[WIDTH*s +: WIDTH] = data_1;
      end
    end
  end
"""
    flags = flags.replace("WINNER;", "turn[target_0];" if fair else f"1'b{start}; // always the same one")
    generated = f"""
  logic [SLAVES-1:0] taken_0, taken_1;

  assign want_0 = valid_0;
  assign want_1 = valid_1;

  // one small arbiter at each slave
  for (genvar s = 0; s < SLAVES; s++) begin : gen_slave
    logic ask_0, ask_1, pick_1;

    assign ask_0 = want_0 && (target_0 == s);
    assign ask_1 = want_1 && (target_1 == s);
    assign pick_1 = ask_1 && (!ask_0 || {"turn[s]" if fair else f"1'b{start}"});
    assign slave_valid[s] = ask_0 | ask_1;
    assign slave_data[WIDTH*s +: WIDTH] = pick_1 ? data_1 : (ask_0 ? data_0 : 0);
    assign taken_0[s] = ask_0 & ~pick_1 & slave_ready[s];
    assign taken_1[s] = pick_1 & slave_ready[s];
  end

  assign ready_0 = |taken_0;
  assign ready_1 = |taken_1;
"""
    masks = f"""
  logic [SLAVES-1:0] hot_0, hot_1, both, give_0, give_1;

  assign want_0 = valid_0;
  assign want_1 = valid_1;
  assign hot_0 = want_0 ? ({{{{(SLAVES-1){{1'b0}}}}, 1'b1}} << target_0) : 0;
  assign hot_1 = want_1 ? ({{{{(SLAVES-1){{1'b0}}}}, 1'b1}} << target_1) : 0;
  assign both = hot_0 & hot_1;
  assign give_0 = hot_0 & ~(both & {"turn" if fair else f"{{SLAVES{{1'b{start}}}}}"});
  assign give_1 = hot_1 & ~(both & {"~turn" if fair else f"{{SLAVES{{1'b{1 - start}}}}}"});
  assign slave_valid = give_0 | give_1;
  assign ready_0 = |(give_0 & slave_ready);
  assign ready_1 = |(give_1 & slave_ready);

  always_comb begin
    for (int s = 0; s < SLAVES; s++) begin
      slave_data[WIDTH*s +: WIDTH] = ({{WIDTH{{give_0[s]}}}} & data_0) | ({{WIDTH{{give_1[s]}}}} & data_1);
    end
  end
"""
    turn_text = f"""
  // who has been served lets the other one go first
  always_ff @(posedge clk) begin
    if (rst) begin
      turn <= {{SLAVES{{1'b{start}}}}};
    end else begin
      if (ready_0) turn[target_0] <= 1'b1;
      if (ready_1) turn[target_1] <= 1'b0;
    end
  end
"""
    counting = """
  // cycles in which a master had to wait for the other one
  always_ff @(posedge clk) begin
    if (rst) conflicts <= '0;
    else if (want_0 && want_1 && target_0 == target_1) conflicts <= conflicts + 1'b1;
  end
"""
    body = (flags, generated, masks)[variant] + (turn_text if fair else "") + counting

    def reset(s: State) -> None:
        s.turn, s.conflicts = [start] * slaves, 0

    def step(s: State, i: Pins) -> Outputs:
        ready, valid, data = [0, 0], 0, 0
        targets = (i.target_0, i.target_1)
        wants = [bool(v) and t < slaves for v, t in zip((i.valid_0, i.valid_1), targets, strict=True)]
        clash = i.valid_0 and i.valid_1 and targets[0] == targets[1]
        shown = s.conflicts
        for m in (0, 1):
            t = targets[m]
            if wants[m] and not (clash and s.turn[t] != m):
                valid |= 1 << t
                data |= (i.data_0, i.data_1)[m] << width * t
                ready[m] = i.slave_ready >> t & 1
        for m in (0, 1):
            if ready[m] and fair:
                s.turn[targets[m]] = 1 - m
        if clash and wants[0]:
            s.conflicts = (s.conflicts + 1) % 256
        return {
            "ready_0": ready[0],
            "ready_1": ready[1],
            "slave_valid": valid,
            "slave_data": data,
            "conflicts": shown,
        }

    def drive(r: Random, s: State) -> dict[str, int]:
        first = r.randrange(slaves)
        return {"target_0": first, "target_1": first if r.random() < 0.4 else r.randrange(slaves)}

    rule = (
        f"the one that was not served there last goes first (master {start} after reset)"
        if fair
        else f"master {start} always goes first"
    )
    return Draft(
        rtl=f"""
module small_crossbar #(
  parameter int WIDTH = {width},
  parameter int SLAVES = {slaves}
) (
  input logic clk,
  input logic rst,
  input logic valid_0,
  input logic [{bits - 1}:0] target_0, // below SLAVES
  input logic [WIDTH-1:0] data_0,
  output logic ready_0,
  input logic valid_1,
  input logic [{bits - 1}:0] target_1,
  input logic [WIDTH-1:0] data_1,
  output logic ready_1,
  output logic [SLAVES-1:0] slave_valid,
  output logic [SLAVES*WIDTH-1:0] slave_data,
  input logic [SLAVES-1:0] slave_ready,
  output logic [7:0] conflicts
);
  logic want_0, want_1;
{"  logic [SLAVES-1:0] turn; // of each slave: who goes first" if fair else ""}
{body}
endmodule
""",
        about=f"""Crossbar from two masters to {slaves} slaves, combinational but for its arbitration. A master with
            `valid` high offers its {width}-bit data to the slave `target`; different slaves are served in the same
            cycle. Where both want the same one, {rule}. `slave_valid` and the slave's part of `slave_data` (slave 0
            lowest, 0 where nothing is offered) are the winner's; its `ready` is that slave's bit in `slave_ready`, and
            that of a loser, or of a master without `valid`, is low. {
            "A slave changes its order only when a word is taken. " if fair else ""
        }`conflicts` counts, modulo 256, the cycles in which both wanted the same slave.""",
        model=Machine(reset, step),
        names=("crossbar", "xbar", "switch_matrix", "crossbar_2xn"),
        stimulus={
            "valid_0": 0.75,
            "valid_1": 0.75,
            "slave_ready": lambda r: r.getrandbits(slaves) | r.getrandbits(slaves),
        },
        drive=drive,
        cycles=140,
    )


@family(variants=3)
def access_firewall(r: Random, variant: int) -> Draft:
    """Lets accesses through that a table of regions allows, and keeps the first one that it stopped."""
    regions = r.choice((2, 3))
    abits = r.choice((8, 10))
    cuts = sorted(r.sample(range(1, 16), 2 * regions))
    bounds = [(cuts[2 * k], cuts[2 * k + 1]) for k in range(regions)]
    rights = [r.choice(("ro", "rw", "priv", "privw")) for _ in range(regions)]
    if len(set(rights)) == 1:
        rights[0] = "ro" if rights[0] != "ro" else "privw"
    page = f"addr[{abits - 1}:{abits - 4}]"
    allows = {"ro": "!write", "rw": "1'b1", "priv": "privileged", "privw": "(!write || privileged)"}
    told = {
        "ro": "reads only",
        "rw": "everything",
        "priv": "privileged accesses only",
        "privw": "all reads, and privileged writes",
    }
    chain = "\n".join(
        f"    {'if' if k == 0 else 'else if'} (page >= 4'd{low} && page <= 4'd{high}) allowed = {allows[rights[k]]};"
        for k, (low, high) in enumerate(bounds)
    )
    terms = " | ".join(
        f"inside_{k}" if rights[k] == "rw" else f"(inside_{k} & {allows[rights[k]]})" for k in range(regions)
    )
    wires = "\n".join(
        f"  assign inside_{k} = (page >= 4'd{low}) & (page <= 4'd{high});" for k, (low, high) in enumerate(bounds)
    )
    arms = "\n".join(
        f"      {', '.join(f'4{chr(39)}d{p}' for p in range(low, high + 1))}: allowed = {allows[rights[k]]};"
        for k, (low, high) in enumerate(bounds)
    )
    decode = (
        f"""
  // outside all regions nothing is allowed
  always_comb begin
    allowed = 1'b0;
{chain}
  end
""",
        f"""
  logic {", ".join(f"inside_{k}" for k in range(regions))};

{wires}
  assign allowed = {terms};
""",
        f"""
  always_comb begin
    case (page)
{arms}
      default: allowed = 1'b0;
    endcase
  end
""",
    )[variant]
    log = (
        """
  assign out_req = req && allowed;
  assign error = req && !allowed;

  // only the first one is kept until it is cleared
  always_ff @(posedge clk) begin
    if (rst) begin
      fault <= 1'b0;
      fault_addr <= '0;
      fault_write <= 1'b0;
      stopped <= '0;
    end else begin
      if (error && (!fault || clear)) begin
        fault <= 1'b1;
        fault_addr <= addr;
        fault_write <= write;
      end else if (clear) begin
        fault <= 1'b0;
      end
      if (clear) stopped <= error ? 1 : 0;
      else if (error && stopped != 4'hf) stopped <= stopped + 1'b1;
    end
  end
""",
        """
  logic capture;

  assign {out_req, error} = req ? {allowed, ~allowed} : 2'b00;
  assign capture = error & (clear | ~fault);

  always_ff @(posedge clk) begin
    if (rst) fault <= 1'b0;
    else fault <= error | (fault & ~clear);
  end

  always_ff @(posedge clk) begin
    if (rst) {fault_write, fault_addr} <= 0;
    else if (capture) {fault_write, fault_addr} <= {write, addr};
  end

  // stays at its largest value
  always_ff @(posedge clk) begin
    if (rst) stopped <= 4'd0;
    else if (clear) stopped <= {3'b000, error};
    else if (!(&stopped)) stopped <= stopped + error;
  end
""",
        """
  logic [3:0] stopped_next;
  logic fault_next, load;

  assign out_req = req & allowed;
  assign error = req & ~allowed;

  always_comb begin
    fault_next = fault;
    stopped_next = stopped;
    load = 1'b0;
    if (clear) begin
      fault_next = 1'b0;
      stopped_next = '0;
    end
    if (error) begin
      load = !fault_next;
      fault_next = 1'b1;
      if (stopped_next != 15) stopped_next = stopped_next + 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      fault <= 1'b0;
      stopped <= '0;
      fault_addr <= '0;
      fault_write <= 1'b0;
    end else begin
      fault <= fault_next;
      stopped <= stopped_next;
      if (load) begin
        fault_addr <= addr;
        fault_write <= write;
      end
    end
  end
""",
    )[variant]

    def reset(s: State) -> None:
        s.fault = s.addr = s.write = s.stopped = 0

    def step(s: State, i: Pins) -> Outputs:
        allowed = False
        for (low, high), right in zip(bounds, rights, strict=True):
            if low <= i.addr >> (abits - 4) <= high:
                allowed = {
                    "ro": not i.write,
                    "rw": True,
                    "priv": bool(i.privileged),
                    "privw": bool(not i.write or i.privileged),
                }[right]
        error = int(i.req and not allowed)
        out = {
            "out_req": int(i.req and allowed),
            "error": error,
            "fault": s.fault,
            "fault_addr": s.addr if s.fault else None,
            "fault_write": s.write if s.fault else None,
            "stopped": s.stopped,
        }
        if i.clear:
            s.fault = s.stopped = 0
        if error:
            if not s.fault:
                s.fault, s.addr, s.write = 1, i.addr, i.write
            s.stopped = min(s.stopped + 1, 15)
        return out

    def drive(r: Random, s: State) -> dict[str, int]:
        if r.random() < 0.4:
            return {}
        edge = r.choice([place for pair in bounds for place in (pair[0], pair[1], pair[0] - 1, pair[1] + 1)]) & 15
        return {"addr": edge << (abits - 4) | r.getrandbits(abits - 4)}

    listing = "; ".join(f"{low} to {high}: {told[one]}" for (low, high), one in zip(bounds, rights, strict=True))
    return Draft(
        rtl=f"""
module access_firewall (
  input logic clk,
  input logic rst,
  input logic req,
  input logic write,
  input logic privileged,
  input logic [{abits - 1}:0] addr,
  input logic clear,
  output logic out_req,
  output logic error,
  output logic fault,
  output logic [{abits - 1}:0] fault_addr,
  output logic fault_write,
  output logic [3:0] stopped
);
  logic [3:0] page;
  logic allowed;

  assign page = {page};
{decode}{log}
endmodule
""",
        about=(
            f"""Firewall in front of a slave. The top four bits of `addr` are the page of an access; pages in regions
            allow: {listing}. Other pages allow nothing. An access with `req` that is allowed goes on as `out_req`, any
            other raises `error`, both in the same cycle. The first error sets `fault` and stores its address and
            direction in `fault_addr` and `fault_write`, which later errors leave alone. `clear` forgets the fault and
            sets `stopped`, the number of errors (15 at most), to 0; an error in that cycle counts as the first new
            one.""",
            f"""Access filter with a log. By page (`addr`[{abits - 1}:{abits - 4}]) it permits: {listing}; nothing
            elsewhere. `out_req` and `error` split `req` combinationally. Registered: `fault` with the address and
            write flag of the oldest error since `clear`, and a count `stopped` that saturates at 15. Where `clear` and
            an error meet, the old ones are cleared and this one is recorded.""",
        ),
        model=Machine(reset, step),
        names=("bus_firewall", "access_filter", "memory_guard", "region_checker"),
        stimulus={"req": 0.8, "clear": 0.12},
        drive=drive,
        cycles=180,
    )
